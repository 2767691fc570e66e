package backendtest

import (
	"slices"
	"testing"
	"time"

	"github.com/gowren/gowren/mapper"
)

// crashCases: a task that takes its worker along hurts nothing else.
var crashCases = []testCase{
	{name: "crashes/told", isolates: true, run: func(t *testing.T, h *harness) {
		for _, f := range []failure{
			{what: "goroutine", kind: mapper.ErrWorkerLost, says: "a task's panic", stack: "functions.go"},
			{what: "exit", kind: mapper.ErrWorkerLost, says: "exit status 3"},
			{what: "kill", kind: mapper.ErrWorkerLost, says: "killed"},
		} {
			h.wantFailure(t, f, mapper.Options{Retries: -1})
		}
		h.wantFailure(t, failure{what: "exit", kind: mapper.ErrWorkerLost, says: "exit status 3", attempts: 3}, mapper.Options{})
	}},
	{name: "crashes/time-out ignored", isolates: true, run: func(t *testing.T, h *harness) {
		o := mapper.Options{Retries: -1, Timeout: 200 * time.Millisecond}
		h.wantFailure(t, failure{what: "ignore", kind: mapper.ErrTimeout, says: "did not return", stack: "functions.go"}, o)
		h.wantFailure(t, failure{what: "spin", kind: mapper.ErrTimeout, says: "did not return", stack: "functions.go"}, o)
		awaitGone(t, h.awaitMarks(t, "begun", 2)...)
	}},
	{name: "crashes/memory", isolates: true, run: func(t *testing.T, h *harness) {
		if h.options.MemoryMB == 0 {
			t.Skip("workers have no memory limit")
		}
		f := failure{what: "fill", n: 4 * h.options.MemoryMB, kind: mapper.ErrOutOfMemory, says: "out of memory"}
		h.wantFailure(t, f, mapper.Options{Retries: -1})
		f.kind = mapper.ErrWorkerLost
		h.wantFailure(t, f, mapper.Options{Retries: -1})
	}},
	{name: "crashes/neighbours", isolates: true, run: func(t *testing.T, h *harness) {
		h.wantNeighbours(t, 1000, []string{"exit", "goroutine", "panic"}, mapper.Options{BatchSize: 1000, Retries: -1})
		h.wantNeighbours(t, 100, []string{"kill", "exit", "error"}, mapper.Options{BatchSize: 7})
	}},
	{name: "crashes/neighbours of a time-out", isolates: true, run: func(t *testing.T, h *harness) {
		o := mapper.Options{BatchSize: 100, Retries: -1, Timeout: 400 * time.Millisecond}
		h.wantNeighbours(t, 300, []string{"ignore", "spin", "obey"}, o)
	}},
	{name: "crashes/late", isolates: true, cancels: true, run: func(t *testing.T, h *harness) {
		orders := slices.Repeat([]order{{}}, 40)
		orders[11] = order{What: "hang once", Dir: h.dir, N: 11}
		job, err := mapper.Start(t.Context(), h.executor(t, mapper.Options{BatchSize: 1, Retries: -1}), do, mapper.Inputs(slices.Values(orders)))
		if err != nil {
			t.Fatal(err)
		}
		seen := map[int]int{}
		for r, err := range job.Results() { // without a copy, they would not end
			if err != nil || r.Value.N != orders[r.Index].N {
				t.Fatalf("%+v, %v", r, err)
			}
			seen[r.Index]++
		}
		if s := job.Stats(); len(seen) != len(orders) || seen[11] != 1 || s.Copies < 1 || s.Done != int64(len(orders)) || s.WorkersLost > 0 {
			t.Errorf("%d results, %d of the late one; %+v", len(seen), seen[11], s)
		}
		h.awaitMarks(t, "told", 1) // the slower one has stopped
	}},
	{name: "crashes/bucket empty", isolates: true, run: func(t *testing.T, h *harness) {
		inputs := []order{{N: 1}, {What: "data, then kill", N: 8 << 20, Dir: h.folder}, {What: "data", N: 2 << 20}}
		_, err := mapper.Map(t.Context(), h.executor(t, mapper.Options{BatchSize: 1}), do, inputs)
		t.Logf("the job ends: %v", err)      // the worker may have been done by then
		if err := h.ex.Close(); err != nil { // which sweeps the file that a dead worker was writing
			t.Error(err)
		}
		h.wantEmpty(t)
	}},
}
