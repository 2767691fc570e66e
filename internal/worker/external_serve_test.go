package worker_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gowren/gowren/internal/registry"
	"github.com/gowren/gowren/internal/wire"
)

func TestEveryTaskIsAnswered(t *testing.T) {
	echo := register("echo", echo)
	for _, cpus := range []int{1, 4} {
		for _, n := range []int{0, 1, 3, 100} {
			t.Run(fmt.Sprintf("cpus=%d,tasks=%d", cpus, n), func(t *testing.T) {
				w, _ := newWorker(t, cpus)
				var inputs []string
				for i := range n {
					inputs = append(inputs, "in "+strconv.Itoa(i))
				}
				p := serve(t, w, request(echo, inputs...))
				if p.last != wire.TypeEnd || p.end.Ran != n || len(p.results) != n {
					t.Fatalf("last frame %d, %d ran, %d results", p.last, p.end.Ran, len(p.results))
				}
				for i, want := range inputs {
					if p.results[i] != want {
						t.Errorf("result %d is %q, want %q", i, p.results[i], want)
					}
				}
			})
		}
	}
}

func TestRefused(t *testing.T) {
	echo := register("refused", echo)
	whole := wire.AppendRequest(nil, request(echo, "x"))
	change := func(at int, to byte) []byte {
		b := bytes.Clone(whole)
		b[at] = to
		return b
	}
	other := request(echo, "x")
	other.Types = "func(int) int"
	shared := request(echo, "x")
	shared.Shared = wire.Shared{Hash: "00", Data: []byte("x")}
	for _, c := range []struct {
		name  string
		frame []byte
		want  []string
	}{
		{"unknown function", wire.AppendRequest(nil, request("nobody", "x")), []string{`"nobody"`, echo}},
		{"other types", wire.AppendRequest(nil, other), []string{echo, types, "func(int) int", "external_test.go:1"}},
		{"changed", change(len(whole)-1, 'y'), []string{"checksum"}},
		{"cut", whole[:len(whole)-1], []string{"corrupt"}},
		{"empty", nil, []string{"corrupt"}},
		{"not a request", wire.AppendFrame(nil, wire.TypeCancel, nil), []string{"corrupt"}},
		{"bad payload", wire.AppendFrame(nil, wire.TypeRequest, []byte{5, 'x'}), []string{"job"}},
		{"other version", change(4, wire.Version+1), []string{"version"}},
		{"unexpected shared argument", wire.AppendRequest(nil, shared), []string{echo, "shared argument"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w, _ := newWorker(t, 1)
			p := serveFrame(t.Context(), t, w, c.frame, nil)
			if p.last != wire.TypeRefused || len(p.results)+len(p.failed) > 0 {
				t.Errorf("last frame %d, %v, %v", p.last, p.results, p.failed)
			}
			for _, want := range c.want {
				if !strings.Contains(p.refused, want) {
					t.Errorf("the reason %q does not name %q", p.refused, want)
				}
			}
			if p := serve(t, w, request(echo, "again")); p.results[0] != "again" {
				t.Errorf("the next request came to %v", p)
			}
		})
	}
}

// A result is seen while another task blocks, whether it is an earlier task or a later one.
func TestResultsDoNotWait(t *testing.T) {
	for _, c := range []struct {
		cpus   int
		inputs []string
	}{
		{1, []string{"quick", "block"}},
		{2, []string{"quick", "block"}},
		{2, []string{"block", "quick"}},
	} {
		t.Run(fmt.Sprintf("cpus=%d,%v", c.cpus, c.inputs), func(t *testing.T) {
			release := make(chan struct{})
			name := register("block", func(_ context.Context, in registry.Input) ([]byte, error) {
				if string(in.Data) == "block" {
					<-release
				}
				return in.Data, nil
			})
			w, _ := newWorker(t, c.cpus)
			var out recorder
			served := make(chan error)
			go func() { served <- w.Serve(t.Context(), wire.AppendRequest(nil, request(name, c.inputs...)), &out) }()
			for deadline := time.Now().Add(2 * time.Second); len(out.bytes()) == 0; time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					t.Error("a finished result is not sent while another task runs")
					break
				}
			}
			close(release)
			if err := <-served; err != nil {
				t.Error(err)
			}
			if p := decode(t, out.bytes()); len(p.results) != 2 {
				t.Errorf("%d results", len(p.results))
			}
		})
	}
}

