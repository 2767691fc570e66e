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
	// QueueBytes bounds the inputs that wait, QueueTasks their number; Feed waits where they are reached. 0 is no bound.
	QueueBytes, QueueTasks int
	// Feed pushes the tasks, and returns when there are no more or push returns false. It may wait for results of tasks
	// that it pushed, unless Known is 1. Its context ends when the job stops, for whatever reason.
	Feed func(ctx context.Context, push func(data []byte) bool) error
	// Recall, where it is set, may give a new task's result from elsewhere, so that it does not run. It is called by Feed's
	// goroutine, before the task is queued. Where the result may still come, it returns what is closed when more is known:
	// the task is put aside, others go on, and it is asked again then, by another goroutine. Tasks that are aside count in
	// neither of QueueBytes and QueueTasks, so that what they wait for holds up no other: their inputs stay in memory.
	Recall func(ctx context.Context, s *Slot, t *Task) (kept bool, later <-chan struct{}, err error)
	// Request makes the request of a batch; it may take its buffer from the slot.
	Request func(ctx context.Context, s *Slot, b *Batch) (backends.Request, error)
	// Taken, where it is set, is told that the backend has taken a batch's request.
	Taken func(b *Batch)
	// Result takes a task's result. An error of it is a failure of the task.
	Result func(ctx context.Context, s *Slot, t *Task, v Value) *Failure
	// Again, where it is set, says whether another attempt at a task may help, in place of what its worker says.
	Again func(t *Task, f *Failure) bool
	// Larger, where it is set, has workers with more memory, for tasks whose worker ran out of it.
	Larger *Ladder
	// Failed takes a task's failure, once it is final. An error of it ends the job.
	Failed func(t *Task, attempts int, f *Failure) error
	// Attempt, where it is set, is told how each attempt at a task ended: f is nil for a result, and not final where another
	// attempt follows.
	Attempt func(b *Batch, t *Task, f *Failure, final bool)
	// Ended, where it is set, is told of each invocation when it is over. The report is valid during the call alone.
	Ended func(x *Report)
	// Log takes a line; t is nil where it belongs to no task.
	Log func(t *Task, text string)
}

