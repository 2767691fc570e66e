package mapper_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/gowren/gowren/mapper"
)

var closeBlocks = mapper.Func("close-blocks", func(ctx context.Context, i int) (int, error) {
	<-ctx.Done()
	return i, context.Cause(ctx)
})

// TestClosed: an executor that was closed, or one that shares its core, runs no more jobs.
func TestClosed(t *testing.T) {
	t.Parallel()
	ex, err := mapper.Open(t.Context(), mapper.Config{Backend: "inproc", Storage: "mem://closed"})
	if err != nil {
		t.Fatal(err)
	}
	other := ex.With(mapper.Options{Retries: 1})
	if err := other.Close(); err != nil {
		t.Fatal(err)
	}
	for _, ex := range []*mapper.Executor{ex, other, ex.With(mapper.Options{Quiet: true})} {
		for name, call := range calls {
			for _, inputs := range [][]int{{1, 2}, {1}} {
				t.Run(name, func(t *testing.T) { mentions(t, call(t, ex, zeroSquare, inputs), "executor is closed") })
			}
		}
		if err := ex.Close(); err != nil {
			t.Errorf("closing again: %v", err)
		}
	}
}

// TestCloseRunning: jobs end with an error, all calls of Close return when they have, and nobody needs to read a job's
// results for that.
func TestCloseRunning(t *testing.T) {
	t.Parallel()
	for _, backend := range []string{"inproc://?workers=2", "local://?workers=2"} {
		t.Run(backend, func(t *testing.T) {
			t.Parallel()
			ex, err := mapper.Open(t.Context(), mapper.Config{Backend: backend, Storage: "file://" + t.TempDir()})
			if err != nil {
				t.Fatal(err)
			}
			job, err := mapper.Start(t.Context(), ex, closeBlocks, mapper.Inputs(values(ints(3))))
			if err != nil {
				t.Fatal(err)
			}
			mapped := make(chan error, 1)
			go func() {
				_, err := mapper.Map(context.WithoutCancel(t.Context()), ex, closeBlocks, ints(3))
				mapped <- err
			}()
			for job.Stats().Invocations == 0 {
				time.Sleep(time.Millisecond)
			}
			time.Sleep(20 * time.Millisecond)
			var all sync.WaitGroup
			for range 4 {
				all.Go(func() {
					if err := ex.Close(); err != nil {
						t.Error(err)
					}
					if job.Stats().Ended.IsZero() {
						t.Error("Close returns while a job runs")
					}
				})
			}
			all.Wait()
			mentions(t, job.Wait(), "close-blocks", "executor was closed")
			mentions(t, <-mapped, "executor")
			var failed *mapper.TaskError
			if errors.As(job.Wait(), &failed) {
				t.Errorf("a task is blamed for it: %v", failed)
			}
		})
	}
}
