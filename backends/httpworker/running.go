package httpworker

import (
	"errors"
	"io"
)

// running is the error of a call whose end nobody has told: its connection broke before, during or after its work.
type running struct{ error }

func (r running) Unwrap() error { return r.error }

// Running reports whether a call with this error may still be running: its connection broke, or went silent. It is false
// where the call never reached a worker, and where the worker or the platform told how it ended.
func Running(err error) bool { return errors.As(err, new(running)) }

// reply marks the error of a connection that broke.
type reply struct {
	io.ReadCloser
	broken bool // set within a Read
}

func (r *reply) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if err != nil && r.broken {
		err = running{err}
	}
	return n, err
}
