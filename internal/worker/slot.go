package worker

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gowren/gowren/internal/registry"
	"github.com/gowren/gowren/internal/wire"
	"github.com/gowren/gowren/serialize"
)

// slot runs one task at a time. A task costs no goroutine, context, timer or coder of its own: those are the slot's.
type slot struct {
	r     *run
	coder *serialize.Coder
	buf   []byte
	ran   atomic.Int64
	busy  atomic.Int64 // nanoseconds

	wake   chan struct{} // gets a value for each request; closed when the run is over for good
	awake  bool          // its goroutine was started
	ctx    *taskContext
	cancel context.CancelCauseFunc // of a context that ends with the task's time-out; nil where there is none

	mu       sync.Mutex
	position int           // of the task under way; -1 is none
	since    time.Time     // when it began; kept where there is a time-out
	late     bool          // it was told to stop
	clock    time.Duration // since the run's beginning: when the last task ended; one reading of the clock a task
	took     took
}

func newSlot(r *run) *slot {
	return &slot{r: r, coder: serialize.NewCoder(), position: -1, wake: make(chan struct{}, 1)}
}

// start makes the slot work on the run's request. Its goroutine stays from request to request, with the stack that it has
// grown to.
func (s *slot) start() {
	s.newContext()
	if !s.awake {
		s.awake = true
		go s.loop()
	}
	s.wake <- struct{}{}
}

func (s *slot) loop() {
	for range s.wake {
		s.run()
	}
}

// run works until there is no task to begin. A function that ends its goroutine (runtime.Goexit) ends this one; another
// takes over.
func (s *slot) run() {
	s.begun()
	begun, ended := time.Now(), false
	defer func() {
		s.busy.Add(int64(time.Since(begun)))
		if !ended {
			go func() { s.run(); s.loop() }()
			return
		}
		if s.cancel != nil {
			s.cancel(nil)
		}
		if s.r.left.Add(-1) == 0 {
			s.r.rest <- struct{}{}
		}
	}()
	for {
		position := s.r.take()
		if position < 0 {
			break
		}
		s.task(position)
	}
	ended = true
}

// task runs one task and writes the frame of what came of it.
func (s *slot) task(position int) {
	t := &s.r.req.Tasks[position]
	s.begin(position, t)
	s.ran.Add(1)
	settled := false
	defer func() {
		if !settled { // also by the error's own methods, which are the user's code too
			s.fail(wire.Failure{Position: position, Cause: wire.CausePanic, Message: reason(recover()), Stack: stack()})
			s.end()
		}
	}()
	value, err := s.call(position, t)
	late := s.end()
	if err == nil {
		err = s.deliver(position, t, value)
	}
	if err != nil && s.r.ctx.Err() == nil { // the failure of a cancelled task says nothing
		s.fail(s.failure(position, err, late))
	}
	settled = true
}

func reason(panicked any) string {
	if panicked == nil {
		return "the function called runtime.Goexit (testing's FailNow does); return an error instead"
	}
	return fmt.Sprint(panicked)
}

// stack is the panicking goroutine's, without the frames of this package's own handling.
func stack() string { return string(debug.Stack()) }

// call returns the frame of the result, not yet finished.
func (s *slot) call(position int, t *wire.Task) ([]byte, error) {
	in := registry.Input{Data: t.Data, Parts: s, Bucket: s.r.w.bucket}
	if s.r.req.Object != "" {
		data, err := s.r.w.read(s.ctx, s.r.req.Object, t.Offset, t.Size)
		if err != nil {
			return nil, &registry.ReadError{Err: fmt.Errorf("the input could not be read: %w", err)}
		}
		in.Data = data
	}
	s.buf = wire.BeginResult(s.buf[:0], position)
	return s.r.f.Call(s.ctx, s.coder, s.r.arg, in, s.buf)
}

// deliver sends a result: in its frame, or through the bucket when it is large or the reply is full.
func (s *slot) deliver(position int, t *wire.Task, frame []byte) error {
	s.buf = frame
	value := frame[len(wire.BeginResult(nil, position)):]
	if len(value) <= s.r.req.Inline && s.r.fits(len(value)) {
		s.r.out.add(wire.Finish(frame, 0, wire.TypeResult), s.r.more(position))
		return nil
	}
	stored, err := s.r.w.store(s.r.ctx, &s.r.req, t.Index, value)
	s.buf = nil
	if err != nil {
		return &registry.WriteError{Err: fmt.Errorf("the result of %d bytes could not be stored: %w", len(value), err)}
	}
	stored.Position = position
	s.r.out.add(wire.AppendStored(nil, stored), s.r.more(position))
	return nil
}

func (s *slot) fail(f wire.Failure) {
	s.r.out.add(wire.AppendFailed(nil, f), true)
}

func (s *slot) failure(position int, err error, late bool) wire.Failure {
	f := wire.Failure{Position: position, Cause: wire.CauseError, Message: err.Error()}
	var again interface{ Retryable() bool }
	switch {
	case late:
		f.Cause, f.Again = wire.CauseTimeout, true
		f.Message = fmt.Sprintf("the task ran longer than its time-out of %v: %v", s.r.req.Timeout, err)
	case errors.As(err, new(*registry.DecodeError)):
		f.Cause = wire.CauseInput
	case errors.As(err, new(*registry.EncodeError)):
		f.Cause = wire.CauseResult
	case errors.As(err, new(*registry.ReadError)):
		f.Cause, f.Again = wire.CauseInput, true
	case errors.As(err, new(*registry.WriteError)):
		f.Cause, f.Again = wire.CauseResult, true
	case errors.As(err, &again):
		f.Again = again.Retryable()
	}
	return f
}
