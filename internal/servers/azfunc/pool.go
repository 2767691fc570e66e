package azfunc

import (
	"context"
	"errors"
)

var errBusy = errors.New("all instances are taken, and too many wait")

// take returns an instance that serves nobody: one that is idle, a new one, or the next that becomes free.
func (h *host) take(ctx context.Context) (*instance, error) {
	o := h.site.server.options
	h.mu.Lock()
	defer h.mu.Unlock()
	for {
		if h.ended {
			return nil, errors.New("the app was stopped")
		}
		if n := len(h.idle); n > 0 {
			i := h.idle[n-1]
			h.idle = h.idle[:n-1]
			if !i.gone() {
				return i, nil
			}
			delete(h.instances, i)
			continue
		}
		if len(h.instances)+h.starting < o.Instances {
			return h.add(ctx)
		}
		if h.waiting >= o.Queue {
			return nil, errBusy
		}
		if err := h.wait(ctx); err != nil {
			return nil, err
		}
	}
}

// add starts an instance. The host is locked, but while it starts.
func (h *host) add(ctx context.Context) (*instance, error) {
	h.starting++
	h.mu.Unlock()
	i, err := h.start(ctx)
	h.mu.Lock()
	h.starting--
	if err == nil && h.ended {
		i.kill()
		err = errors.New("the app was stopped")
	}
	if err != nil {
		h.tell()
		return nil, err
	}
	h.instances[i] = true
	return i, nil
}

// wait returns when something has changed. The host is locked, but while it waits.
func (h *host) wait(ctx context.Context) error {
	changed := h.changed
	h.waiting++
	h.mu.Unlock()
	var err error
	select {
	case <-changed:
	case <-ctx.Done():
		err = ctx.Err()
	}
	h.mu.Lock()
	h.waiting--
	return err
}

// tell wakes those who wait. The host is locked.
func (h *host) tell() {
	close(h.changed)
	h.changed = make(chan struct{})
}

// free gives an instance back.
func (h *host) free(i *instance) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if i.gone() {
		delete(h.instances, i)
	} else {
		h.idle = append(h.idle, i)
	}
	h.tell()
}

// end kills all instances and lets nobody have another.
func (h *host) end() {
	h.mu.Lock()
	h.ended = true
	h.tell()
	instances := h.instances
	h.instances, h.idle = map[*instance]bool{}, nil
	h.mu.Unlock()
	for i := range instances {
		i.kill()
	}
}

// Kill ends all workers of all apps, as when their machines fail.
func (s *Server) Kill() {
	s.mu.Lock()
	var hosts []*host
	for _, a := range s.sites {
		a.mu.Lock()
		if a.host != nil {
			hosts = append(hosts, a.host)
		}
		a.mu.Unlock()
	}
	s.mu.Unlock()
	for _, h := range hosts {
		h.mu.Lock()
		var instances []*instance
		for i := range h.instances {
			instances = append(instances, i)
		}
		h.mu.Unlock()
		for _, i := range instances {
			i.kill()
		}
	}
}
