package sched

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/gowren/gowren/backends"
)

// Ladder has the backends of levels above 0, whose workers have more memory than those of the level below, each about twice
// as much. They are made when a task first needs them, and shared by all jobs. Its methods do not wait, but for Close, and
// are called by several goroutines.
type Ladder struct {
	ctx        context.Context // of what is being made ready
	foot       backends.Backend
	deployment backends.Deployment

	mu     sync.Mutex
	rungs  []*rung
	making sync.WaitGroup
}

// rung is the backend of a level.
type rung struct {
	backend backends.Backend
	ready   chan struct{} // closed when it is worth asking again; nil before anybody asked. The rest is valid then
	err     error         // of the last Prepare
	faults  int           // of Prepare in a row
	failed  time.Time     // when it was given up; else the zero time
}

const (
	// mostFaults is how many times in a row a backend that cannot be made ready is tried.
	mostFaults = 5
	// firstFaultStays is for how long it is not tried again after the first of them. Each further one stays four times as long.
	firstFaultStays = time.Second
	// failureStays is for how long it is not tried again at most, and once it is given up: many tasks may ask for it.
	failureStays = time.Minute
)

// NewLadder returns one above a backend. Its context must end with the jobs, or after them, and before Close.
func NewLadder(ctx context.Context, foot backends.Backend, d backends.Deployment) *Ladder {
	return &Ladder{ctx: ctx, foot: foot, deployment: d}
}

// Has returns an error that says why there is no such level.
func (l *Ladder) Has(level int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.rungs) < level {
		top := l.foot
		if n := len(l.rungs); n > 0 {
			top = l.rungs[n-1].backend
		}
		next, err := Enlarge(top)
		if err != nil {
			return err
		}
		l.rungs = append(l.rungs, &rung{backend: next})
	}
	return nil
}

// Get returns the backend of a level, and what a second of its workers costs beside one of the foot's. Until it is ready,
// Get returns a channel instead, which is closed when it is worth asking again: a fault of making it ready may pass. Who asks
// after the last one, or after one that will not pass, gets the error.
func (l *Ladder) Get(level int) (b backends.Backend, price float64, ready <-chan struct{}, err error) {
	if err := l.Has(level); err != nil {
		return nil, 0, nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.rungs[level-1]
	if r.ready == nil {
		l.prepare(r)
	}
	select {
	case <-r.ready:
	default:
		return nil, 0, r.ready, nil
	}
	switch {
	case r.err == nil:
		return r.backend, l.price(r.backend), nil, nil
	case !r.failed.IsZero() && time.Since(r.failed) < failureStays:
		return nil, 0, nil, r.err
	}
	l.prepare(r)
	return nil, 0, r.ready, nil
}

// prepare begins to make a rung ready. Where the ladder's context ends meanwhile, so do the jobs, and nobody is told.
func (l *Ladder) prepare(r *rung) {
	if !r.failed.IsZero() {
		r.faults, r.failed = 0, time.Time{}
	}
	ready := make(chan struct{})
	r.ready = ready
	l.making.Go(func() {
		r.err = r.backend.Prepare(l.ctx, l.deployment)
		if l.wait(r.fault()) {
			close(ready)
		}
	})
}

// fault takes note of what came of Prepare, and returns for how long it is not tried again.
func (r *rung) fault() time.Duration {
	if r.err == nil {
		return 0
	}
	r.faults++
	if errors.Is(r.err, backends.ErrRefused) || errors.Is(r.err, backends.ErrInvalid) || r.faults >= mostFaults {
		if r.failed = time.Now(); r.faults > 1 {
			r.err = fmt.Errorf("%w (tried %d times)", r.err, r.faults)
		}
		return 0
	}
	return min(firstFaultStays<<(2*(r.faults-1)), failureStays)
}

// wait reports false where the ladder's context ends before.
func (l *Ladder) wait(d time.Duration) bool {
	if d == 0 {
		return l.ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-l.ctx.Done():
		return false
	}
}

// price is what a second of a backend's workers costs beside one of the foot's.
func (l *Ladder) price(b backends.Backend) float64 {
	usual := l.foot.Limits().PricePerSecond
	if usual <= 0 {
		return 1
	}
	return b.Limits().PricePerSecond / usual
}

// Close closes the backends of all levels above 0, whose jobs are over.
func (l *Ladder) Close() error {
	l.making.Wait()
	var errs []error
	for _, r := range l.rungs {
		errs = append(errs, r.backend.Close())
	}
	return errors.Join(errs...)
}

// Enlarge returns a backend like b, and not yet prepared, whose workers have more memory.
func Enlarge(b backends.Backend) (backends.Backend, error) {
	e, ok := b.(backends.Enlarger)
	if !ok {
		return nil, fmt.Errorf("this backend has no workers with more memory than others (Options.MoreMemory): make tasks smaller, or choose another backend: %w", backends.ErrInvalid)
	}
	return e.Enlarge()
}
