package process

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gowren/gowren/backends"
)

// TestCancel: a worker that stops when it is told to stays, and one that does not is killed. Either is the caller's
// doing, and no loss.
func TestCancel(t *testing.T) {
	t.Parallel()
	for _, what := range []string{"wait", "hang"} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			c := started(t, Config{})
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			r, err := c.Invoke(ctx, body(what))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := r.Read(make([]byte, 1)); err != nil { // then it has begun
				t.Fatal(err)
			}
			cancel()
			_, err = io.ReadAll(r)
			if e := r.Close(); e != nil {
				t.Error(e)
			}
			if !errors.Is(err, context.Canceled) || errors.As(err, new(*backends.LostError)) {
				t.Errorf("error %v, want context.Canceled alone", err)
			}
			if c.Alive() != (what == "wait") {
				t.Errorf("the worker is alive: %t", c.Alive())
			}
			if c.Alive() {
				mustAsk(t, c, "echo")
			}
		})
	}
}

// TestCancelRace: a cancellation that comes about when a reply is complete does not disturb the next request.
func TestCancelRace(t *testing.T) {
	t.Parallel()
	c := started(t, Config{})
	pid := mustAsk(t, c, "pid")
	for i := range 300 {
		ctx, cancel := context.WithCancel(t.Context())
		go func() {
			time.Sleep(time.Duration(i) * time.Microsecond)
			cancel()
		}()
		if _, err := ask(ctx, c, "echo"); err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		cancel()
		if got := mustAsk(t, c, "pid"); got != pid {
			t.Fatalf("the worker %s was replaced by %s", pid, got)
		}
	}
}

// TestNeverReads: a request that a worker does not take can be cancelled.
func TestNeverReads(t *testing.T) {
	t.Parallel()
	c := started(t, bad("never reads"))
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for c.writing.TryLock() { // until Invoke writes
			c.writing.Unlock()
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	if _, err := c.Invoke(ctx, body(strings.Repeat("x", 1<<20))); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want context.Canceled", err)
	}
	if c.Alive() {
		t.Error("the worker is alive")
	}
}

// TestUnsent: of a request that a dead worker did not take it is known that nothing ran.
func TestUnsent(t *testing.T) {
	t.Parallel()
	c := started(t, Config{})
	mustAsk(t, c, "echo")
	c.kill(errors.New("for the test"))
	<-c.exited
	if _, err := c.Invoke(t.Context(), body("echo")); !errors.Is(err, ErrUnsent) || !errors.As(err, new(*backends.LostError)) {
		t.Errorf("error %v, want ErrUnsent and a *backends.LostError", err)
	}
	if _, err := ask(t.Context(), started(t, Config{}), "exit 3"); errors.Is(err, ErrUnsent) {
		t.Errorf("error %v of a request that ran", err)
	}
}

// TestReplyClosed: after its end, a reply is no way to the next one's bytes.
func TestReplyClosed(t *testing.T) {
	t.Parallel()
	c := started(t, Config{})
	first, err := c.Invoke(t.Context(), body("wait"))
	if err != nil {
		t.Fatal(err)
	}
	reading := make(chan error, 1)
	go func() { // while another goroutine closes
		_, err := io.ReadAll(first)
		reading <- err
	}()
	for range 2 {
		if err := first.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := <-reading; err != nil && !errors.Is(err, os.ErrClosed) {
		t.Errorf("a read that was under way: %v", err)
	}
	second, err := c.Invoke(t.Context(), body("echo x"))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := first.Read(make([]byte, 1)); n > 0 || err == nil {
		t.Errorf("the closed reply reads %d bytes, %v", n, err)
	}
	if data, err := io.ReadAll(second); err != nil || len(data) == 0 {
		t.Errorf("the next reply has %d bytes, %v", len(data), err)
	}
	if err := second.Close(); err != nil {
		t.Error(err)
	}
}

// TestLeaves: a worker that says that it leaves is gone when its reply is closed, also when it does not go.
func TestLeaves(t *testing.T) {
	t.Parallel()
	for _, c := range []Config{{}, bad("stays")} {
		child := started(t, c)
		r, err := child.Invoke(t.Context(), body("leave"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadAll(r); err != nil {
			t.Error(err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if child.Alive() {
			t.Error("the worker is alive")
		}
	}
}

// TestLargeRequest: a request larger than any pipe arrives.
func TestLargeRequest(t *testing.T) {
	t.Parallel()
	want := strings.Repeat("0123456789abcdef", 1<<18)
	if got := mustAsk(t, started(t, Config{}), "echo "+want); got != want {
		t.Errorf("%d bytes came back, want %d", len(got), len(want))
	}
}

// TestBadRequest: what is no whole frame is not sent, and what the worker cannot read is refused.
func TestBadRequest(t *testing.T) {
	t.Parallel()
	c := started(t, Config{})
	whole := body("echo")
	for _, b := range [][]byte{nil, whole[:5], whole[:len(whole)-1], append(body("echo"), 1)} {
		if _, err := c.Invoke(t.Context(), b); !errors.Is(err, backends.ErrInvalid) {
			t.Errorf("a request of %d bytes: %v, want backends.ErrInvalid", len(b), err)
		}
	}
	mustAsk(t, c, "echo")
	r, err := c.Invoke(t.Context(), append(whole[:len(whole)-1:len(whole)-1], 'x'))
	if err != nil {
		t.Fatal(err)
	}
	if data, err := io.ReadAll(r); err != nil || !strings.Contains(string(data), "checksum") {
		t.Errorf("a changed request: %q, %v, want a refusal", data, err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}
