package worker

import (
	"io"
	"sync"
	"time"
)

// Frames are written together: many small results are one write. None waits longer than holdBack while the next task
// runs, so that the driver sees results as they come, and a worker that dies has little unsent.
const (
	holdBack   = 2 * time.Millisecond
	writeAbove = 32 << 10
)

// output collects a reply's frames.
type output struct {
	mu     sync.Mutex
	w      io.Writer
	buf    []byte
	timer  *time.Timer
	armed  bool
	closed bool  // the reply has its last frame: what comes late is dropped
	err    error // of the first failed write: the driver is gone
}

func (o *output) reset(w io.Writer) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.w, o.buf, o.closed, o.err = w, o.buf[:0], false, nil
}

// add takes a whole frame. With more to come soon, it may be held back. It reports false for a frame that comes too late.
func (o *output) add(frame []byte, more bool) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed || o.err != nil {
		return false
	}
	o.buf = append(o.buf, frame...)
	switch {
	case len(o.buf) >= writeAbove:
		o.write()
	case more && !o.armed:
		o.armed = true
		if o.timer == nil {
			o.timer = time.AfterFunc(holdBack, o.flush)
		} else {
			o.timer.Reset(holdBack)
		}
	}
	return true
}

func (o *output) flush() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.armed = false
	if !o.closed {
		o.write()
	}
}

// close adds the last frame. It returns the error of the first write that failed. Only the first call counts.
func (o *output) close(frame []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return o.err
	}
	o.buf = append(o.buf, frame...)
	o.write()
	o.closed = true
	return o.err
}

func (o *output) write() {
	if len(o.buf) > 0 && o.err == nil {
		_, o.err = o.w.Write(o.buf)
	}
	o.buf = o.buf[:0]
	if cap(o.buf) > 4<<20 {
		o.buf = nil
	}
}
