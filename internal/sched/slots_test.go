package sched

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/wire"
)

// TestSlotsForRetries: inputs that come slowly keep one slot busy; when their retries come due together, there must be a
// slot for each.
func TestSlotsForRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		results := 0
		j := newTestJob(&fake{}, 20, &results)
		j.Policy.BatchSize = 1
		j.Feed = func(_ context.Context, push func([]byte) bool) error {
			for range 10 {
				push(nil)
				time.Sleep(1500 * time.Microsecond)
			}
			return nil
		}
		j.Request = func(ctx context.Context, s *Slot, b *Batch) (backends.Request, error) {
			time.Sleep(time.Millisecond)
			if b.Tasks[0].Attempt > 0 {
				time.Sleep(10 * time.Second)
			}
			return request(ctx, s, b)
		}
		count := j.Result
		j.Result = func(ctx context.Context, s *Slot, t *Task, v Value) *Failure {
			if t.Attempt == 0 {
				return &Failure{Failure: wire.Failure{Again: true}}
			}
			return count(ctx, s, t, v)
		}
		begun := time.Now()
		if err := NewRunner(j).Run(t.Context()); err != nil || results != 10 || time.Since(begun) > 11*time.Second {
			t.Errorf("%d results after %v: %v", results, time.Since(begun), err)
		}
	})
}

// TestSlowReport: a job that takes its time over a failure does not hold up the tasks that another slot can run.
func TestSlowReport(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		results := 0
		seed := uint64(0) // of a backend that is killed by task 0, and not by task 1
		f := &fake{odds: odds{deadly: 0.5, task: time.Millisecond, overhead: time.Millisecond}}
		for f.fate(seed, 0) != deadly || f.fate(seed, 1) != fine {
			seed++
		}
		f.seed = seed
		j := newTestJob(f, 2, &results)
		j.Policy.BatchSize, j.Policy.Retries = 1, 0
		got := make(chan struct{})
		j.Feed = func(_ context.Context, push func([]byte) bool) error {
			push(nil)
			synctest.Wait()
			push(nil)
			return nil
		}
		j.Result = func(context.Context, *Slot, *Task, Value) *Failure { close(got); return nil }
		j.Failed = func(*Task, int, *Failure) error { <-got; return nil }
		r := NewRunner(j)
		r.m.flow.limit = 1 // as after throttling: the second waits for the first
		if err := r.Run(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// TestCountsUnderWay: a task is queued, running or settled while its batch runs on.
func TestCountsUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		results := 0
		j := newTestJob(&fake{odds: odds{overhead: time.Second}}, 1, &results)
		j.Policy.BatchSize = 10
		hold := make(chan struct{})
		j.Feed = func(_ context.Context, push func([]byte) bool) error {
			for range 15 {
				push(nil)
			}
			return nil
		}
		j.Result = func(_ context.Context, _ *Slot, t *Task, _ Value) *Failure {
			if t.Index == 3 {
				<-hold
			}
			return nil
		}
		r := NewRunner(j)
		go func() {
			time.Sleep(time.Minute)
			c := r.Counts()
			if c.Settled+c.Running+c.Queued != 15 || c.Settled != 3 {
				t.Errorf("%+v", c)
			}
			close(hold)
		}()
		if err := r.Run(t.Context()); err != nil {
			t.Error(err)
		}
		if c := r.Counts(); c.Settled != 15 || c.Running != 0 || c.Queued != 0 || c.More {
			t.Errorf("%+v", c)
		}
	})
}
