package progress

import (
	"math"
	"time"
)

// window is over how many seconds a rate is smoothed, at the least.
const window = 5.0

// meter measures how many tasks a job does in a second, of late. Tasks that take long end in waves, one for each round of
// workers; so the window is two of those waves where that is longer, or the time left would rise without end between them
// and fall with each.
type meter struct {
	begin time.Time // of the job

	last  time.Time // observed, with
	done  int64     // so many done
	tasks float64   // and these in the window, older ones faded out
	time  float64   // seconds, faded likewise
}

// observe learns the counts, and returns tasks a second.
func (m *meter) observe(now time.Time, c Counts) float64 {
	done := c.Done - c.Resumed
	if done <= 0 {
		return 0 // the start of the first workers says nothing of their speed
	}
	elapsed := now.Sub(m.begin).Seconds()
	// A task takes running/rate by Little's law, whatever the number of workers.
	span := max(window, 2*float64(c.Running)*elapsed/float64(done))
	if m.last.IsZero() {
		m.tasks, m.time = float64(done), elapsed
		if elapsed > span { // most of it went by before the first task was done
			m.time = span
		}
	} else {
		since := now.Sub(m.last).Seconds()
		keep := math.Exp(-since / span)
		m.tasks = m.tasks*keep + max(float64(done-m.done), 0)
		m.time = m.time*keep + since
	}
	m.last, m.done = now, done
	if m.time <= 0 {
		return 0
	}
	return m.tasks / m.time
}
