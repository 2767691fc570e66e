package process

import (
	"context"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/wire"
)

// TestCalls: requests in a row, of any size, are answered by one process.
func TestCalls(t *testing.T) {
	t.Parallel()
	c := worker(t, Config{})
	pid := strconv.Itoa(c.PID())
	if got := mustCall(t, c, "pid"); !slices.Equal(got, []string{pid}) {
		t.Fatalf("process %s answers, started was %s", got, pid)
	}
	for i := range 500 {
		want := []string{"a", "", strconv.Itoa(i)}
		if got := mustCall(t, c, "echo", want...); !slices.Equal(got, want) {
			t.Fatalf("request %d: %q", i, got)
		}
	}
	large := strings.Repeat("0123456789", 5<<20/10)
	if got := mustCall(t, c, "echo", "x", large, "y"); len(got) != 3 || got[0] != "x" || got[1] != large || got[2] != "y" {
		t.Errorf("the large request came back as %d results", len(got))
	}
	if got := mustCall(t, c, "pid"); got[0] != pid {
		t.Errorf("process %s answers, not %s", got, pid)
	}
}

// TestCallCancelled: a function that stops when it is told to keeps its worker, again and again; one that does not is
// killed soon. The caller sees its own cancellation.
func TestCallCancelled(t *testing.T) {
	t.Parallel()
	c := worker(t, Config{})
	for range 20 {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := call(ctx, c, cancel, "slow")
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("error %v, want context.Canceled", err)
		}
		if got := mustCall(t, c, "pid"); got[0] != strconv.Itoa(c.PID()) {
			t.Fatalf("process %s answers, not %d", got, c.PID())
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	var begun time.Time
	_, err := call(ctx, c, func() { begun = time.Now(); cancel() }, "stubborn")
	took := time.Since(begun)
	if !errors.Is(err, context.Canceled) || errors.As(err, new(*backends.LostError)) {
		t.Errorf("error %v, want context.Canceled alone", err)
	}
	if c.Alive() || took > 1500*time.Millisecond {
		t.Errorf("after %v: alive %t", took, c.Alive())
	}
}

// TestCancelCrosses: a cancellation that crosses with the end of a reply, and is followed at once by a request, leaves
// the worker at work. The first half of a reply's life has no watch in the worker, the second has.
func TestCancelCrosses(t *testing.T) {
	t.Parallel()
	c := worker(t, Config{})
	for i := range 300 {
		ctx, cancel := context.WithCancel(t.Context())
		function, data := "echo", "x"
		if i%2 == 1 {
			function, data = "nap", (watchAfter + time.Duration(i-150)*5*time.Microsecond).String()
		}
		r, err := c.Invoke(ctx, request(function, data))
		if err != nil {
			t.Fatal(err)
		}
		cancelled := make(chan struct{})
		switch i % 3 {
		case 0: // before the reply is read, and most likely complete in the worker
			cancel()
			close(cancelled)
		case 1: // as the reply's end arrives
			if _, err := r.Read(make([]byte, 4096)); err != nil {
				t.Fatal(err)
			}
			fallthrough
		default: // as it is read
			go func() { cancel(); close(cancelled) }()
		}
		if _, err := io.ReadAll(r); err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		if got := mustCall(t, c, "echo", "next", strconv.Itoa(i)); !slices.Equal(got, []string{"next", strconv.Itoa(i)}) {
			t.Fatalf("the request after cancellation %d: %q", i, got)
		}
		<-cancelled
	}
	if got := mustCall(t, c, "pid"); got[0] != strconv.Itoa(c.PID()) {
		t.Errorf("process %s answers, not %d", got, c.PID())
	}
}

// TestCallLost: in what way a function ended its worker is told.
func TestCallLost(t *testing.T) {
	t.Parallel()
	for function, says := range map[string][]string{
		"exit":        {"exit status 3"},
		"panic":       {"exit status 2", "panic: a task's goroutine gave up", "goroutine ", "process.culprit("},
		"noisy-panic": {"exit status 2", "panic: a task's goroutine gave up", "goroutine ", "process.culprit(", "nnn"},
		"garbage":     {"no frame begins with"},
	} {
		t.Run(function, func(t *testing.T) {
			t.Parallel()
			c := worker(t, Config{})
			mustCall(t, c, "echo", "x")
			lost := callLost(t, c, function)
			for _, s := range says {
				if !strings.Contains(lost.Error(), s) {
					t.Errorf("error %.2000q does not say %q", lost.Error(), s)
				}
			}
			if function == "garbage" && !errors.Is(lost, wire.ErrCorrupt) {
				t.Errorf("%v is no wire.ErrCorrupt", lost)
			}
			awaitGone(t, strconv.Itoa(c.PID()))
		})
	}
}

// TestCallOverMemory: also a limit that a small worker reaches quickly is held, with its numbers told.
func TestCallOverMemory(t *testing.T) {
	t.Parallel()
	if _, ok := resident(1); !ok {
		t.Skip("memory is not watched on this system")
	}
	c := worker(t, Config{Memory: 100 << 20})
	lost := callLost(t, c, "fill")
	if !errors.Is(lost, backends.ErrOutOfMemory) || !strings.Contains(lost.Error(), "its limit is 100 MB") {
		t.Errorf("error %v, want backends.ErrOutOfMemory with the limit", lost)
	}
}
