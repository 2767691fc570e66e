package mapper

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/gowren/gowren/backends"
)

// ladder has the backends whose workers have more memory than the executor's own, each rung about twice as much as the one
// below. They are made when a task first needs them, and shared by all jobs. It implements [sched.Larger].
type ladder struct {
	ctx        context.Context // of what is being made ready; ends with the executor
	foot       backends.Backend
	deployment backends.Deployment
	price      float64 // of a second of the foot's workers

	mu     sync.Mutex
	rungs  []*rung
	making sync.WaitGroup
}

// rung is a backend of a ladder.
type rung struct {
	backend backends.Backend
	ready   chan struct{} // closed when it is, or has failed; nil before anybody asked
	err     error         // why it is not; valid then, as is failed
	failed  time.Time
}

// failureStays is for how long a backend that could not be made ready is not tried again: many tasks may ask for it.
const failureStays = time.Minute

// Has implements [sched.Larger].
func (l *ladder) Has(level int) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.rungs) < level {
		top := l.foot
		if n := len(l.rungs); n > 0 {
			top = l.rungs[n-1].backend
		}
		next, err := enlarge(top)
		if err != nil {
			return err
		}
		l.rungs = append(l.rungs, &rung{backend: next})
	}
	return nil
}

// Get implements [sched.Larger].
func (l *ladder) Get(level int) (backends.Backend, float64, <-chan struct{}, error) {
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
		return r.backend, l.ratio(r.backend), nil, nil
	case time.Since(r.failed) < failureStays:
		return nil, 0, nil, r.err
	}
	l.prepare(r)
	return nil, 0, r.ready, nil
}

// prepare begins to make a rung ready.
func (l *ladder) prepare(r *rung) {
	ready := make(chan struct{})
	r.ready, r.err = ready, nil
	l.making.Go(func() {
		defer close(ready)
		if r.err = r.backend.Prepare(l.ctx, l.deployment); r.err != nil {
			r.failed = time.Now()
		}
	})
}

// ratio is what a second of a backend's workers costs beside one of the foot's.
func (l *ladder) ratio(b backends.Backend) float64 {
	if l.price <= 0 {
		return 1
	}
	return b.Limits().PricePerSecond / l.price
}

// close closes the rungs. Their jobs are over.
func (l *ladder) close() error {
	l.making.Wait()
	var errs []error
	for _, r := range l.rungs {
		errs = append(errs, r.backend.Close())
	}
	return errors.Join(errs...)
}

// enlarge returns a backend like b, and not yet prepared, whose workers have more memory.
func enlarge(b backends.Backend) (backends.Backend, error) {
	e, ok := b.(backends.Enlarger)
	if !ok {
		return nil, fmt.Errorf("this backend has no workers with more memory than others (Options.MoreMemory): make tasks smaller, or choose another backend: %w", backends.ErrInvalid)
	}
	return e.Enlarge()
}
