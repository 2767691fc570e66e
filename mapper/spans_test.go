package mapper

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/gowren/gowren/internal/sched"
	"github.com/gowren/gowren/internal/wire"
)

// spanned returns a collector that was told of n invocations of so many workers, in turn, a second after the other, each of
// three tasks. Every one of a worker is a copy where mixed.
func spanned(n, workers int, mixed bool) *collector {
	begin := time.Now()
	c := newCollector(nil, begin)
	for i := range n {
		at := begin.Add(time.Duration(i) * time.Second)
		copied := mixed && i/workers%2 == 1
		b := &sched.Batch{Tasks: make([]sched.Task, 3), Begun: at, Copy: copied}
		c.ended("f", &sched.Report{Batch: b, Started: at, Ended: at.Add(time.Second), End: &wire.End{Worker: fmt.Sprint(i % workers)}})
	}
	return c
}

// TestSpansAreBounded: however many invocations and workers there are, spans are few, and stand for all tasks as long as
// there is one for each worker.
func TestSpansAreBounded(t *testing.T) {
	t.Parallel()
	const n, workers = 100_000, 16_000
	c := spanned(n, workers, false)
	sum, seen := 0, map[int]bool{}
	for _, s := range c.spans {
		sum += s.Tasks
		seen[s.Worker] = true
	}
	if len(c.spans) > maxSpans || sum != 3*n || len(seen) != workers || !c.merged || c.dropped != 0 {
		t.Errorf("%d spans of %d tasks and %d workers, %d dropped", len(c.spans), sum, len(seen), c.dropped)
	}
}

// TestLastSpansStay: where spans cannot be merged, those that ended last are kept, of whatever worker.
func TestLastSpansStay(t *testing.T) {
	t.Parallel()
	const n, workers = 100_000, 16_000
	c := spanned(n, workers, true)
	if len(c.spans) > maxSpans || len(c.spans) < maxSpans/2 || int64(len(c.spans))+c.dropped != n || c.merged {
		t.Fatalf("%d spans, %d dropped, merged: %t", len(c.spans), c.dropped, c.merged)
	}
	first := slices.MinFunc(c.spans, func(a, b Span) int { return int(a.Ended - b.Ended) })
	if want := time.Duration(c.dropped+1) * time.Second; first.Ended != want {
		t.Errorf("the first that is kept ended after %v, and %d were dropped", first.Ended, c.dropped)
	}
}
