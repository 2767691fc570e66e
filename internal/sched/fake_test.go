package sched

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/wire"
)

// odds are how often what goes wrong does, per invocation, and what tasks do, per task.
type odds struct {
	cold, throttle, crash, cut, silent, partition, doubled, slow, leave float64 // of invocations
	broken, flaky, deadly, greedy                                       float64 // of tasks
	task, overhead                                                      time.Duration
}

// fate is what a task does whenever it runs.
type fate int

const (
	fine   fate = iota
	broken      // fails, for good
	flaky       // fails at its first attempt
	deadly      // kills its worker
	greedy      // needs a worker of the level that needs says
)

// needs is the least level of a greedy task.
func needs(index int64) int { return 1 + int(index%3) }

func (o *odds) fate(seed uint64, index int64) fate {
	switch x := rand.New(rand.NewPCG(seed, uint64(index)+1<<32)).Float64(); {
	case x < o.broken:
		return broken
	case x < o.broken+o.flaky:
		return flaky
	case x < o.broken+o.flaky+o.deadly:
		return deadly
	case x < o.broken+o.flaky+o.deadly+o.greedy:
		return greedy
	}
	return fine
}

// fake is a backend in virtual time whose workers speak real frames.
type fake struct {
	odds
	seed   uint64
	cpus   int
	n      atomic.Uint64 // invocations
	flying atomic.Int64
	most   atomic.Int64
}

func (f *fake) Prepare(context.Context, backends.Deployment) error { return nil }
func (f *fake) Limits() backends.Limits                            { return backends.Limits{} }
func (f *fake) Close() error                                       { return nil }

func (f *fake) Invoke(ctx context.Context, request backends.Request) (io.ReadCloser, error) {
	return f.invoke(ctx, request, 0)
}

// invoke is an invocation on a worker of a level.
func (f *fake) invoke(ctx context.Context, request backends.Request, level int) (io.ReadCloser, error) {
	now := f.flying.Add(1)
	for most := f.most.Load(); now > most && !f.most.CompareAndSwap(most, now); most = f.most.Load() {
	}
	r := rand.New(rand.NewPCG(f.seed, f.n.Add(1)))
	reply := &fakeReply{f: f, ctx: ctx}
	wait := f.overhead
	if r.Float64() < f.cold {
		wait += time.Second
	}
	if r.Float64() < f.throttle {
		f.flying.Add(-1)
		return nil, errBusy
	}
	if r.Float64() < f.partition/2 {
		wait += silence
		err := pause(ctx, wait)
		f.flying.Add(-1)
		return nil, cmp.Or(err, error(&backends.LostError{Worker: "w", Cause: errLost}))
	}
	if err := pause(ctx, wait); err != nil {
		f.flying.Add(-1)
		return nil, err
	}
	payload, err := wire.OpenRequest(request.Body)
	var req wire.Request
	if err == nil {
		err = wire.DecodeRequest(payload, &req)
	}
	if err != nil {
		f.flying.Add(-1)
		return nil, fmt.Errorf("%w: %w", backends.ErrInvalid, err)
	}
	f.script(r, &req, reply, level)
	return reply, nil
}

