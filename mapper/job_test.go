package mapper_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/mapper/mappertest"
)

var (
	jobDouble = mapper.Func("job-double", func(_ context.Context, x int) (int, error) { return 2 * x, nil })
	jobOdd    = mapper.Func("job-odd", func(_ context.Context, x int) (int, error) {
		if x%2 == 1 {
			return 0, fmt.Errorf("%d is odd", x)
		}
		return x, nil
	})
)

// start starts a job over 0 to n-1.
func start(t *testing.T, ctx context.Context, ex *mapper.Executor, f mapper.Function[int, int], n int) *mapper.Job[int] { //nolint:revive // t comes first in tests
	t.Helper()
	job, err := mapper.Start(ctx, ex, f, mapper.Inputs(values(ints(n))))
	if err != nil {
		t.Fatal(err)
	}
	return job
}

// endless yields 0, 1, 2, … for as long as it is asked.
func endless(yield func(int) bool) {
	for i := 0; yield(i); i++ {
	}
}

// TestResults: each result comes once, with the index of its input.
func TestResults(t *testing.T) {
	t.Parallel()
	for _, backend := range []string{"inproc://?workers=3", "local://?workers=2"} {
		const n = 20_000
		job := start(t, t.Context(), open(t, backend), jobDouble, n)
		seen := make([]bool, n)
		for r, err := range job.Results() {
			if err != nil {
				t.Fatal(err)
			}
			if r.Value != 2*r.Index || seen[r.Index] {
				t.Fatalf("%+v, seen before: %v", r, seen[r.Index])
			}
			seen[r.Index] = true
		}
		for i, ok := range seen {
			if !ok {
				t.Fatalf("no result %d", i)
			}
		}
		for r, err := range job.Results() { // nothing is left
			t.Errorf("%+v, %v came a second time", r, err)
		}
		if err := job.Wait(); err != nil {
			t.Error(err)
		}
	}
}

// TestResultsConcurrently: two readers share the results, each of which goes to one.
func TestResultsConcurrently(t *testing.T) {
	t.Parallel()
	const n = 5000
	job := start(t, t.Context(), mappertest.New(t), jobDouble, n)
	var readers sync.WaitGroup
	var mu sync.Mutex
	times := make([]int, n)
	for range 3 {
		readers.Go(func() {
			for r, err := range job.Results() {
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				times[r.Index]++
				mu.Unlock()
			}
		})
	}
	readers.Wait()
	for i, n := range times {
		if n != 1 {
			t.Fatalf("result %d came %d times", i, n)
		}
	}
}

// TestResultsContinue: failed tasks are yielded as they come, each with its index, and the end is no further error.
func TestResultsContinue(t *testing.T) {
	t.Parallel()
	ex := mappertest.New(t).With(mapper.Options{ContinueOnError: true})
	job := start(t, t.Context(), ex, jobOdd, 501)
	good, bad := 0, 0
	for r, err := range job.Results() {
		if err == nil {
			good++
			continue
		}
		bad++
		var one *mapper.TaskError
		if !errors.As(err, &one) || one.Index != r.Index || one.Index%2 != 1 || one.Message != fmt.Sprintf("%d is odd", r.Index) {
			t.Errorf("result %d: %v", r.Index, err)
		}
	}
	if good != 251 || bad != 250 {
		t.Errorf("%d results and %d failures", good, bad)
	}
	var all *mapper.JobError
	if err := job.Wait(); !errors.As(err, &all) || all.Failed != 250 {
		t.Errorf("%v does not tell of 250 failures", err)
	}
}

// TestResultsFail: the error is the last that is yielded, also to one who asks later.
func TestResultsFail(t *testing.T) {
	t.Parallel()
	job := start(t, t.Context(), mappertest.New(t), jobOdd, 1000)
	for range 2 {
		var last error
		for r, err := range job.Results() {
			if last != nil {
				t.Fatal("something follows the error")
			}
			if last = err; err != nil && r.Index != -1 {
				t.Errorf("the job's error has the index %d", r.Index)
			}
		}
		var one *mapper.TaskError
		if !errors.As(last, &one) || one.Index%2 != 1 {
			t.Errorf("%v is not a failed task", last)
		}
	}
}

// TestWaitAlone: results that nobody reads are dropped.
func TestWaitAlone(t *testing.T) {
	t.Parallel()
	job := start(t, t.Context(), mappertest.New(t), jobDouble, 10_000)
	if err := job.Wait(); err != nil {
		t.Error(err)
	}
	if err := start(t, t.Context(), mappertest.New(t), jobDouble, 0).Wait(); err != nil {
		t.Errorf("no inputs: %v", err)
	}
}

// TestCancel ends a job of endless inputs: while it is read, when its reader has left, and a second time.
func TestCancel(t *testing.T) {
	t.Parallel()
	for _, backend := range []string{"inproc://?workers=2", "local://?workers=2"} {
		job, err := mapper.Start(t.Context(), open(t, backend), jobDouble, mapper.Inputs(endless))
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, err := range job.Results() {
			if n++; err != nil || n == 3000 {
				break
			}
		}
		var all sync.WaitGroup
		for range 3 {
			all.Go(job.Cancel)
		}
		all.Wait()
		job.Cancel()
		if err := job.Wait(); !errors.Is(err, context.Canceled) {
			t.Errorf("%v is no cancellation", err)
		}
		mentions(t, job.Wait(), "job-double", "the job was cancelled")
	}
}

// TestCancelLate: what has ended stays as it ended.
func TestCancelLate(t *testing.T) {
	t.Parallel()
	job := start(t, t.Context(), mappertest.New(t), jobDouble, 10)
	if err := job.Wait(); err != nil {
		t.Fatal(err)
	}
	job.Cancel()
	if err := job.Wait(); err != nil {
		t.Errorf("cancelled after its end: %v", err)
	}
}

// TestContextUnread: a context ends the job even while nobody reads its results.
func TestContextUnread(t *testing.T) {
	t.Parallel()
	reason := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	job, err := mapper.Start(ctx, mappertest.New(t), jobDouble, mapper.Inputs(endless))
	if err != nil {
		t.Fatal(err)
	}
	for job.Progress().Done < 1024 { // as many as wait to be read
		time.Sleep(time.Millisecond)
	}
	cancel(reason)
	for job.Stats().Ended.IsZero() {
		time.Sleep(time.Millisecond)
	}
	if err := job.Wait(); !errors.Is(err, reason) {
		t.Errorf("%v, want %v", err, reason)
	}
}
