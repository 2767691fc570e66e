package sched

import (
	"context"
	"encoding/binary"
	"errors"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gowren/gowren/backends"
)

// newTestJob counts results, and ends at the first failure.
func newTestJob(f *fake, concurrency int, results *int) *Job {
	f.cpus = max(f.cpus, 1)
	var mu sync.Mutex
	return &Job{
		Backend: f, Policy: Policy{Concurrency: concurrency, CPUs: f.cpus, Retries: 2}, Request: request,
		QueueTasks: 1000, QueueBytes: 1 << 20,
		Feed: func(_ context.Context, push func([]byte) bool) error {
			for push([]byte("x")) {
			}
			return nil
		},
		Result: func(context.Context, *Slot, *Task, Value) *Failure {
			mu.Lock()
			defer mu.Unlock()
			*results++
			return nil
		},
		Failed: func(_ *Task, _ int, f *Failure) error { return f.Err },
		Log:    func(*Task, string) {},
	}
}

// TestFeedback: inputs may be made from earlier results.
func TestFeedback(t *testing.T) {
	for _, concurrency := range []int{1, 2, 50} {
		synctest.Test(t, func(t *testing.T) {
			results := 0
			j := newTestJob(&fake{odds: odds{task: time.Millisecond, overhead: time.Millisecond, flaky: 0.2}}, concurrency, &results)
			got := make(chan struct{}, 1)
			count := j.Result
			j.Result = func(ctx context.Context, s *Slot, t *Task, v Value) *Failure {
				got <- struct{}{}
				return count(ctx, s, t, v)
			}
			j.Feed = func(_ context.Context, push func([]byte) bool) error {
				for i := range 100 {
					push(binary.AppendUvarint(nil, uint64(i)))
					<-got
				}
				return nil
			}
			if err := NewRunner(j).Run(t.Context()); err != nil || results != 100 {
				t.Errorf("%d results, %v", results, err)
			}
		})
	}
}

// TestBoundedQueue: a million inputs, and workers that are slower than they come.
func TestBoundedQueue(t *testing.T) {
	for _, bytes := range []int{0, 3000} {
		synctest.Test(t, func(t *testing.T) {
			results := 0
			j := newTestJob(&fake{cpus: 1000, odds: odds{overhead: time.Second}}, 4, &results)
			j.QueueBytes = bytes
			r := NewRunner(j)
			most, tasks := 0, 1_000_000
			if bytes > 0 || testing.Short() {
				tasks = 50_000
			}
			j.Feed = func(_ context.Context, push func([]byte) bool) error {
				for i := range tasks {
					push([]byte("12345"))
					if i%100 == 0 {
						r.mu.Lock()
						most = max(most, r.m.queue.len())
						if bytes > 0 && r.m.Bytes() > bytes+4 {
							t.Errorf("%d bytes wait", r.m.Bytes())
						}
						r.mu.Unlock()
					}
				}
				return nil
			}
			if err := r.Run(t.Context()); err != nil || results != tasks {
				t.Errorf("%d results, %v", results, err)
			}
			if most > 1000 || len(r.m.queue.chunks) > 2 {
				t.Errorf("%d tasks have waited, in %d chunks", most, len(r.m.queue.chunks))
			}
		})
	}
}

func TestFeedError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		results := 0
		j := newTestJob(&fake{odds: odds{task: time.Hour}}, 4, &results)
		broken := errors.New("the input file is cut")
		j.Feed = func(_ context.Context, push func([]byte) bool) error {
			push(nil)
			time.Sleep(time.Second)
			return broken
		}
		begun := time.Now()
		if err := NewRunner(j).Run(t.Context()); err != broken || time.Since(begun) != time.Second {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}

// TestPanics: a function of the job that panics, or ends its goroutine, leaves nothing behind where its caller recovers.
// In a goroutine of the runner's own a panic ends the process; a Goexit must at least end the job.
func TestPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		results := 0
		j := newTestJob(&fake{odds: odds{task: time.Hour}}, 4, &results)
		j.Feed = func(_ context.Context, push func([]byte) bool) error {
			push(nil)
			push(nil)
			synctest.Wait()
			panic("boom")
		}
		func() {
			defer func() { _ = recover() }()
			_ = NewRunner(j).Run(t.Context())
			t.Error("the panic was lost")
		}()
	})
	synctest.Test(t, func(t *testing.T) { // the caller's goroutine is a slot too
		results := 0
		j := newTestJob(&fake{}, 1, &results)
		j.Known = 1
		j.Feed = func(_ context.Context, push func([]byte) bool) error { push(nil); return nil }
		j.Result = func(context.Context, *Slot, *Task, Value) *Failure { panic("boom") }
		r := NewRunner(j)
		func() {
			defer func() { _ = recover() }()
			_ = r.Run(t.Context())
		}()
		if !errors.Is(r.m.Err(), errGivenUp) {
			t.Error(r.m.Err())
		}
	})
	synctest.Test(t, func(t *testing.T) {
		results := 0
		j := newTestJob(&fake{}, 2, &results)
		j.Result = func(context.Context, *Slot, *Task, Value) *Failure { runtime.Goexit(); return nil }
		if err := NewRunner(j).Run(t.Context()); !errors.Is(err, errGivenUp) {
			t.Error(err)
		}
	})
}

