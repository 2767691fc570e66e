package mapper_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/inproc"
	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/memstore"
)

// limitWork waits until it is told to stop where its input is negative, and fails where it is 1,000,000.
var limitWork = mapper.Func("limit-work", func(ctx context.Context, n int) (int, error) {
	switch {
	case n < 0:
		<-ctx.Done()
		limitStopped.Store(-n, time.Now())
		return 0, ctx.Err()
	case n == 1_000_000:
		return 0, errors.New("a million")
	}
	return n + 1, nil
})

// limitStopped is when tasks of limitWork were told to stop, by their inputs.
var limitStopped sync.Map

// priced returns an executor on a platform with prices.
func priced(t *testing.T, workers int, l backends.Limits, b storage.Bucket, o mapper.Options) *mapper.Executor {
	t.Helper()
	ex, err := mapper.New(t.Context(), &platform{Backend: inproc.New(workers), limits: l}, b, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ex.Close() })
	return ex
}

// TestLimits: a job that has taken, or cost, what it may is stopped with what it has, and can be resumed.
func TestLimits(t *testing.T) {
	t.Parallel()
	inputs := ints(50)
	inputs[20], inputs[30] = -1, -2
	for limit, o := range map[error]mapper.Options{
		mapper.ErrMaxTime: {MaxTime: 300 * time.Millisecond},
		mapper.ErrMaxCost: {MaxCost: 0.5},
	} {
		bucket := memstore.New()
		o.Resume, o.BatchSize = "limited", 1
		ex := priced(t, 4, backends.Limits{PricePerSecond: 1}, bucket, o)
		got, err := mapper.Map(t.Context(), ex, limitWork, inputs)
		e, ok := errors.AsType[*mapper.LimitError](err)
		if !ok || !errors.Is(err, limit) || e.Failures != nil || int(e.Done)+len(e.Missing) != 50 || e.Took < o.MaxTime || e.Cost.Total < o.MaxCost {
			t.Fatalf("%v: %+v", err, e)
		}
		for i, x := range got {
			missing := slices.Contains(e.Missing, i)
			if inputs[i] < 0 && !missing || !missing && x != inputs[i]+1 || missing && x != 0 {
				t.Errorf("result %d is %d; missing are %v", i, x, e.Missing)
			}
		}
		if err := ex.Close(); err != nil {
			t.Error(err)
		}
		var s mapper.Stats
		again := resuming(t, bucket, mapper.Options{Resume: "limited", MaxTime: time.Hour, MaxCost: 1, Stats: func(told mapper.Stats) { s = told }})
		if got, err = mapper.Map(t.Context(), again, limitWork, ints(50)); err != nil || got[20] != 21 || s.Resumed != e.Done {
			t.Errorf("%d results, %v, %d resumed of %d", len(got), err, s.Resumed, e.Done)
		}
	}
}

// TestLimitKeepsFailures: what had failed by the limit is told with it. Requests cost a dollar, and one follows the other: at
// four dollars, three tasks are over, and the fourth has begun.
func TestLimitKeepsFailures(t *testing.T) {
	t.Parallel()
	var s mapper.Stats
	o := mapper.Options{BatchSize: 1, Concurrency: 1, ContinueOnError: true, MaxCost: 4, Stats: func(told mapper.Stats) { s = told }}
	ex := priced(t, 1, backends.Limits{PricePerRequest: 1}, memstore.New(), o)
	got, err := mapper.Map(t.Context(), ex, limitWork, []int{5, 1_000_000, 6, -1000, 7})
	limit, ok := errors.AsType[*mapper.LimitError](err)
	failures, failed := errors.AsType[*mapper.JobError](err)
	task, told := errors.AsType[*mapper.TaskError](err)
	if !ok || !failed || !told || !errors.Is(err, mapper.ErrMaxCost) || limit.Failures != failures || failures.Failed != 1 || task.Index != 1 {
		t.Fatal(err)
	}
	if !strings.Contains(err.Error(), "2 tasks have a result") || !strings.Contains(err.Error(), "a million") {
		t.Error(err)
	}
	if limit.Done != 2 || !slices.Equal(limit.Missing, []int{1, 3, 4}) || !slices.Equal(got, []int{6, 0, 7, 0, 0}) {
		t.Errorf("%v, %+v", got, limit)
	}
	if s.Done != 3 || s.Failed != 1 || limit.Cost != s.Cost || limit.Cost.Total != 4 {
		t.Errorf("%+v, %+v", s, limit)
	}
	stopped, _ := limitStopped.Load(1000)
	if at, ok := stopped.(time.Time); !ok || s.Started.Add(limit.Took).Before(at) {
		t.Errorf("it took %v from %v on, and a task was stopped at %v", limit.Took, s.Started, stopped)
	}
}

