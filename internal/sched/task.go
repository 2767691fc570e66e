// Package sched decides what runs when. [Machine] is a plain state machine of tasks, batches and events: it holds no
// clock, no goroutine and no backend, so that it can be simulated. [Run] drives one with a real backend.
package sched

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/gowren/gowren/internal/wire"
)

// Task is one call of a job's function.
type Task struct {
	Index   int64  // in the job
	Data    []byte // the encoded input
	Attempt int32  // attempts that failed so far
	Level   int32  // of its worker's memory: 0 is as configured, each further one has more
}

// Batch is the tasks of one invocation.
type Batch struct {
	Tasks []Task
	Begun time.Time // when it was made, or its request was about to be sent, where the backend tells
	Copy  bool      // of a batch that is late: the first result of a task counts

	work     *work
	at       []int     // of a copy: where its tasks are among the work's; nil: they are all of them
	started  time.Time // when its worker answered; zero before, or where nobody told
	place    int       // among the batches under way
	heard    bool      // it brought a result or a failure
	failures int       // that it brought
	queued   bool      // its request waits for a place at the backend, which will tell
	left     bool      // its invocation is over
	last     bool      // when it was, none other went on with its tasks
	cancel   func()    // ends its invocation; kept by a Runner
}

// work is the tasks of a batch and of its copies. Of these, the one that ends last decides what becomes of tasks that none
// has settled.
type work struct {
	tasks   []Task
	settled []atomic.Uint64 // a bit for each task: it has a result, or a failure that was dealt with
	open    atomic.Int32    // tasks not settled
	landed  atomic.Int32    // tasks settled whose result or failure was dealt with; kept by a Runner
	copies  atomic.Int32    // so far
	charged map[int]int32   // failed attempts, by task, while another was under way
	suspect bool            // a task may have killed its worker: they are not run with others
	batches []*Batch        // under way
}

func newBatch(tasks []Task, suspect bool, now time.Time) *Batch {
	all := new(struct { // one allocation: a job may be a single small task
		Batch
		work
		only [1]*Batch
		bits [1]atomic.Uint64
	})
	b, w := &all.Batch, &all.work
	w.tasks, w.suspect = tasks, suspect
	if w.settled = all.bits[:]; len(tasks) > 64 {
		w.settled = make([]atomic.Uint64, (len(tasks)+63)/64)
	}
	w.open.Store(int32(len(tasks)))
	b.Tasks, b.Begun, b.work = tasks, now, w
	w.batches = append(all.only[:0], b)
	return b
}

// again makes a copy of a batch, of the tasks that are not settled; nil where all are.
func (b *Batch) again(now time.Time) *Batch {
	w := b.work
	c := &Batch{Begun: now, Copy: true, work: w}
	for i := range w.tasks {
		if !w.isSettled(i) {
			c.Tasks, c.at = append(c.Tasks, w.task(i)), append(c.at, i)
		}
	}
	if len(c.Tasks) == 0 {
		return nil
	}
	w.copies.Add(1)
	w.batches = append(w.batches, c)
	return c
}

// task is one with the attempts that have failed by now.
func (w *work) task(i int) Task {
	t := w.tasks[i]
	t.Attempt += w.charged[i]
	return t
}

// index is where a batch's task is among the work's.
func (b *Batch) index(position int) int {
	if b.at != nil {
		return b.at[position]
	}
	return position
}

func (w *work) isSettled(i int) bool { return w.settled[i/64].Load()&(1<<(i%64)) != 0 }

// Settle notes that a result or failure came for the task at a position. It reports false when one had come before,
// from this invocation or from the copy's, which is then not to be used. It may be called by several goroutines.
func (b *Batch) Settle(position int) (bool, error) {
	if position < 0 || position >= len(b.Tasks) {
		return false, fmt.Errorf("sched: a worker answered for task %d of a batch of %d: %w", position, len(b.Tasks), wire.ErrCorrupt)
	}
	position = b.index(position)
	bit := uint64(1) << (position % 64)
	if b.work.settled[position/64].Or(bit)&bit != 0 {
		return false, nil
	}
	b.work.open.Add(-1)
	return true, nil
}

// level is that of its tasks: those above 0 run alone.
func (b *Batch) level() int { return int(b.Tasks[0].Level) }

// redundant reports whether how the invocation ends does not matter any more.
func (b *Batch) redundant() bool { return b.over() && b.work.copies.Load() > 0 }

// over reports whether all tasks are settled.
func (b *Batch) over() bool { return b.work.open.Load() == 0 }

// first is the first task that is not settled.
func (w *work) first() int {
	i := 0
	for i < len(w.tasks)-1 && w.isSettled(i) {
		i++
	}
	return i
}

// rest returns the tasks that are not settled.
func (w *work) rest() []Task {
	open := int(w.open.Load())
	if open == 0 {
		return nil
	}
	rest := make([]Task, 0, open)
	for i := range w.tasks {
		if !w.isSettled(i) {
			rest = append(rest, w.task(i))
		}
	}
	return rest
}
