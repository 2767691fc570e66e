package sched

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Once no task waits any more, workers that are free run copies of batches that are late: of ones whose worker did not
// answer in time, as where a platform starts some workers late, and of ones that take longer than others did. What is late
// is judged by how long others took, with more patience where there were few. Copies are few too ([Policy]): they wait until
// they can be had for all that is late, so that they go to the last ones, and not to the first.
const (
	lateFloor  = time.Second // nothing is late before
	mostCopies = 2           // of a batch: the worker of a copy may be slow, too; but the tasks may be what is
	latestRun  = 1.5         // times what is expected, at least
)

// late judges batches.
type late struct {
	starts spread    // seconds to a worker's answer
	runs   spread    // how long batches took from there, by how long was expected
	copied int       // tasks in copies
	queue  []*Batch  // found to be late, the most late first
	again  time.Time // when to look for more
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

// judge knows from when on a batch is late.
type judge struct {
	m     *Machine
	start float64 // usual seconds to an answer, with caution; 0 is not known
	run   float64 // usual run, likewise, by what was expected
}

func (m *Machine) judge() judge {
	l := &m.late
	j := judge{m: m, start: l.starts.quantile(0.5) * l.starts.caution()}
	if l.runs.n > 0 {
		j.run = max(latestRun, l.runs.quantile(0.95)) * l.runs.caution()
	}
	return j
}

// limit returns from when on a batch is judged, and after how long it is late. It is not known of the first ones.
func (j judge) limit(b *Batch) (since time.Time, limit time.Duration, known bool) {
	if b.queued {
		return since, 0, false
	}
	expected := float64(j.m.size.expect(len(b.Tasks)))
	if b.started.IsZero() && j.m.policy.Streams {
		return b.Begun, max(lateFloor, time.Duration(max(j.start*float64(time.Second), expected))), j.start > 0
	}
	since = b.started
	if since.IsZero() {
		since = b.Begun
	}
	return since, max(lateFloor, time.Duration(j.run*expected)), j.run > 0 && expected > 0
}

// caution is a factor for judgements by so few samples: 3 for one, 1.2 for a hundred.
func (s *spread) caution() float64 { return 1 + 2/math.Sqrt(float64(max(s.n, 1))) }

// latest returns the batch that is most late, if there is one and it may have a copy. Otherwise it returns when to ask again.
func (m *Machine) latest(now time.Time) (*Batch, time.Time) {
	if m.mayCopy() <= 0 || !m.closed {
		return nil, time.Time{}
	}
	for {
		for q := &m.late.queue; len(*q) > 0; *q = (*q)[1:] {
			if b := (*q)[0]; m.copyable(b) && m.late.copied+int(b.work.open.Load()) <= m.mayCopyTasks() {
				return b, time.Time{}
			}
		}
		if m.late.again.After(now) || !m.look(now) {
			return nil, m.late.again
		}
	}
}

// copyable reports whether a batch may have a copy, or another one where it is the last copy and late, too.
func (m *Machine) copyable(b *Batch) bool {
	w := b.work
	return !b.left && !b.over() && w.copies.Load() < mostCopies && w.batches[len(w.batches)-1] == b
}

// look looks for batches that are late, and notes when to look again. It reports whether it has found any that are to have
// copies now.
func (m *Machine) look(now time.Time) bool {
	type found struct {
		b  *Batch
		by float64
	}
	var all []found
	var soonest time.Time
	var longest time.Duration
	j := m.judge()
	for _, b := range m.under {
		if !m.copyable(b) {
			continue
		}
		since, limit, known := j.limit(b)
		if !known {
			continue
		}
		took := now.Sub(since)
		longest = max(longest, took)
		if took >= limit {
			all = append(all, found{b, float64(took) / float64(limit)})
		} else if due := since.Add(limit); soonest.IsZero() || due.Before(soonest) {
			soonest = due
		}
	}
	// An eighth of what passed is soon enough to look again, and often enough for what is judged otherwise by then.
	if look := now.Add(max(longest/8, lateFloor/8)); len(all) > 0 || !soonest.IsZero() {
		if soonest.IsZero() || look.Before(soonest) {
			soonest = look
		}
	}
	m.late.again = soonest
	if len(all) == 0 || len(all) > m.mayCopy() {
		return false
	}
	slices.SortStableFunc(all, func(a, b found) int { return cmp.Compare(b.by, a.by) })
	m.late.queue = m.late.queue[:0]
	for _, x := range all {
		m.late.queue = append(m.late.queue, x.b)
	}
	return true
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
