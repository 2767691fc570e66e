package sched

import (
	"errors"
	"fmt"
	"time"

	"github.com/gowren/gowren/backends"
)

// Policy is what a job is run by.
type Policy struct {
	Concurrency int            // invocations at once
	CPUs        int            // tasks that a worker runs at once
	BatchSize   int            // tasks in a batch; 0 lets the machine choose
	BatchBytes  int            // input bytes in a batch, unless one task alone has more
	Retries     int            // further attempts at a task after the first
	Random      func() float64 // in [0, 1), for jitter
}

// Counts is what a machine has to tell.
type Counts struct {
	Queued, Running, Settled, Failed, Retried int64 // tasks
	Invocations, Lost, Throttled              int64 // invocations
	More                                      bool  // inputs are still coming
}

// Machine holds the tasks of one job. Its caller tells it what happened and when, and asks what to do next. It is not
// safe for concurrent use.
type Machine struct {
	policy Policy
	size   sizer
	flow   flow

	queue    []Task   // not begun, from head on
	bytes    int      // of their inputs
	head     int      //
	returned []Task   // handed back without blame: they go first
	suspects [][]Task // parts of batches that lost their worker, each to be run by itself
	delayed  delays

	flying int  // invocations under way
	closed bool // no more inputs come
	barren int  // invocations in a row that ended well and settled nothing
	counts Counts
	fatal  error // the job cannot go on
}

// NewMachine makes a machine without tasks.
func NewMachine(p Policy) *Machine {
	p.Concurrency, p.CPUs = max(p.Concurrency, 1), max(p.CPUs, 1)
	return &Machine{policy: p, size: newSizer(p), flow: newFlow(p)}
}

// Push adds a new task.
func (m *Machine) Push(t Task) {
	if m.head > 4096 && m.head*2 > len(m.queue) {
		n := copy(m.queue, m.queue[m.head:])
		clear(m.queue[n:])
		m.queue, m.head = m.queue[:n], 0
	}
	m.queue = append(m.queue, t)
	m.bytes += len(t.Data)
}

// Close notes that all tasks were pushed.
func (m *Machine) Close() { m.closed = true }

// Waiting returns how many tasks wait to be begun for the first time.
func (m *Machine) Waiting() int { return len(m.queue) - m.head }

// Bytes returns the size of their inputs.
func (m *Machine) Bytes() int { return m.bytes }

// Finished reports whether there is nothing more to do: all tasks are settled, or the job cannot go on, and no
// invocation is under way.
func (m *Machine) Finished() bool {
	if m.flying > 0 {
		return false
	}
	return m.fatal != nil || m.closed && m.Waiting() == 0 && len(m.returned) == 0 && len(m.suspects) == 0 && len(m.delayed) == 0
}

// Stop keeps further batches from being begun. The first reason counts.
func (m *Machine) Stop(reason error) {
	if m.fatal == nil {
		m.fatal = reason
	}
}

// Err returns why the job cannot go on, or nil.
func (m *Machine) Err() error { return m.fatal }

// Next returns a batch to invoke. Without one, it returns when to ask again, or the zero time for after the next event.
func (m *Machine) Next(now time.Time) (*Batch, time.Time) {
	if m.fatal != nil || m.flying >= m.flow.limit() {
		return nil, time.Time{}
	}
	if wait := m.flow.wait(now); wait.After(now) {
		return nil, wait
	}
	b := &Batch{Begun: now}
	switch {
	case len(m.suspects) > 0:
		b.Tasks, b.suspect = m.suspects[0], true
		m.suspects = m.suspects[1:]
	case len(m.returned) > 0:
		n := m.fit(m.returned, len(m.returned))
		b.Tasks = append(b.Tasks, m.returned[:n]...)
		m.returned = m.returned[n:]
	case m.delayed.due(now):
		b.Tasks = m.delayed.take(now, m.size.next(m.Waiting()))
	default:
		n := m.fit(m.queue[m.head:], m.Waiting())
		if n == 0 {
			return nil, m.delayed.soonest()
		}
		b.Tasks = append(b.Tasks, m.queue[m.head:m.head+n]...)
		clear(m.queue[m.head : m.head+n]) // lets go of the inputs
		m.head += n
		for i := range b.Tasks {
			m.bytes -= len(b.Tasks[i].Data)
		}
	}
	b.open = len(b.Tasks)
	b.settled = make([]bool, b.open)
	m.flying++
	m.counts.Invocations++
	m.counts.Running += int64(b.open)
	return b, time.Time{}
}

