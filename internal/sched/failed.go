package sched

import (
	"context"
	"time"
)

// failed takes a failure from a worker. Where another invocation goes on with the task, that is the next attempt; and what
// fails for good in a copy may do so because of the first, which decides.
func (r *Runner) failed(b *Batch, f *Failure) error {
	position := f.Position
	if position < 0 || position >= len(b.Tasks) {
		_, err := b.Settle(position)
		return err
	}
	b.heard = true
	b.failures++
	if r.spared(b) {
		again := r.again(b, position, f)
		if again && !b.work.isSettled(b.index(position)) {
			r.mu.Lock()
			r.m.charge(b.work, b.index(position))
			r.mu.Unlock()
			if r.job.Attempt != nil {
				r.job.Attempt(b, &b.Tasks[position], f, false)
			}
		}
		if again || b.Copy {
			return nil
		}
	}
	if first, err := b.Settle(position); err != nil || !first {
		return err
	}
	return r.failure(b, position, f)
}

// again reports whether another attempt at a task may help.
func (r *Runner) again(b *Batch, position int, f *Failure) bool {
	if r.job.Again != nil {
		return r.job.Again(&b.Tasks[position], f)
	}
	return f.Again
}

// failure deals with the failure of a task that is settled in its batch: it is tried again, or the failure is final.
func (r *Runner) failure(b *Batch, position int, f *Failure) error {
	if r.ctx.Err() != nil { // what fails because the job was stopped is nobody's failure
		return context.Cause(r.ctx)
	}
	again := r.again(b, position, f)
	r.mu.Lock()
	t := b.work.task(b.index(position))
	attempts, final := r.m.Failed(t, again, time.Now())
	if !final {
		r.pass()
	}
	r.mu.Unlock()
	if r.job.Attempt != nil {
		r.job.Attempt(b, &b.Tasks[position], f, final)
	}
	var err error
	if final {
		err = r.report(&t, attempts, f)
	}
	r.land(b)
	return err
}

func (r *Runner) report(t *Task, attempts int, f *Failure) error {
	r.settled.Add(1)
	err := r.job.Failed(t, attempts, f)
	if err != nil {
		r.stop(err)
	}
	return err
}

// spared reports whether another invocation goes on with a batch's tasks, so that its failure of one says nothing yet: the
// last to end decides.
func (r *Runner) spared(b *Batch) bool {
	if b.work.copies.Load() == 0 {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(b.work.batches) > 1
}
