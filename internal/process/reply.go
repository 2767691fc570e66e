package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/wire"
)

// cancelGrace is how long a cancelled worker may take to come to rest before it is killed.
const cancelGrace = 250 * time.Millisecond

var cancelFrame = wire.AppendFrame(nil, wire.TypeCancel, nil)

// ErrUnsent marks the loss of a worker that died before it had taken the whole request: nothing of it ran.
var ErrUnsent = errors.New("the worker took no request")

// Invoke sends a request to an idle worker, and returns its reply, which must be closed. When ctx is cancelled, the
// worker is told to stop, and killed when it does not.
func (c *Child) Invoke(ctx context.Context, body []byte) (io.ReadCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if !wire.Whole(body) {
		// The worker would wait for the rest.
		return nil, fmt.Errorf("%w: a request of %d bytes that is not one whole frame: %w", backends.ErrInvalid, len(body), wire.ErrCorrupt)
	}
	r := &reply{c: c, ctx: ctx, begun: time.Now()}
	if ctx.Done() != nil {
		r.unwatch = context.AfterFunc(ctx, r.cancel)
	}
	if err := r.send(body); err != nil {
		err = r.broken(err)
		r.release()
		if ctx.Err() == nil {
			err = fmt.Errorf("%w: %w", ErrUnsent, err)
		}
		return nil, err
	}
	return r, nil
}

// reply reads a worker's frames as they come.
type reply struct {
	c       *Child
	ctx     context.Context
	begun   time.Time
	unwatch func() bool

	reading sync.Mutex // held while recv is read from
	tracker wire.Tracker
	err     error
	closed  bool

	stop   sync.Once
	mu     sync.Mutex
	sent   bool        // the request was written
	wanted bool        // the worker is to stop
	kill   *time.Timer // set with wanted
	over   bool        // the worker is another request's, or nobody's
}

// send writes the request, and the word to stop if that was given meanwhile.
func (r *reply) send(body []byte) error {
	r.c.writing.Lock()
	defer r.c.writing.Unlock()
	_, err := r.c.send.Write(body)
	r.mu.Lock()
	r.sent = true
	stop := r.wanted
	r.mu.Unlock()
	if err == nil && stop {
		_, err = r.c.send.Write(cancelFrame)
	}
	return err
}

func (r *reply) Read(p []byte) (int, error) {
	r.reading.Lock()
	defer r.reading.Unlock()
	if r.err != nil {
		return 0, r.err
	}
	if r.closed { // what comes now is the next request's
		return 0, fmt.Errorf("read a reply: %w", os.ErrClosed)
	}
	n, err := r.read(p)
	if err == nil && r.ctx.Err() != nil {
		err = r.ctx.Err()
	}
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}

func (r *reply) read(p []byte) (int, error) {
	if r.tracker.Done() {
		return 0, io.EOF
	}
	n, err := r.c.recv.Read(p)
	if n == 0 && err != nil {
		return 0, r.broken(err)
	}
	m, err := r.tracker.Advance(p[:n])
	if err == nil && m < n {
		err = fmt.Errorf("%d bytes follow the end of a reply: %w", n-m, wire.ErrCorrupt)
	}
	if err != nil {
		r.c.kill(err)
		return m, r.c.lost(r.begun, err)
	}
	return m, nil
}

// broken says what the end of the pipe means.
func (r *reply) broken(err error) error {
	lost := r.c.lost(r.begun, err)
	if ctxErr := r.ctx.Err(); ctxErr != nil {
		return ctxErr
	}
	return lost
}

// cancel tells the worker to stop, and gives it a short while.
func (r *reply) cancel() {
	r.stop.Do(func() {
		r.mu.Lock()
		if r.over {
			r.mu.Unlock()
			return
		}
		r.wanted = true
		r.kill = time.AfterFunc(cancelGrace, r.expire)
		sent := r.sent
		r.mu.Unlock()
		if !sent { // who sends the request will send this after it
			return
		}
		r.c.writing.Lock()
		defer r.c.writing.Unlock()
		if r.isOver() { // this would stop the next request
			return
		}
		if _, err := r.c.send.Write(cancelFrame); err != nil {
			r.c.kill(err)
		}
	})
}

// expire kills the worker, unless it came to rest in the last moment.
func (r *reply) expire() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.over {
		r.c.kill(fmt.Errorf("it did not stop within %v of being told to: %w", cancelGrace, context.Canceled))
	}
}

func (r *reply) isOver() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.over
}

// Close comes back when the worker is at rest, or gone. It may be called while another goroutine reads.
func (r *reply) Close() error {
	if !r.reading.TryLock() { // the reader has to come back first
		r.cancel()
		r.reading.Lock()
	}
	defer r.reading.Unlock()
	if r.closed {
		return nil
	}
	r.closed = true
	if !r.tracker.Done() && r.c.Alive() {
		r.cancel()
		buf := make([]byte, 32<<10)
		for {
			if _, err := r.read(buf); err != nil {
				break
			}
		}
	}
	r.release()
	switch {
	case r.tracker.Leaves():
		select {
		case <-r.c.exited:
		case <-time.After(time.Second):
			r.c.kill(errors.New("it said that it would leave, and stayed"))
			<-r.c.exited
		}
	case r.tracker.Refused():
		// A worker that could not tell where the request ends exits; one that lacks its function stays.
		select {
		case <-r.c.exited:
		case <-time.After(100 * time.Millisecond):
		}
	}
	return nil
}

func (r *reply) release() {
	if r.unwatch != nil {
		r.unwatch()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = true
	if r.kill != nil {
		r.kill.Stop()
	}
}
