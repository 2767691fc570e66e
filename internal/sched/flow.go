package sched

import (
	"sync"
	"time"
)

const (
	// patience is how long a backend may throttle every request before the job gives up.
	patience = 5 * time.Minute
	// series is how far refusals may be apart to be of one series: more than any wait between two.
	series = time.Minute
	// elsewhere is when a job looks again whether others have made room while the backend throttles.
	elsewhere = 250 * time.Millisecond
)

// Flow holds back invocations while a backend throttles, of all jobs that share it. A refusal halves how many may be under
// way, and the wait before the next is longer each time. What ends well lets the number grow: to what was last refused by half
// of what is missing in each round, and from there by one, two, four and so on. It is safe for concurrent use.
type Flow struct {
	mu     sync.Mutex
	shared bool
	most   float64 // that the backend is said to take
	limit  float64 // most is none: who asks for more waits in the backend
	goal   float64 // what was refused
	step   float64 // by which the limit grows in a round, beyond the goal
	round  float64 // endings in this one
	flying int
	peak   int // the most that were under way since the last refusal
	pause  time.Duration
	until  time.Time              // no invocation before it
	since  time.Time              // when nothing but throttling began; zero if something else happened since
	last   time.Time              // refusal
	asked  map[*Machine]time.Time // when jobs asked in vain
}

// NewFlow returns one to share, for a backend that takes so many invocations at once.
func NewFlow(concurrency int) *Flow {
	f := newFlow(concurrency)
	f.shared = true
	return f
}

func newFlow(concurrency int) *Flow {
	most := float64(max(concurrency, 1))
	return &Flow{most: most, limit: most, goal: most, step: 1, asked: map[*Machine]time.Time{}}
}

// admits reports whether a job may begin another invocation. If not, it returns when to ask again, or the zero time for when
// one of its own is over. One of each job is always admitted, but for the wait; beyond that, jobs that ask in vain leave each
// other equal shares.
func (f *Flow) admits(m *Machine, now time.Time) (bool, time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if m.flying > 0 && f.limit < f.most && (f.flying >= int(f.limit) || m.flying >= f.share(m, now)) {
		if !f.shared {
			return false, time.Time{}
		}
		f.asked[m] = now
		return false, now.Add(elsewhere)
	}
	if f.until.After(now) {
		return false, f.until
	}
	delete(f.asked, m)
	return true, time.Time{}
}

// share is how many invocations a job may have while others ask in vain.
func (f *Flow) share(m *Machine, now time.Time) int {
	others := 0
	for x, at := range f.asked {
		switch {
		case x == m:
		case now.Sub(at) > 2*elsewhere: // it asks no more
			delete(f.asked, x)
		default:
			others++
		}
	}
	if others == 0 {
		return int(f.most)
	}
	return max(int(f.limit)/(others+1), 1)
}

func (f *Flow) begin() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.flying++
	f.peak = max(f.peak, f.flying)
}

// forget lets go of a job that is over.
func (f *Flow) forget(m *Machine) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.asked, m)
}

// back notes that an invocation was not made after all.
func (f *Flow) back() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.flying--
}

// ended notes that an invocation ended well.
func (f *Flow) ended() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.flying--
	f.pause, f.since = 0, time.Time{}
	if f.limit < f.goal*15/16 {
		f.limit += max(1, (f.goal-f.limit)/2) / f.limit
		return
	}
	f.limit = min(f.limit+f.step/f.limit, f.most)
	if f.round++; f.round >= f.limit {
		f.round, f.step = 0, 2*f.step
	}
}

// lost notes that an invocation is over that the backend took, though it came to nothing.
func (f *Flow) lost() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.flying--
	f.since = time.Time{}
}

// throttled reports whether it is time to give up: when the backend has taken nothing for long, and has nothing under way
// that it took. The random number in [0, 1) is for jitter.
func (f *Flow) throttled(now time.Time, random float64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.flying--
	again := !f.since.IsZero() && now.Sub(f.last) <= series
	if !again {
		f.since = now
	}
	f.last = now
	if now.Before(f.until) { // sent before the last one came back: the same news
		return false
	}
	refused := max(min(f.limit, float64(f.peak)), 1)
	if !again { // where nothing is taken at all, that says nothing about how many are too many
		f.goal = refused
	}
	f.limit, f.step, f.round = max(refused/2, 1), 1, 0
	f.peak = f.flying
	f.pause = min(max(2*f.pause, 50*time.Millisecond), 10*time.Second)
	f.until = now.Add(f.pause - time.Duration(float64(f.pause)/2*random))
	if f.flying > 0 || now.Sub(f.since) <= patience {
		return false
	}
	f.since = time.Time{} // the next job has a time of its own
	return true
}
