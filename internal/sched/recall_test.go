package sched

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
)

// TestRecallEnds: a job that has ended recalls nothing more, though all of it could be had from elsewhere.
func TestRecallEnds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stopped := errors.New("stopped")
		ctx, cancel := context.WithCancelCause(t.Context())
		recalled := 0
		r := NewRunner(&Job{
			Policy: Policy{Concurrency: 1, CPUs: 1},
			Feed: func(_ context.Context, push func([]byte) bool) error {
				for n := 0; n < 1000 && push(nil); n++ {
					if n == 5 {
						cancel(stopped)
						synctest.Wait()
					}
				}
				return nil
			},
			Recall: func(context.Context, *Slot, *Task) (bool, <-chan struct{}, error) {
				recalled++
				return true, nil, nil
			},
		})
		if err := r.Run(ctx); !errors.Is(err, stopped) || recalled != 6 {
			t.Errorf("%d tasks were recalled: %v", recalled, err)
		}
	})
}
