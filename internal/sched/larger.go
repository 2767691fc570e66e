package sched

import (
	"context"
	"errors"
	"fmt"

	"github.com/gowren/gowren/backends"
)

// unreadyError is the failure of a task whose worker's backend could not be made ready. What it was by its class ends no job,
// of which this may be the only task that needs so much.
type unreadyError struct{ cause error }

func (e *unreadyError) Error() string {
	return fmt.Sprintf("%v, and workers with more could not be made ready: %v", backends.ErrOutOfMemory, e.cause)
}
func (e *unreadyError) Unwrap() error { return backends.ErrOutOfMemory }

// backend returns the one for a batch, or what to wait for until it is ready.
func (r *Runner) backend(b *Batch) (backends.Backend, <-chan struct{}, error) {
	level := b.level()
	if level == 0 {
		return r.job.Backend, nil, nil
	}
	backend, price, ready, err := r.job.Larger.Get(level)
	if err != nil {
		return nil, nil, err
	}
	if ready != nil {
		return nil, ready, nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.prices) < level {
		r.prices = append(r.prices, 1)
	}
	r.prices[level-1] = price
	return backend, nil, nil
}

// price is that of a worker's time beside one as configured.
func (r *Runner) price(level int) float64 {
	if level > len(r.prices) {
		return 1
	}
	return r.prices[level-1]
}

// giveUp fails the tasks of a batch whose backend cannot be made ready. Nothing ran, and no attempt is charged.
func (r *Runner) giveUp(b *Batch, cause error) {
	f := &Failure{Err: &unreadyError{cause}}
	for i := range b.Tasks {
		if r.ctx.Err() != nil { // what fails because the job was stopped is nobody's failure
			break
		}
		if first, _ := b.Settle(i); !first { // the position is one of its own
			continue
		}
		r.mu.Lock()
		attempts := r.m.GiveUp(b.Tasks[i])
		r.mu.Unlock()
		_ = r.report(&b.Tasks[i], attempts, f) // what it returns has stopped the job
		r.land(b)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ctx.Err() != nil {
		r.m.Stop(context.Cause(r.ctx))
		r.halt()
	}
	r.m.Unpark(r.m.Park(b)) // none, but of a job that is stopped, which lets go of them
	r.pass()
}

// park puts a batch aside until it is worth asking for its backend again. Its slot is free for others.
func (r *Runner) park(b *Batch, ready <-chan struct{}) {
	r.mu.Lock()
	tasks := r.m.Park(b)
	r.mu.Unlock()
	r.slots.Go(func() {
		select {
		case <-ready:
		case <-r.ctx.Done():
		}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.m.Unpark(tasks)
		r.pass()
	})
}

// Park notes that a batch was not begun, since there is no worker of its level yet. It returns the tasks that are to be
// given to Unpark when there may be.
func (m *Machine) Park(b *Batch) []Task {
	m.flow.back()
	m.flying--
	m.counts.Invocations--
	m.uncopy(b)
	if !m.Leave(b) {
		return nil
	}
	rest := b.work.rest()
	m.counts.Running -= int64(len(b.work.tasks))
	m.counts.Settled += int64(len(b.work.tasks) - len(rest))
	if m.fatal != nil {
		m.dropped += len(rest)
		return nil
	}
	m.parked += len(rest)
	m.held += size(rest...)
	return rest
}

// GiveUp notes the failure of a task that is settled in its batch and was not begun, since there will be no worker of its
// level. It returns how many attempts there were: the one that it was given with its level is not among them.
func (m *Machine) GiveUp(t Task) (attempts int) {
	m.counts.Failed++
	m.counts.Retried--
	return int(t.Attempt)
}

// Unpark queues tasks again.
func (m *Machine) Unpark(tasks []Task) {
	if m.fatal != nil { // they were let go of
		return
	}
	m.parked -= len(tasks)
	m.held -= size(tasks...)
	m.isolate(tasks)
}

// enlarge gives the next attempt at a task whose worker ran out of memory more of it. Where there is no more, the outcome
// says so.
func (r *Runner) enlarge(t *Task, o Outcome) Outcome {
	if r.job.Larger == nil || !errors.Is(o.Err, backends.ErrOutOfMemory) {
		return o
	}
	none := r.job.Larger.Has(int(t.Level) + 1)
	if none == nil {
		o.More = true
		return o
	}
	lost, ok := errors.AsType[*backends.LostError](o.Err)
	if !ok {
		lost = &backends.LostError{Worker: "of a name that is not known", Cause: o.Err}
	}
	more := *lost
	more.Cause = fmt.Errorf("%w; there is no more: %s", lost.Cause, none.Error()) // whose class would end the job
	o.Err = &more
	return o
}
