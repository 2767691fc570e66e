package worker

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gowren/gowren/internal/registry"
	"github.com/gowren/gowren/internal/wire"
)

// run is the work on one request. It is kept and used again, since a request may be a single small task.
type run struct {
	w     *Worker
	out   output
	req   wire.Request
	f     *registry.Function
	arg   any // the shared argument
	ctx   context.Context
	begun time.Time
	slots []*slot
	frame []byte
	end   wire.End

	room atomic.Int64  // bytes of results that the reply still takes; not kept where there is no bound
	next atomic.Int64  // position of the next task to begin
	left atomic.Int64  // slots at work
	rest chan struct{} // gets a value when none is
	gone chan struct{} // closed when a task does not stop: the run is given up
	over atomic.Bool   // it was given up: no further task begins
	stop sync.Once     // closes gone
	long atomic.Int64  // nanoseconds of the longest task so far
}

func newRun(w *Worker) *run {
	r := &run{w: w, rest: make(chan struct{}, 1), gone: make(chan struct{})}
	for range w.cpus {
		r.slots = append(r.slots, newSlot(r))
	}
	return r
}

// serve reports whether the run can be used again.
func (r *run) serve(ctx context.Context, request []byte) (bool, error) {
	r.begun = time.Now()
	for _, s := range r.slots {
		s.ran.Store(0)
		s.busy.Store(0)
		s.forget()
	}
	payload, err := wire.OpenRequest(request)
	if err == nil {
		err = wire.DecodeRequest(payload, &r.req)
	}
	if err != nil {
		return true, r.refuse(err.Error())
	}
	var reason string
	if r.f, reason = find(&r.req); reason != "" {
		return true, r.refuse(reason)
	}
	r.arg, err = r.w.argument(ctx, r.f, r.req.Shared)
	if unread := new(registry.ReadError); errors.As(err, &unread) {
		return true, r.failAll(ctx, unread)
	}
	if err != nil {
		return true, r.refuse(fmt.Sprintf("the shared argument of %q: %v", r.req.Function, err))
	}
	r.ctx = ctx
	rested := r.runTasks()
	if !rested {
		if err := r.finish(wire.TypeLeave); err != nil {
			return false, err
		}
		return false, ErrLeave
	}
	err = r.finish(wire.TypeEnd)
	r.arg, r.ctx = nil, nil
	select {
	case <-r.gone: // it was given up when its last task ended after all
		return false, err
	default:
		return true, err
	}
}

// runTasks reports whether all slots came to rest; if not, a task goes on past its time limit and the grace.
func (r *run) runTasks() bool {
	slots := r.slots[:min(len(r.slots), len(r.req.Tasks))]
	if len(slots) == 0 {
		return true
	}
	r.next.Store(0)
	r.room.Store(int64(r.req.Room))
	r.long.Store(0)
	r.left.Store(int64(len(slots)))
	unwatch := r.watch(slots)
	defer unwatch()
	for _, s := range slots {
		s.start()
	}
	select {
	case <-r.rest:
		return true
	case <-r.gone:
	case <-r.ctx.Done():
		select {
		case <-r.rest:
			return true
		case <-r.gone:
		case <-time.After(grace): // a task ignores its context
		}
	}
	r.over.Store(true)
	return false
}

// failAll answers a request none of whose tasks could begin, though another attempt may.
func (r *run) failAll(ctx context.Context, reason error) error {
	for i := range r.req.Tasks {
		if ctx.Err() != nil { // the failure of a cancelled task says nothing
			break
		}
		r.out.add(wire.AppendFailed(nil, wire.Failure{Position: i, Cause: wire.CauseInput, Again: true, Message: reason.Error()}), true)
	}
	return r.finish(wire.TypeEnd)
}

// retire ends the slots' goroutines, each when its task is over.
func (r *run) retire() {
	for _, s := range r.slots {
		close(s.wake)
	}
}

// take returns the position of the next task to begin, or -1 when this worker should begin none.
func (r *run) take() int {
	if r.ctx.Err() != nil || r.over.Load() || r.short() {
		return -1
	}
	i := r.next.Add(1) - 1
	if i >= int64(len(r.req.Tasks)) {
		return -1
	}
	return int(i)
}

// short reports whether too little of the request's time is left to begin a task: less than the longest one took, or a
// twentieth of all. Tasks not begun are no failures; the driver gives them to another worker.
func (r *run) short() bool {
	if r.req.Budget == 0 || r.next.Load() == 0 {
		return false
	}
	left := r.req.Budget - time.Since(r.begun)
	return left < max(time.Duration(r.long.Load()), r.req.Budget/20)
}

// fits takes n bytes of the reply's room, if there are so many.
func (r *run) fits(n int) bool {
	if r.req.Room == 0 || r.room.Add(-int64(n)) >= 0 {
		return true
	}
	r.room.Add(int64(n)) // a smaller one may still fit
	return false
}

// more reports whether the reply may not end soon after this task: there are later ones, or other slots are at work.
func (r *run) more(position int) bool {
	return position+1 < len(r.req.Tasks) || r.left.Load() > 1
}

func (r *run) finish(t wire.Type) error {
	e := &r.end
	*e = wire.End{Slowest: e.Slowest[:0]}
	for _, s := range r.slots {
		e.Ran += int(s.ran.Load())
		e.Busy += time.Duration(s.busy.Load())
		s.tell(e)
	}
	r.w.tell(e)
	r.frame = wire.AppendEnd(r.frame[:0], t, e)
	return r.out.close(r.frame)
}

func (r *run) refuse(reason string) error {
	r.frame = wire.AppendRefused(r.frame[:0], reason)
	return r.out.close(r.frame)
}
