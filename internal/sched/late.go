package sched

import (
	"math"
	"time"
)

// Once no task waits any more, workers that are free run copies of batches that are late: of ones whose worker did not
// answer in time, as where a platform starts some workers late, and of ones that take longer than others did. What is late
// is judged by how long others took, with more patience where there were few. Copies are few too ([Policy]): they wait until
// they can be had for all that is late, so that they go to the last ones, and not to the first.
const (
	lateFloor    = time.Second // nothing is late before
	copiesAtOnce = 2           // of a batch: the worker of a copy may be slow, too
	latestRun    = 1.5         // times what is expected, at least
)

// late judges batches.
type late struct {
	starts spread    // seconds to a worker's answer
	runs   spread    // how long batches took from there, by how long was expected
	copied int       // tasks in copies
	again  time.Time // nothing is late before
}

// Started notes that a batch's worker has answered, if only to say that it is at work.
func (m *Machine) Started(b *Batch, now time.Time) {
	if b.started.IsZero() {
		b.started = now
		m.late.starts.add(now.Sub(b.Begun).Seconds())
		m.late.renew()
	}
}

// ran notes how long a batch took.
func (m *Machine) ran(b *Batch, now time.Time) {
	since := b.started
	if since.IsZero() {
		since = b.Begun
	}
	if expected := m.size.expect(len(b.Tasks)); expected > 0 {
		m.late.runs.add(float64(now.Sub(since)) / float64(expected))
		m.late.renew()
	}
}

// renew has the next question answered anew, while each answer teaches much.
func (l *late) renew() {
	if l.starts.n+l.runs.n < 64 {
		l.again = time.Time{}
	}
}

// limit returns from when on a batch is judged, and after how long it is late. It is not known of the first ones.
func (m *Machine) limit(b *Batch) (since time.Time, limit time.Duration, known bool) {
	expected := float64(m.size.expect(len(b.Tasks)))
	if starts := &m.late.starts; b.started.IsZero() && m.policy.Streams {
		usual := starts.quantile(0.5) * starts.caution() * float64(time.Second)
		return b.Begun, max(lateFloor, time.Duration(max(usual, expected))), starts.n > 0
	}
	since = b.started
	if since.IsZero() {
		since = b.Begun
	}
	runs := &m.late.runs
	usual := expected * max(latestRun, runs.quantile(0.95)) * runs.caution()
	return since, max(lateFloor, time.Duration(usual)), runs.n > 0 && expected > 0
}

// caution is a factor for judgements by so few samples: 3 for one, 1.2 for a hundred.
func (s *spread) caution() float64 { return 1 + 2/math.Sqrt(float64(max(s.n, 1))) }

// latest returns the batch that is most late, if there is one and it may have a copy. Otherwise it returns
// when to ask again.
func (m *Machine) latest(now time.Time) (*Batch, time.Time) {
	may := m.mayCopy()
	switch {
	case may <= 0 || !m.closed || m.pending() > 0:
		return nil, time.Time{}
	case m.flow.until.After(now):
		return nil, m.flow.until
	case m.late.again.After(now):
		return nil, m.late.again
	}
	var most *Batch
	var worst float64
	var soonest time.Time
	candidates, longest := 0, time.Duration(0)
	for _, b := range m.under {
		if n := len(b.work.batches); n > copiesAtOnce || b.work.batches[n-1] != b || b.over() { // the last copy tells
			continue
		}
		since, limit, known := m.limit(b)
		if !known {
			continue
		}
		took := now.Sub(since)
		longest = max(longest, took)
		if took < limit {
			if due := since.Add(limit); soonest.IsZero() || due.Before(soonest) {
				soonest = due
			}
			continue
		}
		candidates++
		if by := float64(took) / float64(limit); by > worst {
			most, worst = b, by
		}
	}
	// A tenth of what passed is soon enough to look again, and often enough for what is judged otherwise by then.
	if look := now.Add(max(longest/8, lateFloor/2)); soonest.IsZero() && candidates > 0 || look.Before(soonest) {
		soonest = look
	}
	if most == nil || candidates > may || m.late.copied+int(most.work.open.Load()) > m.mayCopyTasks() {
		m.late.again = soonest
		return nil, soonest
	}
	return most, time.Time{}
}

// mayCopy returns how many further invocations may be copies.
func (m *Machine) mayCopy() int {
	if m.policy.Copies <= 0 {
		return 0
	}
	own := m.counts.Invocations - m.counts.Copies - m.counts.Throttled
	return max(int(m.policy.Copies*float64(own)), 1) - int(m.counts.Copies)
}

// mayCopyTasks returns how many tasks may be in copies, all in all.
func (m *Machine) mayCopyTasks() int {
	tasks := m.counts.Settled + m.counts.Running
	return max(int(m.policy.Copies*float64(tasks)), 1)
}
