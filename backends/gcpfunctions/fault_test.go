package gcpfunctions

import (
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/registry"
	"github.com/gowren/gowren/internal/servers/gcf"
	"github.com/gowren/gowren/internal/wire"
	"github.com/gowren/gowren/serialize"
)

// request makes a request of n tasks.
func request(t *testing.T, n int) backends.Request {
	t.Helper()
	const name = "gcpfunctions/square"
	r := wire.Request{Job: "raw", Function: name, Types: registry.Find(name).Types, Inline: 1 << 20, Prefix: "jobs/raw"}
	for i := range n {
		data, err := serialize.Marshal(i)
		if err != nil {
			t.Fatal(err)
		}
		r.Tasks = append(r.Tasks, wire.Task{Index: int64(i), Attempt: 1, Data: data})
	}
	return backends.Request{Body: wire.AppendRequest(nil, &r)}
}

// outcome makes one invocation and returns its error, whenever it comes.
func outcome(t *testing.T, b *Backend) error {
	t.Helper()
	reply, err := b.Invoke(t.Context(), request(t, 3))
	if err != nil {
		return err
	}
	defer reply.Close()
	_, err = io.Copy(io.Discard, reply)
	return err
}

func TestFaults(t *testing.T) {
	t.Parallel()
	s := gcf.New(t, gcf.Options{Freeze: true})
	s.SetSlowness(300 * time.Millisecond)
	on := bucket(t)
	b := newBackend(t, config(s))
	if err := prepare(t, b, on); err != nil {
		t.Fatal(err)
	}
	lost := new(*backends.LostError)
	for _, c := range []struct {
		fault gcf.Fault
		ok    func(error) bool
	}{
		{gcf.Throttled, func(err error) bool { return errors.Is(err, backends.ErrThrottled) }},
		{gcf.ProxyPage, func(err error) bool { return errors.As(err, lost) }},
		{gcf.SlowStart, func(err error) bool { return err == nil }},
		{gcf.Reset, func(err error) bool { return errors.As(err, lost) }},
		{gcf.Lost, func(err error) bool { return errors.As(err, lost) }},
		{gcf.Unavailable, func(err error) bool { return errors.As(err, lost) }},
		{gcf.Killed, func(err error) bool { return errors.As(err, lost) }},
	} {
		s.Inject(c.fault)
		if err := outcome(t, b); !c.ok(err) {
			t.Errorf("fault %d: %v", c.fault, err)
		}
		if err := outcome(t, b); err != nil {
			t.Errorf("after fault %d: %v", c.fault, err)
		}
	}
	s.Inject(gcf.Lost, gcf.Throttled, gcf.Killed, gcf.None, gcf.Reset, gcf.ProxyPage, gcf.None, gcf.SlowStart, gcf.Throttled)
	squares(t, b, on, 300)
}

func TestLargestRequest(t *testing.T) {
	t.Parallel()
	s := gcf.New(t, gcf.Options{})
	b := newBackend(t, config(s))
	if _, err := b.Invoke(t.Context(), backends.Request{Body: make([]byte, maxRequest+1)}); !errors.Is(err, backends.ErrInvalid) {
		t.Errorf("a request of over %d bytes: %v", maxRequest, err)
	}
}

func TestDeletedBetweenInvocations(t *testing.T) {
	t.Parallel()
	s := gcf.New(t, gcf.Options{})
	b := newBackend(t, config(s))
	if err := prepare(t, b, bucket(t)); err != nil {
		t.Fatal(err)
	}
	if err := b.Prewarm(t.Context(), 2); err != nil {
		t.Errorf("Prewarm: %v", err)
	}
	s.Remove(s.Functions()[0])
	wantError(t, s, outcome(t, b), backends.ErrInvalid, "the function was deleted")
}

// TestFailsAtOnce: what an invocation fails of is told, also where it is over before anybody has asked.
func TestFailsAtOnce(t *testing.T) {
	t.Parallel()
	s := gcf.New(t, gcf.Options{})
	b := newBackend(t, config(s))
	if err := prepare(t, b, bucket(t)); err != nil {
		t.Fatal(err)
	}
	s.Remove(s.Functions()[0])
	var wait sync.WaitGroup
	for range 16 {
		wait.Go(func() {
			for range 50 {
				if err := outcome(t, b); !errors.Is(err, backends.ErrInvalid) {
					t.Errorf("the error is %v", err)
				}
			}
		})
	}
	wait.Wait()
}