// script writes what the reply will bring, and when.
func (f *fake) script(r *rand.Rand, req *wire.Request, reply *fakeReply, level int) {
	speed, ran, busy := time.Duration(1), 0, time.Duration(0)
	if r.Float64() < f.slow {
		speed = 50
	}
	end := wire.TypeEnd
	stop := len(req.Tasks)
	if r.Float64() < f.leave {
		end, stop = wire.TypeLeave, 1+r.IntN(stop)
	}
	crash := -1
	if r.Float64() < f.crash {
		crash = r.IntN(stop + 1)
	}
	var frame []byte
	for i := range stop {
		t := &req.Tasks[i]
		took := speed * time.Duration(float64(f.task)*r.ExpFloat64()/float64(f.cpus))
		busy += took * time.Duration(f.cpus)
		ran++
		fate := f.fate(f.seed, t.Index)
		if i == crash || fate == deadly {
			reply.add(took, nil, &backends.LostError{Worker: "w", Cause: errLost})
			return
		}
		if fate == greedy && level < needs(t.Index) {
			reply.add(took, nil, &backends.LostError{Worker: "w", Cause: backends.ErrOutOfMemory})
			return
		}
		frame = wire.AppendLog(frame[:0], wire.Log{Position: i - 1, Text: "a line"})
		switch {
		case fate == broken:
			frame = wire.AppendFailed(frame, wire.Failure{Position: i, Cause: wire.CauseError, Message: "broken"})
		case fate == flaky && t.Attempt == 1:
			frame = wire.AppendFailed(frame, wire.Failure{Position: i, Cause: wire.CauseTimeout, Again: true, Message: "flaky"})
		default:
			frame = wire.AppendResult(frame, i, t.Data)
		}
		if r.Float64() < f.doubled {
			frame = append(frame, frame...)
		}
		reply.add(took, bytes.Clone(frame), nil)
	}
	switch x := r.Float64(); {
	case crash == stop:
		reply.add(0, nil, &backends.LostError{Worker: "w", Cause: errLost})
	case x < f.silent: // all of it is lost, and the connection closes well
		reply.steps = nil
	case x < f.silent+f.cut: // the connection breaks within a frame
		last := &reply.steps[r.IntN(len(reply.steps))]
		last.data, last.err = last.data[:1+r.IntN(len(last.data)-1)], io.EOF
	default:
		if r.Float64() < f.partition { // the worker goes on, and is not heard for a while, or never again
			at := r.IntN(len(reply.steps))
			if r.IntN(2) == 0 {
				reply.steps[at] = step{silence, nil, &backends.LostError{Worker: "w", Cause: errLost}}
				return
			}
			reply.steps[at].wait += time.Duration(float64(silence) * r.Float64())
		}
		reply.add(0, wire.AppendEnd(nil, end, &wire.End{Ran: ran, Busy: busy}), nil)
	}
}

// silence is after how long a worker that is not heard counts as lost.
const silence = 20 * time.Second

type step struct {
	wait time.Duration
	data []byte
	err  error
}

// fakeReply brings what was scripted, in pieces.
type fakeReply struct {
	f      *fake
	ctx    context.Context
	steps  []step
	closed bool
}

func (r *fakeReply) add(wait time.Duration, data []byte, err error) {
	r.steps = append(r.steps, step{wait, data, err})
}

func (r *fakeReply) Read(p []byte) (int, error) {
	if len(r.steps) == 0 {
		return 0, io.EOF
	}
	s := &r.steps[0]
	if err := pause(r.ctx, s.wait); err != nil {
		return 0, err
	}
	s.wait = 0
	if len(s.data) > 0 {
		n := copy(p, s.data[:min(len(s.data), 1000)])
		s.data = s.data[n:]
		if len(s.data) == 0 && s.err == nil {
			r.steps = r.steps[1:]
		}
		return n, nil
	}
	return 0, s.err
}

func (r *fakeReply) Close() error {
	if !r.closed {
		r.closed = true
		r.f.flying.Add(-1)
	}
	return nil
}

// pause waits in virtual time.
func pause(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// request makes a request as a job does.
func request(_ context.Context, s *Slot, b *Batch) (backends.Request, error) {
	r := wire.Request{Tasks: s.Tasks[:0]}
	for _, t := range b.Tasks {
		r.Tasks = append(r.Tasks, wire.Task{Index: t.Index, Attempt: int(t.Attempt) + 1, Data: t.Data})
	}
	s.Tasks = r.Tasks
	s.Buffer = wire.AppendRequest(s.Buffer[:0], &r)
	return backends.Request{Body: s.Buffer}, nil
}
