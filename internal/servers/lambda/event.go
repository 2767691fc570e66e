package lambda

import (
	"net/http"
	"time"
)

// invokeEvent takes an Event, and delivers it later.
func (c *call) invokeEvent(v *invocation) (int, any, error) {
	s := c.s
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := c.invocable()
	if err != nil {
		return 0, nil, err
	}
	copies := 1
	if s.due(func(f *Faults) *int { return &f.Duplicate }) {
		copies = 2
	}
	for range copies {
		s.work.Go(func() { s.deliver(f, v) })
	}
	return http.StatusAccepted, nil, nil
}

// deliver delivers an Event: again after a function error, as often as the function has it, and after throttling until
// there is room, which on Lambda has an end after six hours.
func (s *Server) deliver(f *function, event *invocation) {
	wait := s.options.EventRetry
	for failures := 0; ; {
		v := newInvocation(event.payload)
		v.id, v.client = event.id, event.client
		s.mu.Lock()
		gone := s.closed || s.functions[f.name] != f
		retries := f.retries()
		var err error
		if !gone {
			f.settle()
			err = s.begin(f, v)
		}
		s.mu.Unlock()
		if gone {
			return
		}
		if err == nil {
			v.each(func([]byte) {})
			if v.failed == nil {
				return
			}
			if failures++; failures > retries {
				return
			}
		}
		select {
		case <-time.After(wait):
			wait *= 2
		case <-s.stop:
			return
		}
	}
}
