package sched

import "time"

// patience is how long a backend may throttle every request before the job gives up.
const patience = 5 * time.Minute

// flow holds back invocations while the backend throttles: it halves how many are under way, waits longer each time,
// and lets the number grow by one for each round that ends well.
type flow struct {
	max    float64
	now    float64
	pause  time.Duration
	until  time.Time // no invocation before it
	since  time.Time // when nothing but throttling began; zero if something else happened since
	random func() float64
}

func newFlow(p Policy) flow {
	return flow{max: float64(p.Concurrency), now: float64(p.Concurrency), random: p.Random}
}

func (f *flow) limit() int { return max(int(f.now), 1) }

func (f *flow) ended() {
	f.now = min(f.now+1/max(f.now, 1), f.max)
	f.pause, f.since = 0, time.Time{}
}

// lost notes that the backend took an invocation, though it came to nothing.
func (f *flow) lost() { f.since = time.Time{} }

// throttled reports whether it is time to give up.
func (f *flow) throttled(now time.Time) bool {
	if f.since.IsZero() {
		f.since = now
	}
	if now.Before(f.until) { // sent before the last one came back: the same news
		return false
	}
	f.now = max(f.now/2, 1)
	f.pause = min(max(2*f.pause, 50*time.Millisecond), 10*time.Second)
	wait := f.pause
	if f.random != nil {
		wait -= time.Duration(float64(wait) / 2 * f.random())
	}
	f.until = now.Add(wait)
	return now.Sub(f.since) > patience
}
