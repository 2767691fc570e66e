package backends

import (
	"errors"
	"fmt"
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
