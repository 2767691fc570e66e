package mapper_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/inproc"
	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/storage/memstore"
)

// limitWork waits for ever where its input says so.
var limitWork = mapper.Func("limit-work", func(ctx context.Context, n int) (int, error) {
	if n < 0 {
		<-ctx.Done()
		return 0, ctx.Err()
	}
	return n + 1, nil
})

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
		p := &platform{Backend: inproc.New(4), limits: backends.Limits{PricePerSecond: 1}}
		o.Resume, o.BatchSize = "limited", 1
		ex, err := mapper.New(t.Context(), p, bucket, o)
		if err != nil {
			t.Fatal(err)
		}
		got, err := mapper.Map(t.Context(), ex, limitWork, inputs)
		var e *mapper.LimitError
		if !errors.Is(err, limit) || !errors.As(err, &e) || !slices.Equal(e.Missing, []int{20, 30}) || e.Done != 48 || e.Took < 200*time.Millisecond {
			t.Fatalf("%v: %+v", err, e)
		}
		if errors.Is(limit, mapper.ErrMaxCost) && e.Cost.Total < 0.5 {
			t.Errorf("it has cost %v", e.Cost)
		}
		for i, x := range got {
			if inputs[i] >= 0 && x != inputs[i]+1 || inputs[i] < 0 && x != 0 {
				t.Errorf("result %d is %d", i, x)
			}
		}
		if err := ex.Close(); err != nil {
			t.Error(err)
		}
		fixed := slices.Clone(inputs)
		fixed[20], fixed[30] = 20, 30
		var s mapper.Stats
		again := resuming(t, bucket, mapper.Options{Resume: "limited", MaxTime: time.Hour, MaxCost: 1, Stats: func(told mapper.Stats) { s = told }})
		if got, err = mapper.Map(t.Context(), again, limitWork, fixed); err != nil || len(got) != 50 || got[20] != 21 || s.Resumed != 48 {
			t.Errorf("%d results, %v, %d resumed", len(got), err, s.Resumed)
		}
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
