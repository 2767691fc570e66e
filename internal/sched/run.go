package sched

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/wire"
	"github.com/gowren/gowren/serialize"
)

// Job is what Run needs of one. Its functions are called by several goroutines, each with a slot of its own.
type Job struct {
	Backend backends.Backend
	Policy  Policy
	// Known is the number of tasks where it is known beforehand; 0 is unknown.
	Known int
	// QueueBytes bounds the inputs that wait, QueueTasks their number; Feed waits where they are reached.
	QueueBytes, QueueTasks int
	// Feed pushes the tasks, and returns when there are no more or push returns false.
	Feed func(push func(data []byte) bool) error
	// Request makes the request of a batch; it may take its buffer from the slot.
	Request func(ctx context.Context, s *Slot, b *Batch) (backends.Request, error)
	// Result takes a task's result. An error of it is a failure of the task.
	Result func(ctx context.Context, s *Slot, t *Task, v Value) *Failure
	// Failed takes a task's failure, once it is final. An error of it ends the job.
	Failed func(t *Task, attempts int, f *Failure) error
	// Log takes a line; t is nil where it belongs to no task.
	Log func(t *Task, text string)
}

// Slot is what one goroutine of a job keeps from batch to batch.
type Slot struct {
	Coder  *serialize.Coder
	Buffer []byte
	Tasks  []wire.Task
	reader wire.Reader
}

// slots keeps the coders and buffers of ended jobs: a job may be a single small task.
var slots = sync.Pool{New: func() any { return &Slot{Coder: serialize.NewCoder()} }}

// Value is a task's encoded result: here, or in the bucket. The data are valid during the call alone.
type Value struct {
	Data   []byte
	Stored *wire.Stored
}

// Failure is a task's.
type Failure struct {
	wire.Failure
	Err    error  // where it is not the function's own: a lost worker, a result that could not be read
	Worker string // where it is known
}

// Runner runs one job.
type Runner struct {
	job    *Job
	ctx    context.Context
	cancel context.CancelFunc
	slots  sync.WaitGroup

	mu      sync.Mutex
	work    sync.Cond // there may be a batch
	room    sync.Cond // there may be room in the queue
	m       *Machine
	next    int64
	started int // slots
	waiting int // slots that wait for work and were not woken
	alarm   *time.Timer
	settled atomic.Int64
	failed  atomic.Int64
}

// NewRunner makes a runner.
func NewRunner(j *Job) *Runner {
	r := &Runner{job: j, m: NewMachine(j.Policy)}
	r.work.L, r.room.L = &r.mu, &r.mu
	return r
}

// Run runs the job to its end, and returns why it could not go on, or nil. Nothing of it is left running.
func (r *Runner) Run(ctx context.Context) error {
	r.ctx, r.cancel = context.WithCancel(ctx)
	defer r.cancel()
	unwatch := context.AfterFunc(ctx, func() { r.stop(context.Cause(ctx)) })
	defer unwatch()

	err := r.job.Feed(r.push)
	if err != nil {
		r.stop(err)
	}
	r.mu.Lock()
	r.m.Close()
	r.wakeAll()
	mine := r.started < r.job.Policy.Concurrency
	if mine {
		r.started++
	}
	r.mu.Unlock()
	if mine { // a job of one task costs no goroutine
		r.slot()
	}
	r.slots.Wait()

	r.mu.Lock()
	defer r.mu.Unlock()
	if r.alarm != nil {
		r.alarm.Stop()
	}
	return r.m.Err()
}

// push queues a task, and waits while there is no room. It returns false when the job has ended.
func (r *Runner) push(data []byte) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.m.Err() == nil && (r.m.Bytes() >= r.job.QueueBytes || r.m.Waiting() >= r.job.QueueTasks) {
		r.room.Wait()
	}
	if r.m.Err() != nil {
		return false
	}
	r.m.Push(Task{Index: r.next, Data: data})
	r.next++
	switch {
	case r.waiting > 0:
		r.wakeOne()
	case r.started < r.job.Policy.Concurrency && r.job.Known != 1:
		r.started++
		r.slots.Go(r.slot)
	}
	return true
}

// stop ends the job early.
func (r *Runner) stop(reason error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.m.Stop(reason)
	r.cancel()
	r.wakeAll()
	r.room.Broadcast()
}

// slot runs batches one after another until the job has ended.
func (r *Runner) slot() {
	s := slots.Get().(*Slot)
	defer slots.Put(s)
	for {
		b := r.batch()
		if b == nil {
			return
		}
		r.invoke(s, b)
	}
}

// batch waits for one; nil says that the job has ended.
func (r *Runner) batch() *Batch {
	r.mu.Lock()
	defer r.mu.Unlock()
	for {
		if r.m.Finished() || r.m.Err() != nil {
			r.wakeAll()
			return nil
		}
		b, again := r.m.Next(time.Now())
		if b != nil {
			r.room.Broadcast()
			return b
		}
		if !again.IsZero() {
			r.wakeAt(again)
		}
		r.waiting++
		r.work.Wait()
	}
}

// wakeOne wakes a slot that was not woken yet. Who wakes a slot takes it off the count, so that of two tasks that come
// one after the other the second does not take the first one's slot for idle.
func (r *Runner) wakeOne() {
	if r.waiting > 0 {
		r.waiting--
		r.work.Signal()
	}
}

func (r *Runner) wakeAll() {
	r.waiting = 0
	r.work.Broadcast()
}

func (r *Runner) wakeAt(t time.Time) {
	wait := time.Until(t)
	if r.alarm == nil {
		r.alarm = time.AfterFunc(wait, func() {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.wakeAll()
		})
		return
	}
	r.alarm.Reset(wait)
}

// Counts tells what was done so far. It may be called at any time.
func (r *Runner) Counts() Counts {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.m.Counts()
	c.Settled = r.settled.Load()
	return c
}
