package worker

import (
	"context"
	"errors"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/wire"
)

// Task says which task a function was called for.
type Task struct {
	Job      string
	Function string
	Index    int64 // of the input
	Attempt  int   // from 1
}

// TaskOf returns the task that a function's context belongs to. A context that outlives its task tells of a later one.
func TaskOf(ctx context.Context) (Task, bool) {
	s, ok := ctx.Value(slotKey{}).(*slot)
	if !ok {
		return Task{}, false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.position < 0 {
		return Task{}, false
	}
	t := &s.r.req.Tasks[s.position]
	return Task{Job: s.r.req.Job, Function: s.r.req.Function, Index: t.Index, Attempt: t.Attempt}, true
}

type slotKey struct{}

// taskContext is the context of all tasks of a slot, one after another.
type taskContext struct {
	context.Context
	slot    *slot
	timeout time.Duration
}

func (c *taskContext) Value(key any) any {
	if key == (slotKey{}) {
		return c.slot
	}
	if v := c.Context.Value(key); v != nil {
		return v
	}
	return c.slot.r.w.kept.Value(key)
}

// Err is context.DeadlineExceeded where the task's time-out has passed, as it would be with a deadline of its own. Contexts
// derived from it end with context.Canceled, and context.Cause tells of the time-out.
func (c *taskContext) Err() error {
	err := c.Context.Err()
	if err != nil && errors.Is(context.Cause(c.Context), backends.ErrTimeout) {
		return context.DeadlineExceeded
	}
	return err
}

// Deadline is that of the task under way.
func (c *taskContext) Deadline() (time.Time, bool) {
	deadline, ok := c.Context.Deadline()
	if c.timeout == 0 {
		return deadline, ok
	}
	c.slot.mu.Lock()
	defer c.slot.mu.Unlock()
	if task := c.slot.since.Add(c.timeout); !ok || task.Before(deadline) {
		return task, true
	}
	return deadline, true
}

func (s *slot) newContext() {
	if s.r.req.Timeout == 0 {
		s.ctx, s.cancel = &taskContext{s.r.ctx, s, 0}, nil
		return
	}
	ctx, cancel := context.WithCancelCause(s.r.ctx)
	s.cancel = cancel
	s.ctx = &taskContext{ctx, s, s.r.req.Timeout}
}

func (s *slot) begin(position int, t *wire.Task) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.position = position
	if s.r.req.Timeout > 0 {
		s.since = time.Now()
	}
}

// begun notes that the slot begins to work on the run's request.
func (s *slot) begun() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clock = time.Since(s.r.begun)
}

// end notes that the task is over. It reports whether the task had been told to stop.
func (s *slot) end() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Since(s.r.begun)
	took := now - s.clock
	s.clock = now
	if s.position >= 0 { // also called for an error whose own methods panic, when the task is over
		s.took.note(s.position, took)
	}
	late := s.late
	s.position, s.late = -1, false
	for s.r.req.Budget > 0 {
		longest := s.r.long.Load()
		if int64(took) <= longest || s.r.long.CompareAndSwap(longest, int64(took)) {
			break
		}
	}
	if late { // its context is cancelled; the next task gets another
		s.cancel(nil)
		s.newContext()
	}
	return late
}
