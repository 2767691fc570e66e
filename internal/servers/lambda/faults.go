package lambda

import "time"

// Faults are what goes wrong next. Each number counts down as it happens.
type Faults struct {
	ThrottleInvokes int           // invocations that are throttled
	ThrottleControl int           // control calls that are throttled
	DropReply       int           // invocations whose connection is closed after the work, before a byte of the reply
	ResetStream     int           // streams whose connection is reset after the first piece of the reply
	Kill            int           // invocations whose environment is killed when it takes them
	KillLate        int           // invocations whose environment is killed when it has begun to reply
	Duplicate       int           // Events that are delivered twice
	ColdStart       time.Duration // every start of an environment takes so much longer, while this is set
}

// SetFaults sets what goes wrong from now on, in place of what was to.
func (s *Server) SetFaults(f Faults) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = f
}

// take counts a fault down, and reports whether it is to happen.
func (s *Server) take(which func(*Faults) *int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.due(which)
}

// due is take for one who holds s.mu.
func (s *Server) due(which func(*Faults) *int) bool {
	n := which(&s.faults)
	if *n <= 0 {
		return false
	}
	*n--
	return true
}

func (s *Server) coldStart() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults.ColdStart
}
