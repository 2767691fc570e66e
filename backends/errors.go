package backends

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// The classes of errors that the scheduler tells apart. Drivers wrap them with what, where, and what to do.
var (
	// ErrThrottled: the platform asked for fewer requests. Nothing ran; it is tried again later, as no attempt.
	ErrThrottled = errors.New("throttled by the backend")
	// ErrRefused: credentials or permissions are wrong. The job ends.
	ErrRefused = errors.New("refused by the backend")
	// ErrInvalid: the backend can never take this request or configuration. The job ends.
	ErrInvalid = errors.New("invalid for the backend")
	// ErrOutOfMemory: a worker was ended because it went over its memory limit. Found in a [*LostError].
	ErrOutOfMemory = errors.New("out of memory")
	// ErrUnread: a detached request's reply may be there, and could not be read; another look may bring it.
	ErrUnread = errors.New("the reply could not be read")
	// ErrTimeout: a worker was ended because it went over a time limit. Found in a [*LostError].
	ErrTimeout = errors.New("time limit passed")
)

// AccountError is an error of reaching the platform's account at all: there are no credentials, or they are not accepted, no
// region is known, or no connection is made. Whatever else is asked of the account would fail likewise. Its text and its class
// are those of what it wraps.
type AccountError struct{ Err error }

func (e *AccountError) Error() string { return e.Err.Error() }

// Unwrap returns what it is about.
func (e *AccountError) Unwrap() error { return e.Err }

// Unconnected tells of an error of a connection whether it was never made, so that nothing was sent.
func Unconnected(err error) bool {
	var connection *net.OpError
	return errors.As(err, &connection) && connection.Op == "dial" || errors.As(err, new(*net.DNSError))
}

// LostError reports a worker that ended, or could not be reached, before its reply was complete.
type LostError struct {
	Worker string        // its name
	Cause  error         // ErrOutOfMemory, ErrTimeout, or what was seen: an exit status, a signal, a broken connection
	Ran    time.Duration // how long the worker had served this request
	Output string        // the last lines it wrote to standard error, where the backend sees them
}

func (e *LostError) Error() string {
	msg := fmt.Sprintf("worker %s was lost: %v", e.Worker, e.Cause)
	if e.Output != "" {
		msg += "; it last wrote:\n\t" + strings.ReplaceAll(strings.TrimRight(e.Output, "\n"), "\n", "\n\t")
	}
	return msg
}

// Unwrap returns the cause.
func (e *LostError) Unwrap() error { return e.Cause }