// TestCancel: whatever a job is at, it ends at once when its context does, with the context's cause.
func TestCancel(t *testing.T) {
	reason := errors.New("the user has seen enough")
	for name, c := range map[string]struct {
		f     odds
		tasks int // 0: without end
		at    time.Duration
	}{
		"before":                  {odds{}, 1, 0},
		"while it feeds":          {odds{task: time.Hour}, 0, time.Second},
		"while workers start":     {odds{overhead: time.Hour}, 10, time.Second},
		"while tasks run":         {odds{task: time.Hour}, 10, time.Second},
		"while it backs off":      {odds{deadly: 1}, 10, 30 * time.Millisecond},
		"while it is throttled":   {odds{throttle: 1}, 10, time.Minute},
		"one task":                {odds{task: time.Hour}, 1, time.Second},
		"one throttled task":      {odds{throttle: 1}, 1, time.Minute},
		"one task that backs off": {odds{deadly: 1}, 1, 10 * time.Millisecond},
	} {
		synctest.Test(t, func(t *testing.T) {
			results := 0
			j := newTestJob(&fake{odds: c.f}, 4, &results)
			j.Policy.Retries = 100
			if c.tasks > 0 {
				j.Known = c.tasks
				j.Feed = func(_ context.Context, push func([]byte) bool) error {
					for range c.tasks {
						push(nil)
					}
					return nil
				}
			}
			j.Failed = func(*Task, int, *Failure) error { t.Errorf("%s: a failure is reported", name); return nil }
			ctx, cancel := context.WithCancelCause(t.Context())
			begun := time.Now()
			if c.at == 0 {
				cancel(reason)
			}
			time.AfterFunc(c.at, func() { cancel(reason) })
			if err := NewRunner(j).Run(ctx); err != reason || time.Since(begun) != c.at {
				t.Errorf("%s: %v after %v, not %v", name, err, time.Since(begun), c.at)
			}
		})
	}
}

// TestCancelReason: a backend may see the end of the context before the runner does, and say so in an error of its own.
// That is not a lost worker, nor a failure of its task.
func TestCancelReason(t *testing.T) {
	reason := errors.New("enough")
	for range 200 {
		results := 0
		f := &fake{odds: odds{task: time.Hour}}
		j := newTestJob(f, 2, &results)
		j.Policy.Retries = 0
		ctx, cancel := context.WithCancelCause(t.Context())
		j.Feed = func(_ context.Context, push func([]byte) bool) error {
			push(nil)
			push(nil)
			for f.flying.Load() < 2 {
				runtime.Gosched()
			}
			cancel(reason)
			return nil
		}
		j.Failed = func(_ *Task, _ int, f *Failure) error { t.Error("a failure is reported"); return f.Err }
		if err := NewRunner(j).Run(ctx); err != reason {
			t.Fatal(err)
		}
	}
}

// TestNoConcurrency: the zero policy is one worker, not a job that ends without running.
func TestNoConcurrency(t *testing.T) {
	results := 0
	j := newTestJob(&fake{}, 0, &results)
	j.QueueBytes, j.QueueTasks = 0, 0
	j.Feed = func(_ context.Context, push func([]byte) bool) error { push(nil); push(nil); return nil }
	if err := NewRunner(j).Run(t.Context()); err != nil || results != 2 {
		t.Errorf("%d results, %v", results, err)
	}
}

// TestEndings: how a job ends for each class of error.
func TestEndings(t *testing.T) {
	failing := errors.New("no such bucket")
	for name, c := range map[string]struct {
		change func(*Job)
		want   error
	}{
		"the request cannot be made": {func(j *Job) {
			j.Request = func(context.Context, *Slot, *Batch) (backends.Request, error) { return backends.Request{}, failing }
		}, failing},
		"the request is no request": {func(j *Job) {
			j.Request = func(context.Context, *Slot, *Batch) (backends.Request, error) {
				return backends.Request{Body: []byte("x")}, nil
			}
		}, backends.ErrInvalid},
		"a result is refused for good": {func(j *Job) {
			j.Result = func(context.Context, *Slot, *Task, Value) *Failure { return &Failure{Err: failing} }
		}, failing},
		"workers are lost": {func(j *Job) { j.Backend = &fake{cpus: 1, odds: odds{deadly: 1}} }, errLost},
	} {
		results := 0
		j := newTestJob(&fake{}, 3, &results)
		c.change(j)
		if err := NewRunner(j).Run(t.Context()); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
