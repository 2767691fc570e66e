package worker

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/gowren/gowren/internal/registry"
	"github.com/gowren/gowren/internal/wire"
)

// TestRanIsCountedAnew: what an earlier, larger request ran does not count for a later one.
func TestRanIsCountedAnew(t *testing.T) {
	register(t, echo)
	w, _ := newWorker(t, 4)
	for _, n := range []int{40, 1, 0, 3} {
		serve(t, w, request(t, make([]string, n)...)).want(t, n)
	}
}

// TestTasksAtOnce: as many tasks run at once as the worker has CPUs.
func TestTasksAtOnce(t *testing.T) {
	var both sync.WaitGroup
	both.Add(3)
	register(t, func(context.Context, any, registry.Input) ([]byte, error) {
		both.Done()
		both.Wait() // for the others
		return nil, nil
	})
	w, _ := newWorker(t, 3)
	serve(t, w, request(t, "", "", "")).want(t, 3)
}

// TestDamagedRequests: a request that differs in any byte, or is cut anywhere, is refused.
func TestDamagedRequests(t *testing.T) {
	register(t, echo)
	w, _ := newWorker(t, 1)
	whole := wire.AppendRequest(nil, request(t, "x"))
	for i := range whole {
		changed := slices.Clone(whole)
		changed[i] ^= 0x41
		for _, body := range [][]byte{changed, whole[:i]} {
			var out bytes.Buffer
			if err := w.Serve(t.Context(), body, &out); err != nil {
				t.Fatal(err)
			}
			if got := decode(t, &out); got.last != wire.TypeRefused {
				t.Fatalf("a request that differs at byte %d is served: %+v", i, got)
			}
		}
	}
}
