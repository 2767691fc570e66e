package mapper_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/mapper/mappertest"
)

var (
	// numbersEmit emits the numbers below its input by their last digits.
	numbersEmit = mapper.Emit("numbers-emit", func(_ context.Context, n int, emit func(int, int)) error {
		for i := range n {
			emit(i%10, i)
		}
		return nil
	})
	numbersNone  = mapper.ReduceByKey("numbers-none", func(_ context.Context, k int, _ iter.Seq[int]) (int, error) { return -k, nil })
	numbersFirst = mapper.ReduceByKey("numbers-first", func(_ context.Context, _ int, numbers iter.Seq[int]) (int, error) {
		for n := range numbers {
			return n, nil
		}
		return 0, errors.New("there is none")
	})
	numbersTwice = mapper.ReduceByKey("numbers-twice", func(_ context.Context, _ int, numbers iter.Seq[int]) ([]int, error) {
		return []int{len(slices.Collect(numbers)), len(slices.Collect(numbers))}, nil
	})
	numbersPull = mapper.ReduceByKey("numbers-pull", func(_ context.Context, _ int, numbers iter.Seq[int]) (int, error) {
		next, stop := iter.Pull(numbers)
		defer stop()
		_, _ = next()
		second, _ := next()
		return second, nil
	})
)

// TestByKeyReading: a reducer may read none of the values, some, or draw them by hand; a second reading finds none.
func TestByKeyReading(t *testing.T) {
	t.Parallel()
	ex := mappertest.New(t).With(mapper.Options{Partitions: 2})
	inputs := []int{100, 0, 50}
	reading(t, ex, numbersNone, inputs, func(k int) int { return -k })
	reading(t, ex, numbersFirst, inputs, func(k int) int { return k })
	reading(t, ex, numbersPull, inputs, func(k int) int { return k + 10 })
	reading(t, ex, numbersTwice, inputs, func(int) []int { return []int{15, 0} })
}

func reading[Out any](t *testing.T, ex *mapper.Executor, r mapper.Reducer[int, int, Out], inputs []int, want func(int) Out) {
	t.Helper()
	got, err := mapper.MapReduceByKey(t.Context(), ex, numbersEmit, r, inputs)
	if err != nil {
		t.Fatal(err)
	}
	var pairs []mapper.Pair[int, Out]
	for k := range 10 {
		pairs = append(pairs, mapper.Pair[int, Out]{Key: k, Value: want(k)})
	}
	samePairs(t, got, pairs)
}

// TestByKeyNothing: where nothing is emitted, there is no pair, and a reducer is never called.
func TestByKeyNothing(t *testing.T) {
	t.Parallel()
	for _, backend := range []string{"inproc", "local://?workers=1"} {
		ex := open(t, backend)
		for _, inputs := range [][]int{nil, {0}, {0, 0, 0}} {
			if got, err := mapper.MapReduceByKey(t.Context(), ex, numbersEmit, numbersFirst, inputs); len(got) > 0 || err != nil {
				t.Errorf("%v: %v, %v", inputs, got, err)
			}
		}
		// A key alone, in more partitions than there are keys, and in one.
		for _, partitions := range []int{1, 30} {
			got, err := mapper.MapReduceByKey(t.Context(), ex.With(mapper.Options{Partitions: partitions}), numbersEmit, numbersTwice, []int{1, 0, 1})
			if err != nil {
				t.Fatal(err)
			}
			samePairs(t, got, []mapper.Pair[int, []int]{{Key: 0, Value: []int{2, 0}}})
		}
	}
}

var (
	badEmit = mapper.Emit("bad-emit", func(_ context.Context, how string, emit func(string, string)) error {
		for range 20_000 { // more than the buffer
			emit(how, "some value")
		}
		switch how {
		case "error":
			return errors.New("the input is bad")
		case "panic":
			panic("the input is worse")
		}
		return nil
	})
	badReduce = mapper.ReduceByKey("bad-reduce", func(_ context.Context, how string, values iter.Seq[string]) (string, error) {
		for range values {
			if how == "reduce panic" {
				panic("at the first value")
			}
		}
		if how == "reduce error" {
			return "half", errors.New("the values are bad")
		}
		return how, nil
	})
	badCombine = mapper.ReduceByKey("bad-combine", func(_ context.Context, how string, values iter.Seq[string]) (string, error) {
		return how, nil
	}).Combine(func(a, b string) string {
		if a == b {
			panic("they are alike")
		}
		return a + b
	})
	chanEmit = mapper.Emit("chan-emit", func(ctx context.Context, _ string, emit func(string, any)) error {
		emit("good", 1)
		emit("bad", make(chan int))
		if !errors.Is(ctx.Err(), context.Canceled) {
			chanWent.Store(true)
			return nil
		}
		if cause := context.Cause(ctx); !strings.Contains(cause.Error(), "chan int") {
			return cause
		}
		for ctx.Err() == nil {
			emit("good", 1)
		}
		emit("more", make(chan int)) // nothing happens any more
		return ctx.Err()
	})
	chanWent   atomic.Bool
	chanReduce = mapper.ReduceByKey("chan-reduce", func(_ context.Context, _ string, values iter.Seq[any]) (any, error) {
		return make(chan int), nil
	})
	chanFold = mapper.ReduceByKey("chan-fold", func(_ context.Context, _ string, values iter.Seq[any]) (any, error) {
		return 1, nil
	}).Combine(func(a, b any) any { return make(chan int) })
	goodEmit = mapper.Emit("good-emit", func(_ context.Context, key string, emit func(string, any)) error {
		emit(key, 1)
		emit(key, 2)
		return nil
	})
)

