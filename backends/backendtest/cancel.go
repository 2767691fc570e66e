package backendtest

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/gowren/gowren/mapper"
)

// cancelCases: cancelling the context ends the job and its work, wherever they are.
var cancelCases = []testCase{
	{name: "cancel/before", run: func(t *testing.T, h *harness) {
		ctx, cancel := context.WithCancel(t.Context())
		ex := h.executor(t, mapper.Options{})
		cancel()
		got, err := mapper.Map(ctx, ex, echo, ints(10))
		if !errors.Is(err, context.Canceled) {
			t.Errorf("results %v, error %v, want context.Canceled", got, err)
		}
	}},
	{name: "cancel/queueing", run: func(t *testing.T, h *harness) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		job, err := mapper.Start(ctx, h.executor(t, mapper.Options{}), echo, mapper.Inputs(seq(1<<40)))
		if err != nil {
			t.Fatal(err)
		}
		for _, err := range job.Results() {
			if err != nil {
				t.Error(err)
			}
			break
		}
		cancel()
		if err := job.Wait(); !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want context.Canceled", err)
		}
	}},
	{name: "cancel/task that honours it", cancels: true, run: func(t *testing.T, h *harness) {
		h.wantCancelled(t, h.executor(t, mapper.Options{BatchSize: 1}), slices.Repeat([]order{{What: "obey", Dir: h.dir}}, 10), nil)
		// The workers are at rest, and serve again.
		if got, err := mapper.Map(t.Context(), h.ex, echo, ints(10)); err != nil || len(got) != 10 {
			t.Errorf("results %v, %v after a cancelled job", got, err)
		}
	}},
	{name: "cancel/task that ignores it", cancels: true, isolates: true, run: func(t *testing.T, h *harness) {
		for _, what := range []string{"ignore", "spin"} {
			h.wantCancelled(t, h.executor(t, mapper.Options{BatchSize: 1}), slices.Repeat([]order{{What: what, Dir: h.dir}}, 3), nil)
		}
		awaitGone(t, h.marks(t, "begun")...)
		if got, err := mapper.Map(t.Context(), h.ex, echo, ints(10)); err != nil || len(got) != 10 {
			t.Errorf("results %v, %v after a cancelled job", got, err)
		}
	}},
	{name: "cancel/deadline", cancels: true, run: func(t *testing.T, h *harness) {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		_, err := mapper.Map(ctx, h.executor(t, mapper.Options{}), do, []order{{What: "obey", Dir: h.dir}})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v, want context.DeadlineExceeded", err)
		}
	}},
	{name: "cancel/cause", cancels: true, run: func(t *testing.T, h *harness) {
		h.wantCancelled(t, h.executor(t, mapper.Options{}), []order{{What: "obey", Dir: h.dir}}, errTask)
	}},
	{name: "cancel/upload", run: func(t *testing.T, h *harness) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		inputs := slices.Repeat([]order{{What: "data given", Data: pattern(4 << 20)}}, 10)
		done := make(chan error, 1)
		ex := h.executor(t, mapper.Options{BatchSize: 5})
		go func() {
			_, err := mapper.Map(ctx, ex, do, inputs)
			done <- err
		}()
		if h.waitObject(t) {
			cancel()
		}
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("error %v, want context.Canceled", err)
		}
		h.wantEmpty(t)
	}},
	{name: "cancel/results in the bucket", cancels: true, run: func(t *testing.T, h *harness) {
		inputs := append(slices.Repeat([]order{{What: "data", N: 2 << 20}}, 4), order{What: "obey", Dir: h.dir})
		h.wantCancelled(t, h.executor(t, mapper.Options{BatchSize: 5}), inputs, nil)
		h.wantEmpty(t)
	}},
	{name: "cancel/close", cancels: true, run: func(t *testing.T, h *harness) {
		ex := h.executor(t, mapper.Options{BatchSize: 1})
		done := make(chan error, 2)
		for range cap(done) {
			go func() {
				_, err := mapper.Map(t.Context(), ex, do, []order{{What: "obey", Dir: h.dir}})
				done <- err
			}()
		}
		h.awaitMarks(t, "begun", 2)
		if err := ex.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		for range cap(done) {
			if err := <-done; err == nil {
				t.Error("a job of a closed executor ended without an error")
			}
		}
		if _, err := mapper.Map(t.Context(), ex, echo, ints(3)); err == nil {
			t.Error("a closed executor runs a job")
		}
	}},
}

// wantCancelled cancels a job once a task has begun, and checks that it ends soon, with the cause where one was given.
func (h *harness) wantCancelled(t *testing.T, ex *mapper.Executor, inputs []order, cause error) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	before := len(h.marks(t, "begun"))
	done := make(chan error, 1)
	go func() {
		_, err := mapper.Map(ctx, ex, do, inputs)
		done <- err
	}()
	h.awaitMarks(t, "begun", before+1)
	cancel(cause)
	want := cause
	if want == nil {
		want = context.Canceled
	}
	select {
	case err := <-done:
		if !errors.Is(err, want) {
			t.Errorf("error %v, want %v", err, want)
		}
		if errors.As(err, new(*mapper.TaskError)) {
			t.Errorf("error %v blames a task for the cancellation", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("a cancelled job does not end")
	}
}
