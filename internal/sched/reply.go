package sched

import (
	"errors"
	"fmt"
	"io"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/wire"
)

// refusedError is a request that the worker's program cannot serve: no other worker can, so the job ends.
type refusedError struct{ reason string }

func (e *refusedError) Error() string { return e.reason }
func (e *refusedError) Unwrap() error { return backends.ErrInvalid }

// read takes a batch's reply to its end.
func (r *Runner) read(s *Slot, b *Batch, reply io.Reader) Outcome {
	return frames(s, reply, func(t wire.Type, payload []byte) (*wire.End, error) { return r.frame(s, b, t, payload) })
}

// frames takes a reply's frames to its end, which take returns.
func frames(s *Slot, reply io.Reader, take func(t wire.Type, payload []byte) (*wire.End, error)) Outcome {
	s.reader.Reset(reply)
	var end *wire.End
	for {
		t, payload, err := s.reader.Next()
		switch {
		case err == io.EOF && end != nil:
			return Outcome{Ran: end.Ran, Busy: end.Busy, end: end}
		case err == io.EOF:
			return Outcome{Err: fmt.Errorf("the reply ends without its last frame: %w", io.ErrUnexpectedEOF)}
		case errors.Is(err, wire.ErrVersion):
			return Outcome{Err: fmt.Errorf("%w: %w", backends.ErrInvalid, err)}
		case err != nil:
			return Outcome{Err: err}
		case end != nil:
			return Outcome{Err: fmt.Errorf("a frame follows the reply's last one: %w", wire.ErrCorrupt)}
		}
		if end, err = take(t, payload); err != nil {
			return Outcome{Err: err}
		}
	}
}

// frame deals with one frame. It returns the end if this was it.
func (r *Runner) frame(s *Slot, b *Batch, t wire.Type, payload []byte) (*wire.End, error) {
	switch t {
	case wire.TypeResult, wire.TypeStored:
		position, v, err := valueOf(t, payload)
		if err != nil {
			return nil, err
		}
		return nil, r.result(s, b, position, v)
	case wire.TypeFailed:
		f, err := wire.DecodeFailed(payload)
		if err != nil {
			return nil, err
		}
		return nil, r.failed(b, &Failure{Failure: f})
	case wire.TypeLog:
		l, err := wire.DecodeLog(payload)
		if err != nil {
			return nil, err
		}
		if l.Position >= len(b.Tasks) {
			return nil, fmt.Errorf("a log line of task %d in a batch of %d: %w", l.Position, len(b.Tasks), wire.ErrCorrupt)
		}
		var task *Task
		if l.Position >= 0 {
			task = &b.Tasks[l.Position]
		}
		r.job.Log(task, l.Text)
		return nil, nil
	case wire.TypeEnd, wire.TypeLeave:
		return &s.end, wire.DecodeEnd(payload, &s.end)
	case wire.TypeRefused:
		return nil, refusal(payload)
	}
	return nil, fmt.Errorf("a frame of type %d in a reply: %w", t, wire.ErrCorrupt)
}

// valueOf is what a frame of a result, here or in the bucket, holds.
func valueOf(t wire.Type, payload []byte) (position int, v Value, err error) {
	if t == wire.TypeResult {
		position, v.Data, err = wire.DecodeResult(payload)
		return position, v, err
	}
	stored, err := wire.DecodeStored(payload)
	return stored.Position, Value{Stored: &stored}, err
}

// refusal is the error that a frame tells of.
func refusal(payload []byte) error {
	reason, err := wire.DecodeRefused(payload)
	if err != nil {
		return err
	}
	return &refusedError{reason}
}
