package supervisor

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

// ReplyOptions say how a driver reads a reply.
type ReplyOptions struct {
	Worker  string        // what is known of its name
	Silence time.Duration // after which a reply that brings nothing is given up; 0 is never
	// Explain turns an error of the connection into one of the classes of package backends, and says what to do. It may
	// be nil.
	Explain func(error) error
	Done    func() // called once, when the reply is closed; may be nil
	Broken  func() // told when the connection broke, or nothing came over it; may be nil
}

// NewReply returns the driver's end of a call: the worker's frames without heartbeats. A loss that the supervisor tells of
// is the error of the Read after the last whole frame; so is the connection's end before the reply's.
func NewReply(ctx context.Context, body io.ReadCloser, o ReplyOptions) io.ReadCloser {
	r := &reply{ctx: ctx, body: body, options: o, begun: time.Now()}
	if o.Silence > 0 {
		r.timer = time.AfterFunc(time.Hour, r.giveUp)
		r.timer.Stop()
	}
	r.frames.Reset(heard{r})
	return r
}

type reply struct {
	ctx     context.Context
	body    io.ReadCloser
	options ReplyOptions
	begun   time.Time
	frames  wire.Reader
	rest    []byte // of the frame under way
	err     error
	done    bool
	timer   *time.Timer

	mu     sync.Mutex
	silent bool
	closed bool
}

// heard reads the body. What counts is how long it waits for bytes: a caller that takes its time is no silence, nor is a
// frame that comes slowly.
type heard struct{ r *reply }

func (h heard) Read(p []byte) (int, error) {
	if t := h.r.timer; t != nil {
		t.Reset(h.r.options.Silence)
		defer t.Stop()
	}
	return h.r.body.Read(p)
}

// giveUp ends a read that waits for a worker of which nothing was heard.
func (r *reply) giveUp() {
	r.mu.Lock()
	r.silent = true
	r.mu.Unlock()
	_ = r.body.Close() // the read's error tells
}

func (r *reply) Read(p []byte) (int, error) {
	if r.isClosed() {
		return 0, fmt.Errorf("read a reply: %w", os.ErrClosed)
	}
	for len(r.rest) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		r.err = r.next()
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

func (r *reply) isClosed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.closed
}

// next takes a frame.
func (r *reply) next() error {
	if r.ctx.Err() != nil {
		return context.Cause(r.ctx)
	}
	t, payload, err := r.frames.Next()
	switch {
	case err != nil && r.done: // however the connection ends, the reply is whole
		return io.EOF
	case err != nil:
		return r.broken(err)
	case r.done:
		return fmt.Errorf("a frame of type %d follows the end of a reply: %w", t, wire.ErrCorrupt)
	}
	switch t {
	case wire.TypeBeat:
		return nil
	case wire.TypeLost:
		l, err := wire.DecodeLost(payload)
		if err != nil {
			return err
		}
		return lossError(l)
	}
	r.done = t.Ends()
	r.rest = r.frames.Frame()
	return nil
}

// broken says what it means that no next frame came.
func (r *reply) broken(err error) error {
	if r.ctx.Err() != nil {
		return context.Cause(r.ctx)
	}
	r.mu.Lock()
	silent, closed := r.silent, r.closed
	r.mu.Unlock()
	switch {
	case closed:
		return err
	case silent:
		err = fmt.Errorf("nothing was heard of it for %v", r.options.Silence)
	case errors.Is(err, wire.ErrVersion):
		return fmt.Errorf("%w: %w", backends.ErrInvalid, err)
	case err == io.EOF:
		err = fmt.Errorf("its reply ends without its last frame: %w", io.ErrUnexpectedEOF)
	case r.options.Explain != nil:
		err = r.options.Explain(err)
		if errors.As(err, new(*backends.LostError)) { // it knows more of the worker
			return err
		}
	}
	if r.options.Broken != nil {
		r.options.Broken()
	}
	return &backends.LostError{Worker: r.options.Worker, Cause: err, Ran: time.Since(r.begun)}
}

// lossError is the error that a loss stands for.
func lossError(l wire.Lost) error {
	switch l.Loss {
	case wire.LossThrottled:
		return fmt.Errorf("worker %s: %s: %w", l.Worker, l.Message, backends.ErrThrottled)
	case wire.LossInvalid:
		return fmt.Errorf("worker %s: %s: %w", l.Worker, l.Message, backends.ErrInvalid)
	case wire.LossRefused:
		return fmt.Errorf("worker %s: %s: %w", l.Worker, l.Message, backends.ErrRefused)
	}
	cause := error(told{l.Message, nil})
	switch l.Loss {
	case wire.LossMemory:
		cause = told{l.Message, backends.ErrOutOfMemory}
	case wire.LossTimeout:
		cause = told{l.Message, backends.ErrTimeout}
	}
	return &backends.LostError{Worker: l.Worker, Cause: cause, Ran: l.Ran, Output: l.Output}
}

// told is an error that another process had: its text, and its class.
type told struct {
	text  string
	class error
}

func (t told) Error() string { return t.text }
func (t told) Unwrap() error { return t.class }

// Close ends the reply. Before its end the connection goes with it.
func (r *reply) Close() error {
	r.mu.Lock()
	closed := r.closed
	r.closed = true
	r.mu.Unlock()
	if closed {
		return nil
	}
	if r.timer != nil {
		r.timer.Stop()
	}
	err := r.body.Close()
	if r.options.Done != nil {
		r.options.Done()
	}
	return err
}
