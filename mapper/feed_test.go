package mapper_test

import (
	"context"
	"errors"
	"iter"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/mapper/mappertest"
)

var feedHalve = mapper.Func("feed-halve", func(_ context.Context, x int) (int, error) {
	if x < 0 {
		return 0, errors.New("it is negative")
	}
	return x / 2, nil
})

var errFeed = errors.New("the file is cut")

// after yields 0 to n-1 and then does what end says.
func after(n int, end func(yield func(int, error) bool)) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		for i := range n {
			if !yield(i, nil) {
				return
			}
		}
		end(yield)
	}
}

// TestIteratorEnds: whatever way an iterator ends, the job ends with it, and nothing else does.
func TestIteratorEnds(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 1000} {
		for name, c := range map[string]struct {
			end   func(yield func(int, error) bool)
			words []string
		}{
			"error": {func(yield func(int, error) bool) { yield(7, errFeed) }, []string{"feed-halve: input", "could not be had: the file is cut"}},
			"panic": {func(func(int, error) bool) { panic("the reader is nil") }, []string{"panicked: the reader is nil", "feed_test.go"}},
			"exit":  {func(func(int, error) bool) { runtime.Goexit() }, []string{"runtime.Goexit"}},
		} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				job, err := mapper.Start(t.Context(), mappertest.New(t), feedHalve, after(n, c.end))
				if err != nil {
					t.Fatal(err)
				}
				var last error
				for _, err := range job.Results() {
					last = err
				}
				mentions(t, last, c.words...)
				if name == "error" && !errors.Is(last, errFeed) {
					t.Errorf("%v does not wrap the iterator's error", last)
				}
			})
		}
	}
}

// TestIteratorOfFailures: what an iterator meets is the job's error whatever its type, that of another job's included.
func TestIteratorOfFailures(t *testing.T) {
	t.Parallel()
	ex := mappertest.New(t)
	_, other := mapper.Map(t.Context(), ex.With(mapper.Options{ContinueOnError: true}), feedHalve, []int{-1, 1})
	var all *mapper.JobError
	if !errors.As(other, &all) {
		t.Fatal(other)
	}
	job, err := mapper.Start(t.Context(), ex, feedHalve, after(3, func(yield func(int, error) bool) { yield(0, other) }))
	if err != nil {
		t.Fatal(err)
	}
	var last error
	for _, err := range job.Results() {
		last = err
	}
	mentions(t, last, "could not be had", "it is negative")

	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(other)
	if got, err := mapper.Map(ctx, ex, feedHalve, []int{1}); got != nil || !errors.Is(err, other) {
		t.Errorf("%v, %v", got, err)
	}
}

// TestIteratorStops: an iterator is told when nothing more is wanted, and what it does in the end is done before the job
// has ended.
func TestIteratorStops(t *testing.T) {
	t.Parallel()
	var closed atomic.Bool
	inputs := func(yield func(int, error) bool) {
		defer closed.Store(true)
		for i := 0; yield(-i, nil); i++ {
		}
	}
	job, err := mapper.Start(t.Context(), mappertest.New(t), feedHalve, inputs)
	if err != nil {
		t.Fatal(err)
	}
	mentions(t, job.Wait(), "it is negative")
	if !closed.Load() {
		t.Error("the job ended before its iterator did")
	}
}

// loop yields first, and then what comes of each result, for as long as it is not zero.
type loop struct {
	first int
	next  chan int
}

func (l loop) inputs(yield func(int, error) bool) {
	for x, ok := l.first, true; ok && x != 0; x, ok = <-l.next {
		if !yield(x, nil) {
			return
		}
	}
}

// TestFeedback: an iterator may wait for the results of earlier inputs.
func TestFeedback(t *testing.T) {
	t.Parallel()
	for _, backend := range []string{"inproc", "local://?workers=2"} {
		l := loop{1 << 20, make(chan int)}
		job, err := mapper.Start(t.Context(), open(t, backend), feedHalve, l.inputs)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for r, err := range job.Results() {
			if err != nil {
				t.Fatal(err)
			}
			n++
			l.next <- r.Value
		}
		if n != 21 {
			t.Errorf("%d results, want 21", n)
		}
	}
}

// TestFeedbackFails: when the result that the iterator waits for never comes, the job ends all the same, and its reader
// learns why.
func TestFeedbackFails(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]func(context.CancelFunc){
		"a task":  func(context.CancelFunc) {},
		"context": func(cancel context.CancelFunc) { cancel() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // beyond it, the test has failed
			defer cancel()
			first := map[string]int{"a task": -1, "context": 5}[name]
			l := loop{first, make(chan int)}
			job, err := mapper.Start(ctx, mappertest.New(t), feedHalve, l.inputs)
			if err != nil {
				t.Fatal(err)
			}
			var last error
			for _, err := range job.Results() {
				if last = err; err == nil {
					stop(cancel) // and the iterator is not told
				}
			}
			mentions(t, last, "feed-halve")
			if errors.Is(last, context.DeadlineExceeded) {
				t.Error("it waits for ever")
			}
			close(l.next) // the iterator that was left behind ends
		})
	}
}
