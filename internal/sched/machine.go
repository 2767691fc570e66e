package sched

import "time"

// Policy is what a job is run by.
type Policy struct {
	Concurrency int            // invocations at once
	CPUs        int            // tasks that a worker runs at once
	BatchSize   int            // tasks in a batch; 0 lets the machine choose
	BatchBytes  int            // input bytes in a batch, unless one task alone has more
	Retries     int            // further attempts at a task after the first
	RetryBudget int            // further attempts at all tasks together; 0 is no bound
	Backoff     time.Duration  // before the second attempt; 0 is 20 ms
	Streams     bool           // workers answer when they begin
	Flow        *Flow          // shared with other jobs on the backend; nil is one of its own
	Copies      float64        // of all invocations and tasks, the share that may be run twice since they are late
	Random      func() float64 // in [0, 1), for jitter
}

// Counts is what a machine has to tell.
type Counts struct {
	Queued, Running, Settled, Failed, Retried int64 // tasks
	Invocations, Lost, Throttled, Copies      int64 // invocations
	Recalled                                  int64 // tasks among those settled whose result came from elsewhere; kept by a Runner
	More                                      bool  // inputs are still coming
}

// Machine holds the tasks of one job. Its caller tells it what happened and when, and asks what to do next. It is not
// safe for concurrent use.
type Machine struct {
	policy Policy
	size   sizer
	flow   *Flow
	late   late

	queue    queue    // not begun
	returned queue    // handed back without blame: they go first
	held     int      // bytes of the inputs in suspects and delayed
	suspects [][]Task // parts of batches that lost their worker, each to be run by itself
	suspect  int      // tasks in them
	delayed  delays
	parked   int // tasks that wait for a worker of their level, with their Runner
	dropped  int // tasks that will not run, since the job cannot go on
	aside    int // tasks whose results may come from elsewhere

	flying int      // invocations under way
	under  []*Batch // theirs
	closed bool     // no more inputs come
	barren int      // invocations in a row that ended well and settled nothing
	counts Counts
	fatal  error // the job cannot go on
}

// NewMachine makes a machine without tasks.
func NewMachine(p Policy) *Machine {
	p.Concurrency, p.CPUs = max(p.Concurrency, 1), max(p.CPUs, 1)
	m := &Machine{policy: p, size: newSizer(p), flow: p.Flow}
	if m.flow == nil {
		m.flow = newFlow(p.Concurrency)
	}
	return m
}

// Push adds a new task.
func (m *Machine) Push(t Task) { m.queue.add(t) }

// SetAside adds a new task that is not queued yet, and may never be: its result may come from elsewhere. It reports whether
// the job goes on.
func (m *Machine) SetAside() bool {
	if m.fatal != nil {
		m.dropped++
		return false
	}
	m.aside++
	return true
}

// Close notes that all tasks were pushed.
func (m *Machine) Close() { m.closed = true }

// Bytes returns the size of the inputs of all tasks that are neither settled nor under way.
func (m *Machine) Bytes() int { return m.queue.bytes + m.returned.bytes + m.held }

// pending returns how many tasks are neither settled nor under way.
func (m *Machine) pending() int {
	return m.queue.len() + m.returned.len() + m.suspect + len(m.delayed) + m.parked
}

// Finished reports whether there is nothing more to do: all tasks are settled, or the job cannot go on, and no
// invocation is under way.
func (m *Machine) Finished() bool {
	return m.flying == 0 && (m.fatal != nil || m.closed && m.pending()+m.aside == 0)
}

// Stop keeps further batches from being begun, and lets go of the tasks that wait. The first reason counts.
func (m *Machine) Stop(reason error) {
	if m.fatal != nil {
		return
	}
	m.fatal = reason
	m.dropped += m.pending() + m.aside
	m.aside = 0
	m.queue, m.returned, m.suspects, m.suspect, m.delayed = queue{}, queue{}, nil, 0, nil
	m.held, m.parked = 0, 0
}

// Err returns why the job cannot go on, or nil.
func (m *Machine) Err() error { return m.fatal }

// Ready reports whether Next would return a batch. If not, it returns when to ask again, or the zero time for after the
// next event.
func (m *Machine) Ready(now time.Time) (bool, time.Time) {
	if m.fatal != nil || m.flying >= m.policy.Concurrency {
		return false, time.Time{}
	}
	if !m.waits(now) {
		if b, again := m.latest(now); b == nil {
			return false, sooner(again, m.delayed.soonest())
		}
	}
	return m.flow.admits(m, now)
}

