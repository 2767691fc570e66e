package mapper

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/sched"
	"github.com/gowren/gowren/internal/wire"
)

// Why a task failed, for errors.Is on a [*TaskError] or whatever wraps it.
var (
	ErrFunction    = errors.New("the function returned an error")
	ErrPanic       = errors.New("the function panicked")
	ErrTimeout     = backends.ErrTimeout // it ran longer than it was allowed
	ErrWorkerLost  = errors.New("its worker was lost")
	ErrOutOfMemory = backends.ErrOutOfMemory // its worker went over its memory limit; ErrWorkerLost too
	ErrInput       = errors.New("its input could not be read")
	ErrResult      = errors.New("its result could not be encoded, stored or read")
)

// TaskError is a task's failure, after its last attempt.
type TaskError struct {
	Function string
	Index    int    // of the input, from 0; in a reduction, of the call of its function
	Attempts int    // made, as [Task].Attempt counts
	Worker   string // where the backend tells
	Message  string // what the function returned or panicked with, or what befell its worker
	Stack    string // of a panic or a task that did not stop
	Output   string // the last lines of a lost worker, which hold the stack of a panic in another goroutine

	kind  error
	cause error
}

// Error names the function, the input's index, the attempts and the cause. Stack and Output follow on further lines.
func (e *TaskError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "task %d of %s failed", e.Index, e.Function)
	if e.Attempts > 1 {
		fmt.Fprintf(&b, " after %d attempts", e.Attempts)
	}
	b.WriteString(": ")
	if errors.Is(e.kind, ErrPanic) {
		b.WriteString("panic: ")
	}
	b.WriteString(e.Message)
	for _, more := range []string{e.Stack, e.Output} {
		if more != "" {
			b.WriteString("\n\t" + strings.ReplaceAll(strings.TrimSpace(more), "\n", "\n\t"))
		}
	}
	return b.String()
}

// Unwrap returns the kind of the failure, one of the variables above, and the cause where it arose in the driver.
func (e *TaskError) Unwrap() []error {
	if e.cause == nil {
		return []error{e.kind}
	}
	return []error{e.kind, e.cause}
}

func newTaskError(function string, index int64, attempts int, f *sched.Failure) *TaskError {
	e := &TaskError{Function: function, Index: int(index), Attempts: attempts, Worker: f.Worker, Message: f.Message, Stack: f.Stack, cause: f.Err}
	switch f.Cause {
	case wire.CausePanic:
		e.kind = ErrPanic
	case wire.CauseTimeout:
		e.kind = ErrTimeout
	case wire.CauseInput:
		e.kind = ErrInput
	case wire.CauseResult:
		e.kind = ErrResult
	case wire.CauseError:
		e.kind = ErrFunction
	default:
		e.kind = ErrWorkerLost
	}
	if f.Err == nil {
		return e
	}
	if lost, ok := errors.AsType[*backends.LostError](f.Err); ok {
		e.Message, e.Output = fmt.Sprintf("its worker %s was lost: %v", lost.Worker, lost.Cause), lost.Output
	} else if e.Message == "" {
		e.Message = f.Err.Error()
	}
	return e
}

// maxFailures is how many failures a JobError holds.
const maxFailures = 100

// JobError tells of the failed tasks of a job that was told to continue. errors.As finds the first [*TaskError] in it.
type JobError struct {
	Function string
	Failed   int          // how many tasks failed
	Tasks    []*TaskError // the first hundred to fail, by index
}

func (e *JobError) Error() string {
	s := fmt.Sprintf("mapper: %d tasks of %s failed", e.Failed, e.Function)
	if e.Failed == 1 {
		s = fmt.Sprintf("mapper: 1 task of %s failed", e.Function)
	}
	s += e.kinds()
	if len(e.Tasks) > 0 {
		s += "; the first: " + e.Tasks[0].Error()
	}
	return s
}

// kinds says how many of the failures it holds are of which kind, the most frequent first, where they are of several.
func (e *JobError) kinds() string {
	counts := map[string]int{}
	for _, t := range e.Tasks {
		counts[t.kind.Error()]++
	}
	if len(counts) < 2 {
		return ""
	}
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int { return cmp.Or(counts[b]-counts[a], strings.Compare(a, b)) })
	for i, name := range names {
		names[i] = fmt.Sprintf("%s (%d)", name, counts[name])
	}
	s := ": " + strings.Join(names, ", ")
	if len(e.Tasks) < e.Failed {
		s = fmt.Sprintf("; of the first %d%s", len(e.Tasks), s)
	}
	return s
}

// Unwrap returns the failures it holds.
func (e *JobError) Unwrap() []error {
	errs := make([]error, len(e.Tasks))
	for i, t := range e.Tasks {
		errs[i] = t
	}
	return errs
}

// Retryable marks an error that a function returns as one that may not come again: the task gets another attempt, as
// far as [Options] allow.
func Retryable(err error) error {
	if err == nil {
		return nil
	}
	return retryable{err}
}

type retryable struct{ error }

// Retryable reports true; a function's own error types may have this method too.
func (r retryable) Retryable() bool { return true }
func (r retryable) Unwrap() error   { return r.error }
