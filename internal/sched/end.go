package sched

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/wire"
)

// Outcome is how an invocation ended.
type Outcome struct {
	Err  error // nil: the reply was complete
	Ran  int   // tasks that the worker says it ran
	Busy time.Duration
	Last bool      // of a lost worker: its task gets no further attempt
	More bool      // likewise: its next attempt has a level more
	end  *wire.End // all that the worker told; kept by a Runner
}

// Blame is a task whose worker was lost while it ran alone, once too often.
type Blame struct {
	Task     Task
	Attempts int
}

// errBarren ends a job whose workers do nothing.
var errBarren = errors.New("the workers hand every task back without running it: their time limit is too short for a task")

// maxBarren is how many invocations in a row may settle nothing, beyond those that all workers together may hand back
// when the platform replaces them at once.
const maxBarren = 16

// End notes that a batch's invocation is over. It returns the task that is to blame, if it is known and was given its
// last attempt.
func (m *Machine) End(b *Batch, o Outcome, now time.Time) []Blame {
	last := m.Leave(b)
	m.flying--
	w := b.work
	open := int(w.open.Load())
	var rest []Task
	if last { // otherwise its copy, or what it is a copy of, goes on with them
		rest = w.rest()
		m.counts.Running -= int64(len(w.tasks))
		m.counts.Settled += int64(len(w.tasks) - open)
	}
	if open < len(w.tasks) || b.heard {
		m.barren = 0
	}
	switch {
	case errors.Is(o.Err, errRedundant):
		m.flow.lost()
	case m.fatal != nil: // how the rest ends does not matter
		m.dropped += len(rest)
		if errors.Is(o.Err, backends.ErrThrottled) {
			m.flow.back()
		} else {
			m.flow.lost()
		}
	case o.Err == nil:
		m.flow.ended()
		m.size.observe(min(o.Ran, len(b.Tasks)), o.Busy, now.Sub(b.Begun))
		m.ran(b, now)
		m.giveBack(w, rest)
		if open < len(w.tasks) || b.heard {
			break
		}
		if m.barren++; m.barren >= maxBarren+m.policy.Concurrency {
			m.Stop(errBarren)
		}
	case errors.Is(o.Err, backends.ErrThrottled):
		m.counts.Throttled++
		m.uncopy(b)
		m.giveBack(w, rest)
		if m.flow.throttled(now, m.random()) {
			m.Stop(fmt.Errorf("the backend has taken nothing for %v: %w", patience, o.Err))
		}
	case errors.Is(o.Err, backends.ErrRefused), errors.Is(o.Err, backends.ErrInvalid):
		m.dropped += len(rest)
		m.flow.lost()
		m.Stop(o.Err)
	default:
		m.counts.Lost++
		m.flow.lost()
		if !last && open == 1 { // the other's is the next attempt
			m.charge(w, w.first())
		}
		return m.lost(rest, o, now)
	}
	return nil
}

// charge notes that an attempt at a task has failed while another is under way, which is then the next one; or the last.
func (m *Machine) charge(w *work, index int) {
	if int(w.task(index).Attempt) >= m.policy.Retries {
		return
	}
	if w.charged == nil {
		w.charged = map[int]int32{}
	}
	w.charged[index]++
	m.counts.Retried++
}

// uncopy takes back that a batch is a copy, where nothing of it ran.
func (m *Machine) uncopy(b *Batch) {
	if b.Copy {
		m.counts.Copies--
		m.late.copied -= len(b.Tasks)
	}
}

// errRedundant is the outcome of a batch that was given up since its copy, or what it was a copy of, has settled all.
var errRedundant = errors.New("others were faster")

// Leave notes that a batch's invocation is over, ahead of End. It reports whether no other goes on with its tasks.
func (m *Machine) Leave(b *Batch) bool {
	if b.left {
		return b.last
	}
	b.left = true
	last := m.under[len(m.under)-1]
	m.under[b.place], last.place = last, b.place
	m.under[len(m.under)-1] = nil
	m.under = m.under[:len(m.under)-1]
	b.work.batches = slices.DeleteFunc(b.work.batches, func(x *Batch) bool { return x == b })
	b.last = len(b.work.batches) == 0
	return b.last
}

// giveBack queues tasks again that nobody is to blame for. Those under suspicion stay among themselves.
func (m *Machine) giveBack(w *work, rest []Task) {
	if w.suspect {
		m.isolate(rest)
		return
	}
	m.returned.add(rest...)
}

// isolate queues tasks to be run by themselves.
func (m *Machine) isolate(tasks []Task) {
	if len(tasks) > 0 {
		m.suspects = append(m.suspects, tasks)
		m.suspect += len(tasks)
		m.held += size(tasks...)
	}
}

// lost deals with the tasks of a batch whose worker was lost. One alone is to blame. Of several, one may be: they are
// split, and the halves run apart, so that the one that kills its worker each time is found after some more losses,
// however many innocent tasks were with it; that counts as no attempt of theirs.
func (m *Machine) lost(rest []Task, o Outcome, now time.Time) []Blame {
	switch len(rest) {
	case 0:
		return nil
	case 1:
		t := rest[0]
		if o.More {
			t.Level++
		}
		attempts, final := m.failed(t, !o.Last, true, now)
		if !final {
			return nil
		}
		m.counts.Settled++
		return []Blame{{rest[0], attempts}}
	}
	half := len(rest) / 2
	m.isolate(rest[:half:half])
	m.isolate(rest[half:])
	return nil
}
