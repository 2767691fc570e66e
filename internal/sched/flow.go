package sched

import (
	"sync"
	"time"
)

const (
	// patience is how long a backend may throttle every request before the job gives up.
	patience = 5 * time.Minute
	// elsewhere is when a job looks again whether others have made room while the backend throttles.
	elsewhere = 250 * time.Millisecond
)

// Flow holds back invocations while a backend throttles, of all jobs that share it. Each refusal halves how many may be
// under way, and the wait before the next is longer each time. What ends well lets the number grow: by one each, so that
// it doubles in a round, up to half of what was last refused, and from there by a sixteenth of that in a round, and one at
// least. It is safe for concurrent use.
type Flow struct {
	mu     sync.Mutex
	shared bool
	most   float64 // that the backend is said to take
	limit  float64 // most is none: who asks for more waits in the backend
	proven float64 // up to here the limit doubles
	flying int
	peak   int // the most that were under way since the last refusal
	pause  time.Duration
	until  time.Time // no invocation before it
	since  time.Time // when nothing but throttling began; zero if something else happened since
}

// NewFlow returns one to share, for a backend that takes so many invocations at once.
func NewFlow(concurrency int) *Flow {
	f := newFlow(concurrency)
	f.shared = true
	return f
}

func newFlow(concurrency int) *Flow {
	most := float64(max(concurrency, 1))
	return &Flow{most: most, limit: most, proven: most}
}

// admits reports whether a job that has own invocations under way may begin another. If not, it returns when to ask again,
// or the zero time for when one of its own is over. One of each job is always admitted, but for the wait.
func (f *Flow) admits(own int, now time.Time) (bool, time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case own > 0 && f.limit < f.most && f.flying >= int(f.limit):
		if f.shared {
			return false, now.Add(elsewhere)
		}
		return false, time.Time{}
	case f.until.After(now):
		return false, f.until
	}
	return true, time.Time{}
}

func (f *Flow) begin() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.flying++
	f.peak = max(f.peak, f.flying)
}

// over notes that an invocation is, however it was.
func (f *Flow) over() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.flying--
}

func (f *Flow) ended() {
	f.mu.Lock()
	defer f.mu.Unlock()
	step := 1.0
	if f.limit >= f.proven {
		step = max(1, f.proven/16) / f.limit
	}
	f.limit = min(f.limit+step, f.most)
	f.pause, f.since = 0, time.Time{}
}

// lost notes that the backend took an invocation, though it came to nothing.
func (f *Flow) lost() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.since = time.Time{}
}

// throttled reports whether it is time to give up. The random number in [0, 1) is for jitter.
func (f *Flow) throttled(now time.Time, random float64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	again := !f.since.IsZero()
	if !again {
		f.since = now
	}
	if now.Before(f.until) { // sent before the last one came back: the same news
		return false
	}
	if !again { // where nothing is taken at all, that says nothing about how many are too many
		f.proven = max(f.limit/2, 1)
	}
	f.limit = max(min(f.limit, float64(max(f.peak, 1)))/2, 1)
	f.peak = f.flying
	f.pause = min(max(2*f.pause, 50*time.Millisecond), 10*time.Second)
	f.until = now.Add(f.pause - time.Duration(float64(f.pause)/2*random))
	return now.Sub(f.since) > patience
}
