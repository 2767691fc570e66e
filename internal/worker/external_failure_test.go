package worker_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/registry"
	"github.com/gowren/gowren/internal/wire"
	"github.com/gowren/gowren/internal/worker"
)

type nilError struct{ text string }

func (e *nilError) Error() string { return e.text }

type exitError struct{}

func (exitError) Error() string { runtime.Goexit(); return "" }

type againError struct{}

func (againError) Error() string   { return "come again" }
func (againError) Retryable() bool { return true }

func misbehave(_ context.Context, in registry.Input) ([]byte, error) {
	switch string(in.Data) {
	case "error":
		return nil, errors.New("no good")
	case "again":
		return nil, fmt.Errorf("wrapped: %w", againError{})
	case "decode":
		return nil, &registry.DecodeError{Err: errors.New("no input")}
	case "encode":
		return nil, &registry.EncodeError{Err: errors.New("no result")}
	case "panic":
		panic("boom")
	case "panic nil":
		panic(nil)
	case "goexit":
		runtime.Goexit()
	case "nil error":
		return nil, (*nilError)(nil)
	case "exit error":
		return nil, exitError{}
	}
	return in.Data, nil
}

func TestFailures(t *testing.T) {
	name := register("misbehave", misbehave)
	cases := []struct {
		input string
		want  wire.Failure
		stack bool
	}{
		{"error", wire.Failure{Cause: wire.CauseError, Message: "no good"}, false},
		{"again", wire.Failure{Cause: wire.CauseError, Message: "wrapped: come again", Again: true}, false},
		{"decode", wire.Failure{Cause: wire.CauseInput, Message: "no input"}, false},
		{"encode", wire.Failure{Cause: wire.CauseResult, Message: "no result"}, false},
		{"panic", wire.Failure{Cause: wire.CausePanic, Message: "boom"}, true},
		{"panic nil", wire.Failure{Cause: wire.CausePanic, Message: "panic called with nil"}, true},
		{"goexit", wire.Failure{Cause: wire.CausePanic, Message: "runtime.Goexit"}, true},
		{"nil error", wire.Failure{Cause: wire.CausePanic, Message: "nil pointer"}, false},
		{"exit error", wire.Failure{Cause: wire.CausePanic, Message: "runtime.Goexit"}, false},
	}
	var inputs []string
	for _, c := range cases {
		inputs = append(inputs, c.input, "fine")
	}
	for _, cpus := range []int{1, 4} {
		w, _ := newWorker(t, cpus)
		for range 2 { // the goroutines that take over serve the next request too
			p := serve(t, w, request(name, inputs...))
			if p.last != wire.TypeEnd || p.end.Ran != len(inputs) || len(p.results) != len(cases) {
				t.Errorf("cpus %d: last frame %d, %d ran, %d results", cpus, p.last, p.end.Ran, len(p.results))
			}
			for i, c := range cases {
				f := p.failed[2*i]
				if f.Cause != c.want.Cause || f.Again != c.want.Again || !strings.Contains(f.Message, c.want.Message) {
					t.Errorf("%s: %+v", c.input, f)
				}
				if c.stack && !strings.Contains(f.Stack, "worker_test.misbehave") {
					t.Errorf("%s: the stack does not name the function:\n%s", c.input, f.Stack)
				}
			}
		}
	}
}

func TestTimeoutHonoured(t *testing.T) {
	var cause error
	name := register("slow", func(ctx context.Context, in registry.Input) ([]byte, error) {
		if string(in.Data) == "slow" {
			<-ctx.Done()
			cause = context.Cause(ctx)
			return nil, ctx.Err()
		}
		return in.Data, ctx.Err()
	})
	for _, cpus := range []int{1, 4} {
		w, _ := newWorker(t, cpus)
		r := request(name, "a", "slow", "b", "c")
		r.Timeout = 100 * time.Millisecond
		p := serve(t, w, r)
		if p.last != wire.TypeEnd || p.end.Ran != 4 || len(p.results) != 3 {
			t.Errorf("last frame %d, %d ran, results %v", p.last, p.end.Ran, p.results)
		}
		if f := p.failed[1]; f.Cause != wire.CauseTimeout || !f.Again || !strings.Contains(f.Message, "100ms") {
			t.Errorf("%+v", f)
		}
		if !errors.Is(cause, backends.ErrTimeout) {
			t.Errorf("the context's cause is %v", cause)
		}
	}
}

func TestResultInTheGraceCounts(t *testing.T) {
	name := register("just in time", func(ctx context.Context, _ registry.Input) ([]byte, error) {
		<-ctx.Done()
		return []byte("after all"), nil
	})
	w, _ := newWorker(t, 1)
	r := request(name, "a", "b")
	r.Timeout = 20 * time.Millisecond
	if p := serve(t, w, r); p.last != wire.TypeEnd || p.results[0] != "after all" || p.results[1] != "after all" {
		t.Errorf("%v", p)
	}
}

func ignoreContext(release chan struct{}) { <-release }

func TestTimeoutIgnored(t *testing.T) {
	for _, cpus := range []int{1, 2} {
		release := make(chan struct{})
		name := register("stuck", func(_ context.Context, in registry.Input) ([]byte, error) {
			if string(in.Data) == "stuck" {
				ignoreContext(release)
			}
			return in.Data, nil
		})
		w, _ := newWorker(t, cpus)
		r := request(name, "a", "stuck", "b")
		r.Timeout = 30 * time.Millisecond
		p := serveFrame(t.Context(), t, w, wire.AppendRequest(nil, r), worker.ErrLeave)
		if p.last != wire.TypeLeave || p.results[0] != "a" {
			t.Errorf("last frame %d, results %v", p.last, p.results)
		}
		f := p.failed[1]
		if f.Cause != wire.CauseTimeout || !f.Again || !strings.Contains(f.Message, "30ms") {
			t.Errorf("cause %d, %q", f.Cause, f.Message)
		}
		if !strings.Contains(f.Stack, "worker_test.ignoreContext") || strings.Contains(f.Stack, "testing.tRunner") {
			t.Errorf("not the stack of the task's goroutine:\n%s", f.Stack)
		}
		if w.Left() != 1 {
			t.Errorf("%d requests left", w.Left())
		}
		// In the driver's process, the worker goes on.
		if p := serve(t, w, request(name, "x", "y")); len(p.results) != 2 {
			t.Errorf("the next request came to %v", p)
		}
		close(release)
		await(t, "the stuck task's end", func() bool { return w.Left() == 0 })
	}
}

func TestCancelIgnored(t *testing.T) {
	release := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	name := register("stuck", func(context.Context, registry.Input) ([]byte, error) {
		cancel()
		<-release
		return nil, nil
	})
	w, _ := newWorker(t, 1)
	p := serveFrame(ctx, t, w, wire.AppendRequest(nil, request(name, "a", "b")), worker.ErrLeave)
	if p.last != wire.TypeLeave || p.end.Ran != 1 || len(p.failed) > 0 {
		t.Errorf("%v", p)
	}
	close(release)
	await(t, "the stuck task's end", func() bool { return w.Left() == 0 })
}