// fit returns how many of the tasks make a good batch.
func (m *Machine) fit(tasks []Task, waiting int) int {
	n := min(m.size.next(waiting), len(tasks))
	if m.policy.BatchBytes > 0 {
		bytes := 0
		for i := range n {
			if bytes += len(tasks[i].Data); bytes > m.policy.BatchBytes {
				return max(i, 1)
			}
		}
	}
	return n
}

// Failed is told of a settled task's failure, and of whether another attempt may help. It reports whether the failure
// is final; otherwise the task will run again.
func (m *Machine) Failed(t Task, again bool, now time.Time) (attempts int, final bool) {
	return m.failed(t, again, false, now)
}

func (m *Machine) failed(t Task, again, alone bool, now time.Time) (attempts int, final bool) {
	t.Attempt++
	if !again || t.Attempt > m.policy.Retries {
		m.counts.Failed++
		return t.Attempt, true
	}
	m.counts.Retried++
	m.delayed.add(delayed{now.Add(m.delay(t.Attempt)), t, alone})
	return t.Attempt, false
}

// delay is the time before the next attempt: doubling from 20 ms to 5 s, less up to a half at random.
func (m *Machine) delay(attempt int) time.Duration {
	d := min(20*time.Millisecond<<min(attempt-1, 10), 5*time.Second)
	if m.policy.Random != nil {
		d -= time.Duration(float64(d) / 2 * m.policy.Random())
	}
	return d
}

// Outcome is how an invocation ended.
type Outcome struct {
	Err  error // nil: the reply was complete
	Ran  int   // tasks that the worker says it ran
	Busy time.Duration
}

// Blame is a task whose worker was lost while it ran alone, once too often.
type Blame struct {
	Task     Task
	Attempts int
}

// errBarren ends a job whose workers do nothing.
var errBarren = errors.New("the workers hand every task back without running it: their time limit is too short for a task")

// End notes that a batch's invocation is over. It returns the task that is to blame, if it is known and was given its
// last attempt.
func (m *Machine) End(b *Batch, o Outcome, now time.Time) []Blame {
	m.flying--
	m.counts.Running -= int64(len(b.Tasks))
	m.counts.Settled += int64(len(b.Tasks) - b.open)
	rest := b.rest()
	switch {
	case m.fatal != nil: // how the rest ends does not matter
	case o.Err == nil:
		m.flow.ended()
		m.size.observe(o.Ran, o.Busy, now.Sub(b.Begun))
		m.giveBack(rest, b.open == len(b.Tasks))
	case errors.Is(o.Err, backends.ErrThrottled):
		m.counts.Throttled++
		m.giveBack(rest, false)
		if m.flow.throttled(now) {
			m.Stop(fmt.Errorf("the backend has taken nothing for %v: %w", patience, o.Err))
		}
	case errors.Is(o.Err, backends.ErrRefused), errors.Is(o.Err, backends.ErrInvalid):
		m.Stop(o.Err)
	default:
		m.counts.Lost++
		return m.lost(rest, now)
	}
	return nil
}

// giveBack queues tasks again that nobody is to blame for.
func (m *Machine) giveBack(rest []Task, barren bool) {
	m.returned = append(m.returned, rest...)
	if !barren {
		m.barren = 0
	} else if m.barren++; m.barren >= 16 {
		m.Stop(errBarren)
	}
}

// lost deals with the tasks of a batch whose worker was lost. One alone is to blame. Of several, one may be: they are
// split, and the halves run apart, so that the one that kills its worker each time is found after some more losses,
// however many innocent tasks were with it; that counts as no attempt of theirs.
func (m *Machine) lost(rest []Task, now time.Time) []Blame {
	switch len(rest) {
	case 0:
		return nil
	case 1:
		if attempts, final := m.failed(rest[0], true, true, now); final {
			return []Blame{{rest[0], attempts}}
		}
		return nil
	}
	half := len(rest) / 2
	m.suspects = append(m.suspects, rest[:half:half], rest[half:])
	return nil
}

// Counts returns what happened so far.
func (m *Machine) Counts() Counts {
	c := m.counts
	c.Queued = int64(m.Waiting() + len(m.returned) + len(m.delayed))
	for _, s := range m.suspects {
		c.Queued += int64(len(s))
	}
	c.More = !m.closed
	return c
}
