package worker_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/gowren/gowren/internal/registry"
	"github.com/gowren/gowren/internal/wire"
	"github.com/gowren/gowren/internal/worker"
)

func TestTaskOf(t *testing.T) {
	if _, ok := worker.TaskOf(t.Context()); ok {
		t.Error("a task outside of any")
	}
	var kept context.Context
	name := register("task of", func(ctx context.Context, _ registry.Input) ([]byte, error) {
		kept = ctx
		child, cancel := context.WithCancel(ctx)
		defer cancel()
		task, ok := worker.TaskOf(child)
		return fmt.Appendf(nil, "%v %s %d %d %t", ok, task.Job, task.Index, task.Attempt, strings.HasPrefix(task.Function, "task of-")), nil
	})
	w, _ := newWorker(t, 1)
	r := request(name, "", "")
	r.Tasks[1].Attempt = 3
	p := serve(t, w, r)
	if p.results[0] != "true job 100 1 true" || p.results[1] != "true job 101 3 true" {
		t.Errorf("%v", p.results)
	}
	if task, ok := worker.TaskOf(kept); ok {
		t.Errorf("after the request: %+v", task)
	}
}

func TestDeadline(t *testing.T) {
	name := register("deadline", func(ctx context.Context, in registry.Input) ([]byte, error) {
		time.Sleep(10 * time.Millisecond)
		deadline, ok := ctx.Deadline()
		return fmt.Append(nil, ok, " ", time.Until(deadline).Round(time.Minute)), nil
	})
	w, _ := newWorker(t, 1)
	soon, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	for _, c := range []struct {
		ctx     context.Context
		timeout time.Duration
		want    string
	}{
		{context.Background(), 0, "false"},
		{context.Background(), time.Hour, "true 1h0m0s"},
		{soon, 0, "true 10m0s"},
		{soon, time.Hour, "true 10m0s"},
		{soon, 2 * time.Minute, "true 2m0s"},
	} {
		r := request(name, "", "")
		r.Timeout = c.timeout
		p := serveFrame(c.ctx, t, w, wire.AppendRequest(nil, r), nil)
		for i := range 2 {
			if !strings.HasPrefix(p.results[i], c.want) {
				t.Errorf("time-out %v: %q, want %q", c.timeout, p.results[i], c.want)
			}
		}
	}
}

func TestLogHandler(t *testing.T) {
	w, _ := newWorker(t, 1)
	log := slog.New(w.LogHandler())
	with := log.With("host", "h1").WithGroup("g")
	name := register("log", func(ctx context.Context, in registry.Input) ([]byte, error) {
		child, cancel := context.WithCancel(ctx)
		defer cancel()
		log.InfoContext(child, "hello", "in", string(in.Data))
		with.WarnContext(ctx, "more", "n", 1, "time", "kept")
		log.Error("of no task")
		log.DebugContext(ctx, "below the level")
		return nil, nil
	})
	p := serve(t, w, request(name, "a", "b"))
	var want []wire.Log
	for i, in := range []string{"a", "b"} {
		want = append(want,
			wire.Log{Position: i, Text: "level=INFO msg=hello in=" + in},
			wire.Log{Position: i, Text: "level=WARN msg=more host=h1 g.n=1 g.time=kept"},
			wire.Log{Position: -1, Text: `level=ERROR msg="of no task"`})
	}
	if fmt.Sprint(p.logs) != fmt.Sprint(want) {
		t.Errorf("logged:\n%v\nwant:\n%v", p.logs, want)
	}
}

// Records of tasks at once carry each its own task's position.
func TestLogOfTasksAtOnce(t *testing.T) {
	w, _ := newWorker(t, 4)
	log := slog.New(w.LogHandler())
	name := register("log at once", func(ctx context.Context, in registry.Input) ([]byte, error) {
		for range 5 {
			log.InfoContext(ctx, string(in.Data))
		}
		return nil, nil
	})
	var inputs []string
	for i := range 100 {
		inputs = append(inputs, fmt.Sprint("task", i))
	}
	p := serve(t, w, request(name, inputs...))
	if len(p.logs) != 500 || len(p.results) != 100 {
		t.Fatalf("%d lines, %d results", len(p.logs), len(p.results))
	}
	for _, l := range p.logs {
		if l.Text != "level=INFO msg=task"+fmt.Sprint(l.Position) {
			t.Errorf("%+v", l)
		}
	}
}
