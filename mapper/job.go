package mapper

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/gowren/gowren/internal/sched"
)

// Job is a job that runs on its own, made by [Start].
type Job[Out any] struct {
	j       *job
	cancel  context.CancelCauseFunc
	results chan Result[Out]
	done    chan struct{}
	err     error // valid once done
	ended   time.Time
}

// Result is what came of one task.
type Result[Out any] struct {
	Index int // of the input, from 0
	Value Out
	err   error
}

// Start begins a job over the inputs that the iterator yields, and returns at once. Memory in the driver is bounded
// whatever their number: inputs are drawn as workers take them, and results wait to be read; where nobody reads them,
// the job waits. An error that the iterator yields ends the job. The job ends early with ctx, [Job.Cancel], or the
// executor. Its results must be read, waited for or cancelled.
func Start[In, Out any](ctx context.Context, ex *Executor, fn Function[In, Out], inputs iter.Seq2[In, error]) (*Job[Out], error) {
	if fn.f == nil {
		return nil, errors.New("mapper: the zero Function was never registered: make it by mapper.Func")
	}
	ctx, leave, err := ex.enter(ctx)
	if err != nil {
		return nil, fmt.Errorf("mapper: %w", err)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	j := ex.newJob(newID(), fn.f)
	job := &Job[Out]{j: j, cancel: cancel, results: make(chan Result[Out], 1024), done: make(chan struct{})}
	j.shared, j.feed = fn.shared, feedSeq(inputs)
	j.accept = func(ctx context.Context, s *sched.Slot, t *sched.Task, v sched.Value) *sched.Failure {
		data, bad := j.fetch(ctx, v)
		if bad != nil {
			return bad
		}
		r := Result[Out]{Index: int(t.Index)}
		if err := s.Coder.Decode(data, &r.Value); err != nil {
			return undecodable(err)
		}
		return job.deliver(ctx, r)
	}
	j.failed = func(e *TaskError) { job.deliver(ctx, Result[Out]{Index: e.Index, err: e}) }
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
func (job *Job[Out]) deliver(ctx context.Context, r Result[Out]) *sched.Failure {
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
		for r := range job.results {
			if !yield(r, r.err) {
				return
			}
		}
		<-job.done
		if _, partial := errors.AsType[*JobError](job.err); job.err != nil && !partial {
			yield(Result[Out]{Index: -1}, job.err)
		}
	}
}

// Wait drops the results that were not read, and returns when the job has ended: nil, or why it failed.
func (job *Job[Out]) Wait() error {
	for range job.results {
	}
	<-job.done
	return job.err
}

// Cancel ends the job, and returns when its work has stopped.
func (job *Job[Out]) Cancel() {
	job.cancel(fmt.Errorf("the job was cancelled: %w", context.Canceled))
	for range job.results {
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
