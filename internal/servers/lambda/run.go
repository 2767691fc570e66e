package lambda

import (
	"net/http"
	"slices"
	"time"
)

// begin starts an invocation of a function, in an environment that is idle or a new one. The caller holds s.mu.
func (s *Server) begin(f *function, v *invocation) error {
	if err := s.admit(f, v); err != nil {
		return err
	}
	var e *environment
	for n := len(f.idle); n > 0 && e == nil; n = len(f.idle) {
		e, f.idle = f.idle[n-1], f.idle[:n-1]
		if e.doomed() {
			e = nil
		}
	}
	d := f.live
	s.work.Go(func() { s.run(f, d, e, v) })
	return nil
}

// admit counts an invocation among those that run at once, or throttles it.
func (s *Server) admit(f *function, v *invocation) error {
	throttled := func(reason string) error {
		return &refusal{http.StatusTooManyRequests, "TooManyRequestsException", "Rate Exceeded.", reason}
	}
	switch {
	case s.faults.ThrottleInvokes > 0:
		s.faults.ThrottleInvokes--
		return throttled("ConcurrentInvocationLimitExceeded")
	case f.reserved != nil && f.busy >= *f.reserved:
		return throttled("ReservedFunctionConcurrentInvocationLimitExceeded")
	case f.reserved == nil && s.busy >= s.unreserved():
		return throttled("ConcurrentInvocationLimitExceeded")
	}
	v.kill = s.due(func(f *Faults) *int { return &f.Kill })
	v.killLate = s.due(func(f *Faults) *int { return &f.KillLate })
	f.busy++
	if f.reserved == nil {
		v.pooled = true
		s.busy++
	}
	return nil
}

// run runs an invocation, and settles it.
func (s *Server) run(f *function, d *deployment, e *environment, v *invocation) {
	began := time.Now()
	cold := e == nil
	if cold {
		e = s.boot(f, d, v)
		cold = e != nil
	} else {
		e.cage.thaw()
		v.deadline = began.Add(time.Duration(d.config.Timeout) * time.Second)
	}
	usable := false
	var peak int64
	lines := v.report // of a start that failed
	if e != nil {
		usable = e.serve(v)
		if usable {
			e.out.sync()
		} else {
			e.end()
		}
		lines, peak = e.out.take(), e.peak()
		if usable {
			e.rest()
		}
	}
	v.report = report(v, d, lines, time.Since(began), peak, cold)
	s.release(f, d, e, v, usable)
	close(v.settled)
}

// release gives back what begin took. The environment waits for the next invocation, unless it is one of the past.
func (s *Server) release(f *function, d *deployment, e *environment, v *invocation, usable bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f.busy--
	if v.pooled {
		s.busy--
	}
	if !usable {
		return
	}
	if s.functions[f.name] == f {
		f.settle()
	}
	// One that died in the meantime is no longer among its function's.
	if !s.closed && f.live == d && f.environments[e] {
		f.idle = append(f.idle, e)
		return
	}
	s.retire(e)
}

// retire ends an environment that is not wanted any more, without waiting. The caller holds s.mu.
func (s *Server) retire(e *environment) {
	s.work.Go(e.end)
}

// serve gives the invocation to the environment and waits for its end. It reports whether the environment can serve
// another.
func (e *environment) serve(v *invocation) bool {
	e.mu.Lock()
	e.current = v
	e.mu.Unlock()
	defer func() {
		e.mu.Lock()
		e.current = nil
		e.mu.Unlock()
	}()
	timeout := time.NewTimer(time.Until(v.deadline))
	defer timeout.Stop()
	next, over, asked := e.next, v.over, (chan struct{})(nil)
	for {
		select {
		case next <- v:
			next = nil
			if v.kill {
				e.kill()
			}
		case <-over: // it may now ask for the next one, or go, as one that panics does
			over, asked = nil, e.asked
		case <-asked:
			return true
		case <-e.exited:
			e.ended(v)
			return false
		case <-timeout.C:
			e.timedOut(v)
			return false
		case <-e.s.stop:
			v.fail("ServiceException", "the stand-in has ended")
			return false
		}
	}
}

// Kill kills the environments of a function that are there now, and returns how many. What they run fails.
func (s *Server) Kill(function string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.functions[function]
	if f == nil {
		return 0
	}
	for e := range f.environments {
		e.kill()
	}
	return len(f.environments)
}

// Environments returns the process ids of a function's bootstraps, sorted.
func (s *Server) Environments(function string) []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	var pids []int
	if f := s.functions[function]; f != nil {
		for e := range f.environments {
			pids = append(pids, e.cmd.Process.Pid)
		}
	}
	slices.Sort(pids)
	return pids
}
