package mapper

import (
	"context"
	"fmt"
	"iter"
	"sync/atomic"
	"time"

	"github.com/gowren/gowren/internal/sched"
)

// Job is a job that runs on its own, made by [Start].
type Job[Out any] struct {
	j       *job
	cancel  context.CancelCauseFunc
	results chan waiting[Out]
	bytes   atomic.Int64  // of the results that wait, encoded
	room    chan struct{} // gets a value when one was taken
	done    chan struct{}
	err     error     // valid once done
	ended   time.Time // likewise
}

// Result is what came of one task.
type Result[Out any] struct {
	Index int // of the input, from 0
	Value Out
	err   error
}

// Bounds on the results that wait to be read.
const (
	waitingResults = 1024
	waitingBytes   = 16 << 20 // encoded, unless one alone has more
)

// waiting is a result that waits to be read.
type waiting[Out any] struct {
	Result[Out]
	size int64
}

// Start begins a job over the inputs that the iterator yields, and returns at once. Memory in the driver is bounded
// whatever their number: inputs are drawn as workers take them, and results wait to be read; where nobody reads them,
// the job waits. An error that the iterator yields ends the job, and so does its panic. The job ends early with ctx,
// [Job.Cancel], or the executor. Its results must be read, waited for or cancelled.
//
// The iterator runs on a goroutine of its own, and may wait for results of inputs that it yielded before. A job that ends
// early waits for it a second at most.
func Start[In, Out any](ctx context.Context, ex *Executor, fn Function[In, Out], inputs iter.Seq2[In, error]) (*Job[Out], error) {
	if fn.f == nil {
		return nil, errZeroFunction
	}
	ctx, leave, err := ex.enter(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	j := ex.newJob(ex.newID(), fn.f)
	job := &Job[Out]{j: j, cancel: cancel, results: make(chan waiting[Out], waitingResults), room: make(chan struct{}, 1), done: make(chan struct{})}
	j.shared, j.feed = fn.shared, feedSeq(inputs)
	j.accept = func(ctx context.Context, s *sched.Slot, t *sched.Task, v sched.Value) *sched.Failure {
		r := Result[Out]{Index: int(t.Index)}
		size, bad := j.decode(ctx, s, v, &r.Value)
		if bad != nil {
			return bad
		}
		if v.Stored != nil && ex.options.Resume == "" { // a long job would fill the store; what cannot be deleted now is when the job ends
			_ = j.collected.bucket.Delete(ctx, v.Stored.Key)
		}
		return job.deliver(ctx, waiting[Out]{r, int64(size)})
	}
	j.failed = func(e *TaskError) { job.deliver(ctx, waiting[Out]{Result: Result[Out]{Index: e.Index, err: e}}) }
	go func() {
		defer leave()
		job.err = j.run(ctx)
		j.sweep(ctx)
		cancel(nil)
		job.ended = time.Now()
		close(job.results)
		close(job.done)
	}()
	return job, nil
}

// deliver waits until there is room for the result, or the job has ended.
func (job *Job[Out]) deliver(ctx context.Context, r waiting[Out]) *sched.Failure {
	for {
		n := job.bytes.Load()
		if n > 0 && n+r.size > waitingBytes {
			select {
			case <-job.room:
				continue
			case <-ctx.Done():
				return unreadable(context.Cause(ctx))
			}
		}
		if job.bytes.CompareAndSwap(n, n+r.size) {
			break
		}
	}
	select {
	case job.results <- r:
		return nil
	case <-ctx.Done():
		return unreadable(context.Cause(ctx))
	}
}

// Results yields what came of each task, as it comes, in no order. With [Options].ContinueOnError a failed task yields
// its [*TaskError] with its index, and the others go on. When the job fails as a whole, its error is the last yielded.
// Who stops reading should call Cancel: the job waits meanwhile. Results yields each result to one reader only.
func (job *Job[Out]) Results() iter.Seq2[Result[Out], error] {
	return func(yield func(Result[Out], error) bool) {
		for r := range job.taken() {
			if !yield(r, r.err) {
				return
			}
		}
		<-job.done
		if job.err != nil && !job.j.partial {
			yield(Result[Out]{Index: -1}, job.err)
		}
	}
}

// taken yields the results as they are delivered.
func (job *Job[Out]) taken() iter.Seq[Result[Out]] {
	return func(yield func(Result[Out]) bool) {
		for r := range job.results {
			job.bytes.Add(-r.size)
			select { // one who waits for room takes it, and what that one delivers makes room for the next
			case job.room <- struct{}{}:
			default:
			}
			if !yield(r.Result) {
				return
			}
		}
	}
}

// Wait drops the results that were not read, and returns when the job has ended: nil, or why it failed.
func (job *Job[Out]) Wait() error {
	job.drop()
	return job.err
}

// Cancel ends the job, and returns when its work has stopped.
func (job *Job[Out]) Cancel() {
	job.cancel(fmt.Errorf("the job was cancelled: %w", context.Canceled))
	job.drop()
}

// drop takes the results that are left, and returns when the job has ended.
func (job *Job[Out]) drop() {
	for range job.taken() {
	}
	<-job.done
}

// ID names the job, in logs and in the bucket.
func (job *Job[Out]) ID() string { return job.j.id }

// Inputs adapts an iterator that cannot fail to what [Start] takes.
func Inputs[In any](seq iter.Seq[In]) iter.Seq2[In, error] {
	return func(yield func(In, error) bool) {
		for v := range seq {
			if !yield(v, nil) {
				return
			}
		}
	}
}