func TestSmallResultsAreWrittenTogether(t *testing.T) {
	const n = 10_000
	echo := register("tiny", echo)
	w, _ := newWorker(t, 2)
	var out recorder
	if err := w.Serve(t.Context(), wire.AppendRequest(nil, request(echo, make([]string, n)...)), &out); err != nil {
		t.Fatal(err)
	}
	if p := decode(t, out.bytes()); len(p.results) != n {
		t.Errorf("%d results", len(p.results))
	}
	if out.writes > n/20 {
		t.Errorf("%d writes for %d results", out.writes, n)
	}
}

type brokenWriter struct{ err error }

func (w brokenWriter) Write([]byte) (int, error) { return 0, w.err }

func TestWriteFails(t *testing.T) {
	echo := register("unsent", echo)
	w, _ := newWorker(t, 1)
	broken := errors.New("broken pipe")
	if err := w.Serve(t.Context(), wire.AppendRequest(nil, request(echo, "x")), brokenWriter{broken}); !errors.Is(err, broken) {
		t.Errorf("Serve: %v", err)
	}
	if p := serve(t, w, request(echo, "x")); p.results[0] != "x" {
		t.Errorf("the next request came to %v", p)
	}
}

func TestCancelled(t *testing.T) {
	for _, cpus := range []int{1, 4} {
		ctx, cancel := context.WithCancel(t.Context())
		name := register("cancelled", func(ctx context.Context, in registry.Input) ([]byte, error) {
			if string(in.Data) == "first" {
				return in.Data, nil
			}
			cancel()
			<-ctx.Done()
			return nil, context.Cause(ctx)
		})
		w, _ := newWorker(t, cpus)
		p := serveFrame(ctx, t, w, wire.AppendRequest(nil, request(name, "first", "second", "third")), nil)
		if p.last != wire.TypeEnd || len(p.failed) > 0 || p.results[0] != "first" && cpus == 1 {
			t.Errorf("cpus %d: last frame %d, failed %v, results %v", cpus, p.last, p.failed, p.results)
		}
	}
}

// Tasks that might not end in time are left to another worker.
func TestBudget(t *testing.T) {
	for _, cpus := range []int{1, 2} {
		name := register("budget", func(_ context.Context, in registry.Input) ([]byte, error) {
			time.Sleep(40 * time.Millisecond)
			return in.Data, nil
		})
		w, _ := newWorker(t, cpus)
		r := request(name, make([]string, 40)...)
		r.Budget = 200 * time.Millisecond
		p := serve(t, w, r)
		if p.last != wire.TypeEnd || len(p.failed) > 0 {
			t.Errorf("last frame %d, failed %v", p.last, p.failed)
		}
		if n := len(p.results); n != p.end.Ran || n == 0 || n > 5*cpus {
			t.Errorf("cpus %d: %d results, %d ran", cpus, n, p.end.Ran)
		}
		for i := range len(p.results) {
			if _, ok := p.results[i]; !ok {
				t.Errorf("task %d was not begun, later ones were", i)
			}
		}
	}
}

func TestBudgetAllowsOneTask(t *testing.T) {
	w, _ := newWorker(t, 1)
	r := request(register("late", echo), "a", "b")
	r.Budget = 1
	if p := serve(t, w, r); p.end.Ran != 1 || p.results[0] != "a" {
		t.Errorf("%v", p)
	}
}

func TestCloseAndReuse(t *testing.T) {
	echo := register("reuse", echo)
	w, _ := newWorker(t, 2)
	for range 3 {
		serve(t, w, request("nobody", "x"))
		serve(t, w, request(echo, "a", "b"))
	}
	w.Close()
	w.Close()
	if p := serve(t, w, request(echo, "a", "b")); len(p.results) != 2 {
		t.Errorf("after Close: %v", p)
	}
}
