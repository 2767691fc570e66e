package backendtest

import (
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
