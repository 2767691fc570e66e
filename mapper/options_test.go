package mapper_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/mapper/mappertest"
)

// attempts is an input that lets a function, which runs in this process, count how often it was called for it.
type attempts struct {
	Counter int // in counters
	Mode    string
}

var counters [32]atomic.Int64

var (
	optionsOdd = mapper.Func("options-odd", func(_ context.Context, i int) (int, error) {
		if i%2 == 1 {
			return 0, fmt.Errorf("%d is odd", i)
		}
		return i, nil
	})
	optionsFirst = mapper.Func("options-first", func(_ context.Context, i int) (int, error) {
		counters[30].Add(1)
		if i == 0 {
			return 0, errors.New("the first")
		}
		return i, nil
	})
	optionsFails = mapper.Func("options-fails", func(_ context.Context, a attempts) (int, error) {
		n := counters[a.Counter].Add(1)
		switch a.Mode {
		case "passes":
			if n == 3 {
				return int(n), nil
			}
			return 0, mapper.Retryable(errors.New("not yet"))
		case "wrapped":
			return 0, fmt.Errorf("wrapped: %w", mapper.Retryable(errors.New("not yet")))
		case "retryable":
			return 0, mapper.Retryable(errors.New("not yet"))
		case "own":
			return 0, ownError(true)
		case "own final":
			return 0, ownError(false)
		case "panic":
			panic("for good")
		}
		return 0, errors.New("for good")
	})
)

// ownError is an error of a user's type that says whether to try again.
type ownError bool

func (e ownError) Error() string   { return "own" }
func (e ownError) Retryable() bool { return bool(e) }

// TestContinueOnError: the others' results are kept, failed tasks have zero values, and the error holds the first hundred
// failures in order and counts all.
func TestContinueOnError(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, 3, 199, 200, 201, 1000} {
		ex := mappertest.New(t).With(mapper.Options{ContinueOnError: true})
		got, err := mapper.Map(t.Context(), ex, optionsOdd, ints(n))
		want, failed := make([]int, n), n/2
		for i := 0; i < n; i += 2 {
			want[i] = i
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if failed == 0 {
			if err != nil {
				t.Error(err)
			}
			continue
		}
		var all *mapper.JobError
		if !errors.As(err, &all) {
			t.Fatalf("%d tasks: %v is no JobError", n, err)
		}
		if all.Function != "options-odd" || all.Failed != failed || len(all.Tasks) != min(failed, 100) {
			t.Errorf("%d tasks: %d failures of %s, %d of them kept", n, all.Failed, all.Function, len(all.Tasks))
		}
		if !slices.IsSortedFunc(all.Tasks, func(a, b *mapper.TaskError) int { return a.Index - b.Index }) {
			t.Errorf("the failures are not in order")
		}
		for _, e := range all.Tasks {
			if e.Index%2 == 0 || e.Message != fmt.Sprintf("%d is odd", e.Index) || e.Attempts != 1 || e.Function != "options-odd" {
				t.Errorf("%+v", e)
			}
		}
		var one *mapper.TaskError
		if !errors.As(err, &one) || !errors.Is(err, mapper.ErrFunction) || errors.Is(err, mapper.ErrPanic) {
			t.Errorf("%v is not what its tasks are", err)
		}
		count := fmt.Sprintf("%d tasks of", failed)
		if failed == 1 {
			count = "1 task of"
		}
		mentions(t, err, count+" options-odd failed; the first: task", "is odd")
	}
}

// TestFirstFailure: it stops the job, so that few further tasks run.
func TestFirstFailure(t *testing.T) {
	t.Parallel()
	ex := open(t, "inproc://?workers=2").With(mapper.Options{BatchSize: 10})
	counters[30].Store(0)
	_, err := mapper.Map(t.Context(), ex, optionsFirst, ints(100_000))
	var one *mapper.TaskError
	if !errors.As(err, &one) || one.Index != 0 || one.Message != "the first" {
		t.Fatal(err)
	}
	if ran := counters[30].Load(); ran > 10_000 {
		t.Errorf("%d tasks ran, after the first had failed", ran)
	}
}

// TestRetries counts attempts.
func TestRetries(t *testing.T) {
	t.Parallel()
	for i, c := range []struct {
		mode    string
		retries int
		want    int
	}{
		{"final", 0, 1},
		{"final", 5, 1},
		{"panic", 5, 1},
		{"own final", 5, 1},
		{"retryable", 0, 3}, // two more by default
		{"retryable", -1, 1},
		{"retryable", -7, 1},
		{"retryable", 1, 2},
		{"retryable", 4, 5},
		{"wrapped", 1, 2},
		{"own", 1, 2},
		{"passes", 0, 3},
		{"passes", 9, 3},
		{"passes", 1, 2},
	} {
		t.Run(fmt.Sprintf("%s %d", c.mode, c.retries), func(t *testing.T) {
			t.Parallel()
			ex := mappertest.New(t).With(mapper.Options{Retries: c.retries})
			counters[i].Store(0)
			got, err := mapper.Call(t.Context(), ex, optionsFails, attempts{i, c.mode})
			if n := int(counters[i].Load()); n != c.want {
				t.Errorf("%d attempts, want %d", n, c.want)
			}
			if c.mode == "passes" && c.want == 3 {
				if got != 3 || err != nil {
					t.Errorf("%d, %v", got, err)
				}
				return
			}
			var one *mapper.TaskError
			if !errors.As(err, &one) || one.Attempts != c.want {
				t.Errorf("%v, want an error of %d attempts", err, c.want)
			}
		})
	}
}

// TestRetryable: it wraps, and nil stays nil. The cause is seen where the error was made alone: what comes to the driver
// is its text.
func TestRetryable(t *testing.T) {
	t.Parallel()
	if err := mapper.Retryable(nil); err != nil {
		t.Errorf("no error became %v", err)
	}
	err := mapper.Retryable(fmt.Errorf("read: %w", context.DeadlineExceeded))
	var own interface{ Retryable() bool }
	if !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &own) || !own.Retryable() {
		t.Errorf("%v does not unwrap", err)
	}
	mentions(t, err, "read: context deadline exceeded")
}

// TestWith: what is not set stays, and the executor it came from is unchanged.
func TestWith(t *testing.T) {
	t.Parallel()
	ex := mappertest.New(t)
	patient := ex.With(mapper.Options{ContinueOnError: true, Retries: 1})
	run := func(ex *mapper.Executor, counter int) (n int64, goesOn bool) {
		counters[counter].Store(0)
		_, err := mapper.Map(t.Context(), ex, optionsFails, []attempts{{counter, "retryable"}})
		var all *mapper.JobError
		return counters[counter].Load(), errors.As(err, &all)
	}
	for i, c := range []struct {
		ex     *mapper.Executor
		want   int64
		goesOn bool
	}{
		{patient, 2, true},
		{patient.With(mapper.Options{BatchSize: 3}), 2, true},
		{patient.With(mapper.Options{Retries: -1}), 1, true},
		{patient.With(mapper.Options{Retries: 3}).With(mapper.Options{Quiet: true}), 4, true},
		{ex, 3, false},
	} {
		if n, goesOn := run(c.ex, 20+i); n != c.want || goesOn != c.goesOn {
			t.Errorf("case %d: %d attempts, want %d; it goes on: %v", i, n, c.want, goesOn)
		}
	}
	if patient.Bucket() != ex.Bucket() {
		t.Error("the bucket is another")
	}
}
