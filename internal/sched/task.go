// Package sched decides what runs when. [Machine] is a plain state machine of tasks, batches and events: it holds no
// clock, no goroutine and no backend, so that it can be simulated. [Run] drives one with a real backend.
package sched

import (
	"fmt"
	"time"

	"github.com/gowren/gowren/internal/wire"
)

// Task is one call of a job's function.
type Task struct {
	Index   int64  // in the job
	Data    []byte // the encoded input
	Attempt int    // attempts that failed so far
}

// Batch is the tasks of one invocation.
type Batch struct {
	Tasks []Task
	Begun time.Time

	settled []bool // by position: the task has a result, or a failure that was dealt with
	open    int    // tasks not settled
	landed  int    // tasks settled whose result or failure was dealt with; kept by a Runner
	suspect bool   // a task may have killed its worker: they are not run with others
}

// Settle notes that a result or failure came for the task at a position. It reports false when one had come before,
// which is then not to be used.
func (b *Batch) Settle(position int) (bool, error) {
	if position < 0 || position >= len(b.Tasks) {
		return false, fmt.Errorf("sched: a worker answered for task %d of a batch of %d: %w", position, len(b.Tasks), wire.ErrCorrupt)
	}
	if b.settled[position] {
		return false, nil
	}
	b.settled[position] = true
	b.open--
	return true, nil
}

// rest returns the tasks that are not settled.
func (b *Batch) rest() []Task {
	if b.open == 0 {
		return nil
	}
	rest := make([]Task, 0, b.open)
	for i, t := range b.Tasks {
		if !b.settled[i] {
			rest = append(rest, t)
		}
	}
	return rest
}
