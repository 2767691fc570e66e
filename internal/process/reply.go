package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/gowren/gowren/internal/wire"
)

// cancelGrace is how long a cancelled worker may take to come to rest before it is killed.
const cancelGrace = 250 * time.Millisecond

var cancelFrame = wire.AppendFrame(nil, wire.TypeCancel, nil)

// Invoke sends a request to an idle worker, and returns its reply, which must be closed. When ctx is cancelled, the
// worker is told to stop, and killed when it does not.
func (c *Child) Invoke(ctx context.Context, body []byte) (io.ReadCloser, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r := &reply{c: c, ctx: ctx, begun: time.Now()}
	if ctx.Done() != nil {
		r.unwatch = context.AfterFunc(ctx, r.cancel)
	}
	c.writing.Lock()
	_, err := c.send.Write(body)
	c.writing.Unlock()
	if err != nil {
		err = r.broken(err)
		r.release()
		return nil, err
	}
	return r, nil
}

// reply reads a worker's frames as they come.
type reply struct {
	c       *Child
	ctx     context.Context
	begun   time.Time
	tracker wire.Tracker
	unwatch func() bool
	err     error

	stop sync.Once
	mu   sync.Mutex
	kill *time.Timer // set when the worker was told to stop
	over bool
}

func (r *reply) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
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
		reason := fmt.Errorf("it did not stop within %v of being told to: %w", cancelGrace, context.Canceled)
		r.kill = time.AfterFunc(cancelGrace, func() { r.c.kill(reason) })
		r.mu.Unlock()
		if !r.c.writing.TryLock() { // it has not taken the request
			r.c.kill(context.Canceled)
			return
		}
		defer r.c.writing.Unlock()
		if _, err := r.c.send.Write(cancelFrame); err != nil {
			r.c.kill(err)
		}
	})
}

// Close comes back when the worker is at rest, or gone.
func (r *reply) Close() error {
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
	if r.tracker.Leaves() {
		select {
		case <-r.c.exited:
		case <-time.After(time.Second):
			r.c.kill(errors.New("it said that it would leave, and stayed"))
			<-r.c.exited
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