// waits reports whether a task is to be run now.
func (m *Machine) waits(now time.Time) bool {
	return m.pending() > len(m.delayed)+m.parked || m.delayed.due(now)
}

// sooner returns the earlier of two times, of which the zero time is none.
func sooner(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// Next returns a batch to invoke. Without one, it returns when to ask again, as Ready does.
func (m *Machine) Next(now time.Time) (*Batch, time.Time) {
	ready, again := m.Ready(now)
	if !ready {
		return nil, again
	}
	if !m.waits(now) {
		return m.copy(now)
	}
	var tasks []Task
	suspect := false
	switch {
	case len(m.suspects) > 0:
		tasks, suspect = m.suspects[0], true
		m.suspects[0] = nil
		m.suspects = m.suspects[1:]
		m.suspect -= len(tasks)
		m.held -= size(tasks...)
	case m.returned.len() > 0:
		tasks = m.returned.take(m.fit(&m.returned))
	case m.delayed.due(now):
		tasks, suspect = m.delayed.take(now, m.size.next(len(m.delayed)), m.policy.BatchBytes)
		m.held -= size(tasks...)
	default:
		tasks = m.queue.take(m.fit(&m.queue))
	}
	b := newBatch(tasks, suspect, now)
	m.counts.Running += int64(len(tasks))
	m.begin(b)
	return b, time.Time{}
}

// copy returns a copy of a late batch. Results come meanwhile, so that none may be late any more: then it returns when to
// ask again.
func (m *Machine) copy(now time.Time) (*Batch, time.Time) {
	for {
		late, again := m.latest(now)
		if late == nil {
			return nil, sooner(again, m.delayed.soonest())
		}
		m.late.queue = m.late.queue[1:]
		b := late.again(now)
		if b == nil {
			continue
		}
		m.late.copied += len(b.Tasks)
		m.counts.Copies++
		m.begin(b)
		return b, time.Time{}
	}
}

// begin notes that a batch is under way.
func (m *Machine) begin(b *Batch) {
	m.flying++
	m.flow.begin()
	m.counts.Invocations++
	b.place = len(m.under)
	m.under = append(m.under, b)
}

// fit returns how many of the tasks that wait make a good batch.
func (m *Machine) fit(q *queue) int {
	n := min(m.size.next(q.len()), q.len())
	if m.policy.BatchBytes > 0 {
		n = q.within(n, m.policy.BatchBytes)
	}
	return n
}

// Failed is told of a settled task's failure, and of whether another attempt may help. It reports whether the failure
// is final; otherwise the task will run again.
func (m *Machine) Failed(t Task, again bool, now time.Time) (attempts int, final bool) {
	attempts, final = m.failed(t, again, false, now)
	if !final {
		m.counts.Settled-- // End counts it among what the batch settled
	}
	return attempts, final
}

func (m *Machine) failed(t Task, again, alone bool, now time.Time) (attempts int, final bool) {
	t.Attempt++
	attempts = int(t.Attempt)
	if !again || attempts > m.policy.Retries || m.policy.RetryBudget > 0 && m.counts.Retried >= int64(m.policy.RetryBudget) {
		m.counts.Failed++
		return attempts, true
	}
	m.counts.Retried++
	m.held += size(t)
	m.delayed.add(delayed{now.Add(m.delay(attempts)), t, alone || t.Level > 0})
	return attempts, false
}

// delay is the time before the next attempt: doubling to 5 s, less up to a half at random.
func (m *Machine) delay(attempt int) time.Duration {
	first := m.policy.Backoff
	if first <= 0 {
		first = 20 * time.Millisecond
	}
	d := max(min(first<<min(attempt-1, 10), 5*time.Second), first)
	return d - time.Duration(float64(d)/2*m.random())
}

// random is for jitter.
func (m *Machine) random() float64 {
	if m.policy.Random == nil {
		return 0
	}
	return m.policy.Random()
}

// Counts returns what happened so far. Queued, running and settled tasks add up to those that were pushed; tasks that a
// stopped job will not run count as queued, and those that are aside as running.
func (m *Machine) Counts() Counts {
	c := m.counts
	c.Queued = int64(m.pending() + m.dropped)
	c.Running += int64(m.aside)
	c.More = !m.closed
	return c
}
