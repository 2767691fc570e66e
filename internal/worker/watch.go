package worker

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/wire"
)

// grace is how long a task may go on after its context was cancelled for its time-out.
const grace = 500 * time.Millisecond

// watch holds tasks to the request's time-out with one timer for all of them: a task past it has its context cancelled,
// and one that goes on past the grace ends the run. The function that it returns ends the watch.
func (r *run) watch(slots []*slot) (unwatch func()) {
	limit := r.req.Timeout
	if limit == 0 {
		return func() {}
	}
	var mu sync.Mutex
	var ended bool
	var timer *time.Timer
	look := func() {
		mu.Lock()
		defer mu.Unlock()
		if ended {
			return
		}
		wait := limit
		for _, s := range slots {
			wait = min(wait, s.look(limit))
		}
		timer.Reset(max(wait, time.Millisecond))
	}
	mu.Lock()
	defer mu.Unlock()
	timer = time.AfterFunc(limit, look)
	return func() {
		mu.Lock()
		defer mu.Unlock()
		ended = true
		timer.Stop()
	}
}

// look returns when the slot's task needs to be looked at again.
func (s *slot) look(limit time.Duration) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.position < 0 {
		return limit
	}
	switch over := time.Since(s.since) - limit; {
	case over < 0:
		return -over
	case !s.late:
		s.late = true
		s.cancel(fmt.Errorf("the task's time-out of %v: %w", limit, backends.ErrTimeout))
		return grace
	case over < grace:
		return grace - over
	}
	s.fail(wire.Failure{
		Position: s.position, Cause: wire.CauseTimeout, Again: true, Stack: s.stack(),
		Message: fmt.Sprintf("the task ran longer than its time-out of %v, and did not return when its context was cancelled", limit),
	})
	s.r.stop.Do(func() { close(s.r.gone) })
	return limit
}

// stack returns the stack of the slot's goroutine, or of all when it cannot be told apart.
func (s *slot) stack() string {
	buf := make([]byte, 256<<10)
	all := string(buf[:runtime.Stack(buf, true)])
	for one := range strings.SplitSeq(all, "\n\n") {
		if strings.Contains(one, fmt.Sprintf("(*slot).run(%p", s)) {
			return one
		}
	}
	return all
}