// Slot is what one goroutine of a job keeps from batch to batch.
type Slot struct {
	Coder  *serialize.Coder
	Buffer []byte
	Tasks  []wire.Task
	reader wire.Reader
	end    wire.End
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

// Report is what is known of an invocation that is over.
type Report struct {
	*Batch
	Started  time.Time // when its worker answered, where it told; else the zero time
	Ended    time.Time
	Err      error     // nil: the reply was complete
	Failures int       // of tasks, that its worker told
	End      *wire.End // what the worker tells of itself; nil where it did not
	Unused   bool      // another was faster
}

// Runner runs one job.
type Runner struct {
	job    *Job
	ctx    context.Context
	cancel context.CancelFunc
	slots  sync.WaitGroup

	mu       sync.Mutex
	work     sync.Cond // there may be a batch
	room     sync.Cond // there may be room in the queue
	m        *Machine
	next     int64
	recalled int64                      // of these, the tasks that did not run
	aside    map[<-chan struct{}][]Task // tasks of which more is known when it is closed
	started  int                        // slots
	waiting  int                        // slots that wait for work and were not woken
	alarm    *time.Timer
	due      time.Time     // when the alarm goes off; zero if it is off
	leaving  int64         // tasks dealt with of batches that have left and not ended
	settled  atomic.Int64  // tasks with a result or a final failure
	paid     time.Duration // for which invocations that are over have kept a worker
	prices   []float64     // of a worker's time by its level from 1 on, beside one as configured
}

// NewRunner makes a runner.
func NewRunner(j *Job) *Runner {
	r := &Runner{job: j, m: NewMachine(j.Policy)}
	r.work.L, r.room.L = &r.mu, &r.mu
	return r
}

// Run runs the job to its end, and returns why it could not go on, or nil. Nothing of it is left running. It may be
// called once.
func (r *Runner) Run(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	r.ctx, r.cancel = context.WithCancel(ctx)
	unwatch := context.AfterFunc(ctx, func() { r.stop(context.Cause(ctx)) })
	defer func() {
		unwatch()
		r.mu.Lock()
		if !r.m.Finished() { // Feed, or a function that this goroutine called, panicked
			r.m.Stop(errGivenUp)
			r.halt()
		}
		r.mu.Unlock()
		r.slots.Wait()
		r.cancel()
		r.mu.Lock()
		defer r.mu.Unlock()
		r.m.flow.forget(r.m)
		if r.alarm != nil {
			r.alarm.Stop()
		}
	}()

	err := r.job.Feed(r.ctx, r.push)
	if err != nil {
		if ctx.Err() != nil { // what fails because the job is to end is not why it ends
			err = context.Cause(ctx)
		}
		r.stop(err)
	}
	r.mu.Lock()
	r.m.Close()
	r.wakeAll()
	mine := r.started < r.m.policy.Concurrency
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
	return r.m.Err()
}

// push queues a task, and waits while there is no room. It returns false when the job has ended.
func (r *Runner) push(data []byte) bool {
	if r.job.Recall != nil {
		r.mu.Lock()
		ended := r.m.Err() != nil
		r.mu.Unlock()
		if ended {
			return false
		}
		if r.recall(Task{Index: r.next, Data: data}) {
			return true
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.m.Err() == nil && r.full() {
		r.room.Wait()
	}
	if r.m.Err() != nil {
		return false
	}
	r.m.Push(Task{Index: r.next, Data: data})
	r.next++
	r.pass()
	return true
}

// full reports whether the queue is. A bound of 0 is none.
func (r *Runner) full() bool {
	j := r.job
	return j.QueueBytes > 0 && r.m.Bytes() >= j.QueueBytes || j.QueueTasks > 0 && r.m.pending() >= j.QueueTasks
}

// stop ends the job early.
func (r *Runner) stop(reason error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.m.Stop(reason)
	r.halt()
}

// halt ends what is under way, once the machine has stopped.
func (r *Runner) halt() {
	r.cancel()
	r.wakeAll()
	r.room.Broadcast()
}

// slot runs batches one after another until the job has ended.
func (r *Runner) slot() {
	s := slots.Get().(*Slot)
	for {
		b := r.batch()
		if b == nil {
			break
		}
		r.invoke(s, b)
	}
	s.reader.Reset(nil) // lets go of the reply
	slots.Put(s)
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
			r.pass()
			return b
		}
		r.wakeAt(again)
		r.waiting++
		r.work.Wait()
	}
}

// pass sees to it that a batch that can be had now or later is taken: it wakes one slot, or sets the alarm. A slot that
// takes a batch passes on in turn, so that as many wake as there is work for, and no more. It is called after each
// event that may make a batch ready.
func (r *Runner) pass() {
	fresh := r.started < r.m.policy.Concurrency && r.job.Known != 1
	if r.waiting == 0 && !fresh { // the first that is free will ask
		return
	}
	ready, again := r.m.Ready(time.Now())
	if !ready {
		r.wakeAt(again)
		return
	}
	if r.waiting > 0 { // who wakes a slot takes it off the count: the next task is not left to the same one
		r.waiting--
		r.work.Signal()
		return
	}
	r.started++
	r.slots.Go(r.slot)
}

func (r *Runner) wakeAll() {
	r.waiting = 0
	r.work.Broadcast()
}

// wakeAt sets the alarm, unless it goes off before. An alarm that comes too early does no harm.
func (r *Runner) wakeAt(t time.Time) {
	if t.IsZero() || !r.due.IsZero() && !t.Before(r.due) {
		return
	}
	r.due = t
	if r.alarm != nil {
		r.alarm.Reset(time.Until(t))
		return
	}
	r.alarm = time.AfterFunc(time.Until(t), func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.due = time.Time{}
		r.pass()
	})
}

// Paid returns for how long invocations have kept a worker by now, those under way too, added up. One that ends meanwhile
// is in it once. The time of a worker with more memory counts as that of one as configured for the same price.
func (r *Runner) Paid(now time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	sum := r.paid
	for _, b := range r.m.under {
		sum += r.kept(b, now)
	}
	return sum
}

// kept is for how long a batch has kept a worker: from its worker's answer where the backend tells of that, and not at all
// before; elsewhere from its request, and of a detached one from when that is sent.
func (r *Runner) kept(b *Batch, now time.Time) time.Duration {
	since := b.started
	switch {
	case b.queued, since.IsZero() && r.m.policy.Streams:
		return 0
	case since.IsZero():
		since = b.Begun
	}
	kept := max(now.Sub(since), 0)
	if level := b.level(); level > 0 {
		kept = time.Duration(float64(kept) * r.price(level))
	}
	return kept
}

// landed is how many tasks that the machine counts as running are dealt with.
func (r *Runner) landed() int64 {
	n := r.leaving
	for _, b := range r.m.under {
		if b.work.batches[0] == b { // and not once more for its copies
			n += int64(b.work.landed.Load())
		}
	}
	return n
}

// Counts tells what was done so far. It may be called at any time.
func (r *Runner) Counts() Counts {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.m.Counts()
	c.Settled = r.settled.Load()
	c.Running -= r.landed()
	c.Recalled = r.recalled
	return c
}
