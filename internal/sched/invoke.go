package sched

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gowren/gowren/backends"
)

// invoke runs a batch: one request, and the frames of its reply as they come.
func (r *Runner) invoke(s *Slot, b *Batch) {
	o, begun := Outcome{Err: errGivenUp}, true
	defer func() {
		if begun {
			r.end(b, o)
		}
	}() // also when a callback panics or ends its goroutine: the job must not hang
	backend, ready, err := r.backend(b)
	if err != nil {
		r.giveUp(b, err)
		begun = false
		return
	}
	if begun = ready == nil; !begun {
		r.park(b, ready)
		return
	}
	request, err := r.job.Request(r.ctx, s, b)
	if err != nil {
		o.Err = fmt.Errorf("%w: %w", errLocal, err)
		return
	}
	ctx, cancel := r.begin(b)
	defer cancel()
	unready := r.queue(b, &request)
	reply, err := backend.Invoke(ctx, request)
	if err != nil {
		o.Err = err
		if unready != nil && *unready != nil {
			o.Err = fmt.Errorf("%w: %w", errLocal, *unready)
		}
		return
	}
	if r.job.Taken != nil {
		r.job.Taken(b)
	}
	if r.m.policy.Streams {
		r.mu.Lock()
		r.m.Started(b, time.Now())
		r.pass() // it may make another late
		r.mu.Unlock()
	}
	returned := false
	defer func() {
		if !returned { // a callback panicked or ended its goroutine: the worker is to be free for the next job
			_ = reply.Close()
		}
	}()
	o = r.read(s, b, reply)
	returned = true
	if err := reply.Close(); err != nil && o.Err == nil && !b.over() {
		o.Err = err
	}
}

var (
	// errLocal marks what failed in the driver itself, before any worker was asked.
	errLocal = errors.New("the request could not be made")
	// errGivenUp ends a job of which a function did not return.
	errGivenUp = errors.New("the job was given up: one of its functions panicked, or called runtime.Goexit")
)

func (r *Runner) result(s *Slot, b *Batch, position int, v Value) error {
	first, err := b.Settle(position)
	b.heard = true
	if err != nil || !first {
		return err
	}
	if f := r.job.Result(r.ctx, s, &b.Tasks[position], v); f != nil {
		return r.failure(b, position, f)
	}
	if r.job.Attempt != nil {
		r.job.Attempt(b, &b.Tasks[position], nil, true)
	}
	r.settled.Add(1)
	r.land(b)
	return nil
}

// begin returns the context of a batch's invocation, which ends with the job's, and when another has settled its tasks.
func (r *Runner) begin(b *Batch) (context.Context, func()) {
	if !r.copies() {
		return r.ctx, func() {}
	}
	ctx, cancel := context.WithCancelCause(r.ctx)
	end := func() { cancel(errRedundant) }
	r.mu.Lock()
	defer r.mu.Unlock()
	if b.cancel = end; b.over() { // before it has begun
		end()
	}
	return ctx, end
}

// queue has a batch's request begin when the backend is about to send it: what it waits there for a place is neither paid nor
// late. It returns where an error of the request's Begin will be, where it has one.
func (r *Runner) queue(b *Batch, request *backends.Request) *error {
	begin := request.Begin
	if begin == nil {
		return nil
	}
	var unready error
	request.Begin = func(ctx context.Context) error {
		if unready = begin(ctx); unready != nil {
			return unready
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		b.Begun, b.queued = time.Now(), false
		r.m.late.again = time.Time{}
		r.pass() // it may be late from now on
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	b.queued = true
	return &unready
}

// copies reports whether batches may be run twice.
func (r *Runner) copies() bool { return r.m.policy.Copies > 0 && r.job.Known != 1 }

// relieve ends the other invocation of a batch's tasks, when they are settled.
func (r *Runner) relieve(b *Batch) {
	if !b.redundant() {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, x := range b.work.batches {
		if x != b && x.cancel != nil {
			x.cancel()
		}
	}
}

// land notes that a task of a batch under way is dealt with.
func (r *Runner) land(b *Batch) {
	b.work.landed.Add(1)
	r.relieve(b)
}

// end tells the machine how a batch ended, and reports whom it blames.
func (r *Runner) end(b *Batch, o Outcome) {
	now := time.Now()
	r.mu.Lock()
	alone := r.m.Leave(b) // from now on it has no copy
	var landed int64
	if alone {
		landed = int64(b.work.landed.Load())
		r.leaving += landed
	}
	if !errors.Is(o.Err, backends.ErrThrottled) && !errors.Is(o.Err, errLocal) {
		r.paid += r.kept(b, now)
	}
	r.mu.Unlock()
	var lost []Task
	if alone && r.isLoss(b, o) {
		lost = b.work.rest()
		o.Last = len(lost) == 1 && r.job.Again != nil && !r.job.Again(&lost[0], lossOf(o))
		if len(lost) == 1 {
			o = r.enlarge(&lost[0], o)
		}
	}
	r.mu.Lock()
	switch {
	case o.Err != nil && r.ctx.Err() == nil && b.redundant():
		o.Err = errRedundant
	case o.Err != nil && r.ctx.Err() != nil: // it ended because the job was stopped, whatever it says
		r.m.Stop(context.Cause(r.ctx))
	case errors.Is(o.Err, errLocal), errors.Is(o.Err, errGivenUp):
		r.m.Stop(o.Err)
	}
	blamed := r.m.End(b, o, now)
	r.leaving -= landed
	switch {
	case r.m.Err() != nil:
		r.halt()
	case len(blamed) > 0: // this slot is kept by its report; otherwise it asks for the next batch at once
		r.pass()
	}
	r.mu.Unlock()
	if r.job.Attempt != nil {
		for i := range lost {
			r.job.Attempt(b, &lost[i], lossOf(o), len(blamed) > 0) // who is blamed was alone
		}
	}
	if r.job.Ended != nil {
		r.job.Ended(&Report{Batch: b, Started: b.started, Ended: now, Err: o.Err, Failures: b.failures, End: o.end, Unused: errors.Is(o.Err, errRedundant)})
	}
	for _, x := range blamed {
		_ = r.report(&x.Task, x.Attempts, lossOf(o)) // what it returns has stopped the job
	}
}

// lossOf is the failure of a task whose worker was lost.
func lossOf(o Outcome) *Failure {
	f := &Failure{Err: o.Err}
	var lost *backends.LostError
	if errors.As(o.Err, &lost) {
		f.Worker = lost.Worker
	}
	return f
}

// isLoss reports whether an invocation ended by the loss of its worker, with tasks that are not settled.
func (r *Runner) isLoss(b *Batch, o Outcome) bool {
	if o.Err == nil || r.ctx.Err() != nil || b.over() {
		return false
	}
	for _, class := range []error{errRedundant, errLocal, errGivenUp, backends.ErrThrottled, backends.ErrRefused, backends.ErrInvalid} {
		if errors.Is(o.Err, class) {
			return false
		}
	}
	return true
}