// retryWork fails in the way that its input says, always.
var retryWork = mapper.Func("retry-work", func(ctx context.Context, how string) (int, error) {
	switch how {
	case "panic":
		panic("as told")
	case "error":
		return 0, errors.New("as told")
	case "retryable":
		return 0, mapper.Retryable(errors.New("as told"))
	}
	<-ctx.Done()
	return 0, ctx.Err()
})

// TestRetryIf: the user's word goes above what is usual, for each cause.
func TestRetryIf(t *testing.T) {
	t.Parallel()
	ex := resuming(t, memstore.New(), mapper.Options{Retries: 2, Timeout: 50 * time.Millisecond, Backoff: time.Millisecond})
	for _, c := range []struct {
		how          string
		kind         error
		usual, never int
	}{{"panic", mapper.ErrPanic, 1, 3}, {"error", mapper.ErrFunction, 1, 3}, {"retryable", mapper.ErrFunction, 3, 1}, {"time-out", mapper.ErrTimeout, 3, 1}} {
		attempts := func(o mapper.Options) int {
			_, err := mapper.Call(t.Context(), ex.With(o), retryWork, c.how)
			e, ok := errors.AsType[*mapper.TaskError](err)
			if !ok || !errors.Is(err, c.kind) {
				t.Fatalf("%s: %v", c.how, err)
			}
			return e.Attempts
		}
		if n := attempts(mapper.Options{}); n != c.usual {
			t.Errorf("%s: %d attempts, want %d", c.how, n, c.usual)
		}
		other := func(e *mapper.TaskError) bool { // the other way round
			if !errors.Is(e, c.kind) || e.Attempts < 1 {
				t.Errorf("%s: asked about %v", c.how, e)
			}
			return c.usual == 1
		}
		if n := attempts(mapper.Options{RetryIf: other}); n != c.never {
			t.Errorf("%s: %d attempts where it is said otherwise, want %d", c.how, n, c.never)
		}
	}
}

// TestRetryIfLost: so it is for workers that are lost.
func TestRetryIfLost(t *testing.T) {
	t.Parallel()
	ex := open(t, "local://?workers=2")
	for want, again := range map[int]bool{1: false, 3: true} {
		o := mapper.Options{RetryIf: func(e *mapper.TaskError) bool { return again && errors.Is(e, mapper.ErrWorkerLost) }}
		_, err := mapper.Call(t.Context(), ex.With(o), lostWork, 1)
		if e, ok := errors.AsType[*mapper.TaskError](err); !ok || e.Attempts != want || !errors.Is(err, mapper.ErrWorkerLost) {
			t.Errorf("%v, want %d attempts", err, want)
		}
	}
}

// TestRetryBudget: a job does not try again for ever what is doomed.
func TestRetryBudget(t *testing.T) {
	t.Parallel()
	o := mapper.Options{Retries: 5, RetryBudget: 7, ContinueOnError: true, Backoff: time.Millisecond}
	var s mapper.Stats
	o.Stats = func(told mapper.Stats) { s = told }
	_, err := mapper.Map(t.Context(), resuming(t, memstore.New(), o), retryWork, slices.Repeat([]string{"retryable"}, 20))
	all, ok := errors.AsType[*mapper.JobError](err)
	if !ok || all.Failed != 20 || s.Retried != 7 {
		t.Errorf("%v; retried %d times", err, s.Retried)
	}
	sum := 0
	for _, e := range all.Tasks {
		sum += e.Attempts
	}
	if sum != 27 {
		t.Error(fmt.Sprint(sum, " attempts"))
	}
}

// lostWork takes its worker along.
var lostWork = mapper.Func("lost-work", func(context.Context, int) (int, error) { os.Exit(3); return 0, nil })
