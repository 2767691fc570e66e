package sched

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/wire"
)

// tardy is a backend whose first invocation is throttled, whose second is lost before its worker answers, each after three
// seconds, and whose third has its answer after two, and its result after five more.
type tardy struct {
	fake
	look func() // called a second before each of the ends
	last sync.WaitGroup
}

func (f *tardy) Invoke(ctx context.Context, _ backends.Request) (io.ReadCloser, error) {
	n := f.n.Add(1)
	if n < 3 {
		time.Sleep(2 * time.Second)
		f.look()
		time.Sleep(time.Second)
		if n == 1 {
			return nil, errBusy
		}
		return nil, &backends.LostError{Worker: "w", Cause: errLost}
	}
	time.Sleep(2 * time.Second)
	reply := &fakeReply{f: &f.fake, ctx: ctx}
	reply.add(5*time.Second, wire.AppendEnd(wire.AppendResult(nil, 0, nil), wire.TypeEnd, &wire.End{Ran: 1}), nil)
	f.last.Go(func() {
		time.Sleep(4 * time.Second)
		f.look()
	})
	return reply, nil
}

// gated is a backend where one request has a place at once, for as long as its reply takes, and the first takes long.
type gated struct {
	fake
	place chan struct{}
}

type gatedReply struct {
	fakeReply
	place chan struct{}
}

func (r *gatedReply) Close() error {
	defer func() { <-r.place }()
	return r.fakeReply.Close()
}

func (f *gated) Invoke(ctx context.Context, q backends.Request) (io.ReadCloser, error) {
	f.place <- struct{}{}
	if err := q.Begin(ctx); err != nil {
		<-f.place
		return nil, err
	}
	reply := &gatedReply{fakeReply{f: &f.fake, ctx: ctx}, f.place}
	reply.add(10*time.Second, wire.AppendEnd(wire.AppendResult(nil, 0, nil), wire.TypeEnd, &wire.End{Ran: 1, Busy: 10 * time.Second}), nil)
	return reply, nil
}

// TestQueued: what a detached request waits for a place is not paid, and does not make it late.
func TestQueued(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		results := 0
		b := &gated{place: make(chan struct{}, 1)}
		j := newTestJob(&b.fake, 8, &results)
		j.Backend, j.Policy.Streams, j.Policy.Copies, j.Policy.BatchSize, j.Policy.Concurrency = b, false, 1, 1, 8
		j.Feed = func(_ context.Context, push func([]byte) bool) error {
			for range 8 {
				push(nil)
			}
			return nil
		}
		request := j.Request
		j.Request = func(ctx context.Context, s *Slot, x *Batch) (backends.Request, error) {
			q, err := request(ctx, s, x)
			q.Begin = func(context.Context) error { return nil }
			return q, err
		}
		r := NewRunner(j)
		under := make(chan time.Duration, 1)
		time.AfterFunc(35*time.Second, func() { under <- r.Paid(time.Now()) })
		if err := r.Run(t.Context()); err != nil || results != 8 {
			t.Fatal(results, err)
		}
		if got := <-under; got != 35*time.Second {
			t.Errorf("%v are paid by then", got)
		}
		if got, c := r.Paid(time.Now()), r.Counts(); got != 80*time.Second || c.Copies > 0 {
			t.Errorf("%v are paid, %d copies", got, c.Copies)
		}
	})
}

// TestUnready: a request that cannot begin ends the job, whatever the backend makes of it.
func TestUnready(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		results := 0
		b := &gated{place: make(chan struct{}, 1)}
		j := newTestJob(&b.fake, 3, &results)
		j.Backend = b
		unready := errors.New("it cannot be kept")
		j.Request = func(context.Context, *Slot, *Batch) (backends.Request, error) {
			return backends.Request{Begin: func(context.Context) error { return unready }}, nil
		}
		if err := NewRunner(j).Run(t.Context()); !errors.Is(err, unready) || !errors.Is(err, errLocal) || results > 0 {
			t.Error(results, err)
		}
	})
}

// TestPaid: where the backend tells of a worker's answer, the time before costs nothing, also of a worker that was lost by
// then; elsewhere all time counts but what was throttled. That it ends makes no difference.
func TestPaid(t *testing.T) {
	for streams, want := range map[bool][5]time.Duration{
		true:  {0, 0, 0, 4 * time.Second, 5 * time.Second},
		false: {2 * time.Second, 2 * time.Second, 3 * time.Second, 9 * time.Second, 10 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			results := 0
			var got [5]time.Duration
			b := &tardy{}
			j := newTestJob(&b.fake, 1, &results)
			j.Backend, j.Policy.Streams, j.Known = b, streams, 1
			j.Feed = func(_ context.Context, push func([]byte) bool) error { push(nil); return nil }
			r := NewRunner(j)
			looks := 0
			b.look = func() {
				got[looks] = r.Paid(time.Now())
				looks++
			}
			j.Again = func(*Task, *Failure) bool { // while the second is between being under way and being over
				b.look()
				return true
			}
			if err := r.Run(t.Context()); err != nil || results != 1 {
				t.Fatal(results, err)
			}
			b.last.Wait()
			if got[4] = r.Paid(time.Now().Add(time.Hour)); got != want {
				t.Errorf("streams: %t: %v, want %v", streams, got, want)
			}
		})
	}
}