// TestByKeyErrors: what a function returns or panics with, and what cannot be encoded, fails the task of that function, at
// once and without pairs. The error says which it was.
func TestByKeyErrors(t *testing.T) {
	t.Parallel()
	ex := overFaults(t).With(mapper.Options{Buffer: 50 << 10, ContinueOnError: true})
	for _, c := range []struct {
		name  string
		run   func() (int, error)
		kind  error
		words []string
	}{
		{"emit error", byKey(t, ex, badEmit, badReduce, "fine", "error"), mapper.ErrFunction, []string{"task 1 of bad-emit failed", "the input is bad"}},
		{"emit panic", byKey(t, ex, badEmit, badReduce, "panic"), mapper.ErrPanic, []string{"task 0 of bad-emit failed: panic: the input is worse"}},
		{"reduce error", byKey(t, ex, badEmit, badReduce, "fine", "reduce error"), mapper.ErrFunction, []string{" of bad-reduce failed", "key reduce error: the values are bad"}},
		{"reduce panic", byKey(t, ex, badEmit, badReduce, "fine", "reduce panic"), mapper.ErrPanic, []string{" of bad-reduce failed: panic: at the first value"}},
		{"combine panic", byKey(t, ex, badEmit, badCombine, "fine"), mapper.ErrPanic, []string{"task 0 of bad-emit failed: panic: they are alike"}},
		{"no encoding", byKey(t, ex, chanEmit, chanReduce, ""), mapper.ErrResult, []string{"task 0 of chan-emit failed", "a value that was emitted could not be encoded", "chan int"}},
		{"no encoding of a result", byKey(t, ex, goodEmit, chanReduce, "k"), mapper.ErrResult, []string{" of chan-reduce failed", "chan int"}},
		{"no encoding of a fold", byKey(t, ex, goodEmit, chanFold, "k"), mapper.ErrResult, []string{"task 0 of good-emit failed", "chan int"}},
	} {
		n, err := c.run()
		mentions(t, err, c.words...)
		task := new(mapper.TaskError)
		if !errors.As(err, &task) || task.Attempts != 1 || !errors.Is(err, c.kind) || n > 0 {
			t.Errorf("%s: %d pairs, %v", c.name, n, err)
		}
		if strings.Count(err.Error(), "mapper: ") != 1 {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if chanWent.Load() {
		t.Error("a function goes on although what it emitted was lost")
	}
}

// byKey returns a job to be run.
func byKey[V, Out any](t *testing.T, ex *mapper.Executor, m mapper.Emitter[string, string, V], r mapper.Reducer[string, V, Out], inputs ...string) func() (int, error) {
	return func() (int, error) {
		pairs, err := mapper.MapReduceByKey(t.Context(), ex, m, r, inputs)
		return len(pairs), err
	}
}

// TestByKeyZero: what was never made is an error that says how to make it.
func TestByKeyZero(t *testing.T) {
	t.Parallel()
	ex := mappertest.New(t)
	_, err := mapper.MapReduceByKey(t.Context(), ex, mapper.Emitter[int, int, int]{}, numbersFirst, []int{1})
	mentions(t, err, "zero Emitter", "mapper.Emit")
	_, err = mapper.MapReduceByKey(t.Context(), ex, numbersEmit, mapper.Reducer[int, int, int]{}, []int{1})
	mentions(t, err, "zero Reducer", "mapper.ReduceByKey")
	_, err = mapper.MapReduceByKey(t.Context(), nil, numbersEmit, numbersFirst, []int{1})
	mentions(t, err, "Executor")
	_, err = mapper.MapReduceByKeyTo(t.Context(), ex, numbersEmit, mapper.Reducer[int, int, int]{}, []int{1}, "mem://zero")
	mentions(t, err, "zero Reducer")
	_, err = mapper.Sort(t.Context(), ex, mapper.Emitter[int, int, []byte]{}, []int{1}, "mem://zero")
	mentions(t, err, "zero Emitter")
}

// TestCombineTooLate: a Combine that workers would not have is refused.
func TestCombineTooLate(t *testing.T) {
	t.Parallel()
	add := func(a, b int) int { return a + b }
	for _, c := range []struct {
		words []string
		call  func()
	}{
		{[]string{"numbers-first", "after mapper.Main"}, func() { numbersFirst.Combine(add) }},
		{[]string{"bad-combine", "has a Combine already"}, func() { badCombine.Combine(func(a, b string) string { return a }) }},
		{[]string{"zero Reducer"}, func() { mapper.Reducer[int, int, int]{}.Combine(add) }},
	} {
		text := panicOf(c.call)
		for _, w := range c.words {
			if !strings.Contains(text, w) {
				t.Errorf("%q does not mention %q", text, w)
			}
		}
	}
}

// panicOf returns what f panics with.
func panicOf(f func()) (text string) {
	defer func() { text = fmt.Sprint(recover()) }()
	f()
	return ""
}
