package progress

import (
	"io"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	barDelay  = 500 * time.Millisecond // before it, the user has not begun to wait
	barPeriod = 100 * time.Millisecond
	linePause = 5 * time.Second // before the first plain line and between them
	mostLines = 8               // plain lines at a time; beyond it, jobs are only counted
)

// View writes progress and log lines to one writer. It is safe for concurrent use.
type View struct {
	screen        *screen // nil if the view shows nothing
	delay, period time.Duration

	// mu is held while the job counts are asked for, but screen's own lock is not, so that a job may log while it counts.
	mu         sync.Mutex
	jobs       []*job        // watched, in the order in which they began
	visible    *job          // whose bar is drawn
	quit, done chan struct{} // end the goroutine, and tell that it has; quit is closed with mu held
}

// job is one that is watched. View.mu guards it.
type job struct {
	name   string
	counts func() Counts
	begin  time.Time
	meter  meter
	shown  bool // by its name, so that its end is worth a line
}

// New returns a view that writes to w: a bar if w is a terminal, else plain lines. If w is nil, it shows nothing.
//
// Each update is one call of w.Write, and calls do not overlap. Whoever has a terminal that knows no escape sequences, or
// wants no bar, hides the [os.File] in another type.
func New(w io.Writer) *View {
	if w == nil {
		return &View{}
	}
	return newView(w, terminalWidth(w))
}

// newView returns a view on a terminal whose number of columns width tells, or with plain lines if width is nil.
func newView(w io.Writer, width func() (columns int, ok bool)) *View {
	v := &View{screen: &screen{w: w, width: width}, delay: linePause, period: linePause}
	if width != nil {
		v.delay, v.period = barDelay, barPeriod
	}
	return v
}

// Watch shows the job until stop is called. Several jobs may be watched at once; a terminal shows the latest of them and
// how many others there are.
//
// counts is called often, though never twice at once, and not after stop has returned. It must be quick, and must not call
// Watch or stop; it may call Log.
//
// stop returns when the last line about the job has been written, and when it was the last job, the view's goroutine has
// ended. Calling it again does nothing. It must not be called with anything locked that counts needs.
func (v *View) Watch(name string, counts func() Counts) (stop func()) {
	if v.screen == nil {
		return func() {}
	}
	j := &job{name: cleanName(name), counts: counts}

	v.mu.Lock()
	defer v.mu.Unlock()
	j.begin = time.Now()
	j.meter.begin = j.begin
	v.jobs = append(v.jobs, j)
	if len(v.jobs) == 1 {
		v.quit, v.done = make(chan struct{}), make(chan struct{})
		go v.loop(v.quit, v.done)
	}
	return sync.OnceFunc(func() { v.stop(j) })
}

// Log writes "[label] line" on a line of its own, or the line alone if there is no label. Control characters are written
// as Go would quote them, tabs excepted; ends of line at the end of line are cut off.
func (v *View) Log(label, line string) {
	switch {
	case v.screen == nil:
	case v.screen.json:
		v.screen.logJSON(time.Now(), label, line)
	default:
		v.screen.log(label, line)
	}
}

// loop updates the view until there are no more jobs.
func (v *View) loop(quit <-chan struct{}, done chan<- struct{}) {
	defer close(done)
	tick := time.NewTicker(v.period)
	defer tick.Stop()
	for {
		select {
		case <-quit:
			return
		case <-tick.C:
			v.update(quit)
		}
	}
}

// update draws the bar, or writes the plain lines, of the jobs that have taken long enough.
func (v *View) update(quit <-chan struct{}) {
	v.mu.Lock()
	defer v.mu.Unlock()
	select {
	case <-quit: // while waiting for mu; what jobs there are now belong to another goroutine
		return
	default:
	}
	now := time.Now()
	n := len(v.jobs) // those at the front are the oldest
	for n > 0 && now.Sub(v.jobs[n-1].begin) < v.delay {
		n--
	}
	if n == 0 || v.screen.isSilent() {
		return
	}
	if v.screen.width != nil {
		v.visible = v.jobs[n-1]
		s := v.visible.status(now)
		s.others = n - 1
		v.screen.draw(s.bar)
		return
	}
	var b strings.Builder
	if v.screen.json {
		for _, j := range v.jobs[:n] {
			b.WriteString(j.status(now).json(now, now.Sub(j.begin), false))
		}
		v.screen.writeLines(b.String(), true)
		return
	}
	first := max(n-mostLines, 0)
	for i, j := range v.jobs[first:n] {
		s := j.status(now)
		if first+i == n-1 {
			s.others = first
		}
		b.WriteString(s.plain() + "\n")
	}
	v.screen.writeLines(b.String(), true)
}

// stop takes j off the view.
func (v *View) stop(j *job) {
	v.mu.Lock()
	v.jobs = slices.DeleteFunc(v.jobs, func(other *job) bool { return other == j })
	var last string
	switch {
	case v.screen.isSilent():
	case v.screen.json:
		now := time.Now()
		last = j.status(now).json(now, now.Sub(j.begin), true)
	case j.shown:
		last = final(j.name, j.counts().sane(), time.Since(j.begin)) + "\n"
	}
	v.screen.writeLines(last, v.visible != j)
	if v.visible == j {
		v.visible = nil
	}
	if len(v.jobs) > 0 {
		v.mu.Unlock()
		return
	}
	close(v.quit)
	done := v.done
	v.mu.Unlock()
	<-done
}

// status asks j how far it is, in order to show it.
func (j *job) status(now time.Time) status {
	j.shown = true
	c := j.counts().sane()
	return status{name: j.name, Counts: c, rate: j.meter.observe(now, c)}
}
