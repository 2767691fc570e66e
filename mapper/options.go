package mapper

import (
	"io"
	"time"
)

// Options say how jobs run. The zero value is right for most.
type Options struct {
	// BatchSize is the number of tasks that one request to a worker holds. Defaults to a size that follows the measured
	// time of tasks: a batch takes a hundred times what a request costs by itself, from 5 ms to 2 s; -1 is the same, where
	// With is to undo another number.
	BatchSize int

	// Buffer is the memory, in bytes, that a map task of [MapReduceByKey] or [Sort] gives to what it emits before it
	// writes it to the bucket. A worker runs as many tasks at once as it has CPUs. Defaults to 64 MB; -1 is the same.
	Buffer int

	// Concurrency bounds how many requests of a job are under way at once. Defaults to what the backend takes;
	// -1 is the same.
	Concurrency int

	// ContinueOnError keeps a job going when tasks fail. The results of the others are kept, and the error is a
	// [*JobError]. Defaults to stopping the job at the first failure.
	ContinueOnError bool

	// Detached makes requests that need no connection while they run, where the backend has such ([backends.Limits]);
	// elsewhere the job is refused. Results come through the bucket, within a second or two of their end. It is for tasks
	// of many minutes over a network that may not hold connections for as long. With Resume they outlive this program: it
	// takes what they come to when it is run again. Each request then waits until the bucket knows of it.
	Detached bool

	// Log is where progress and the lines that workers print and log are written: a bar on a terminal, lines elsewhere. The
	// variable GOWREN_PROGRESS asks for plain lines (plain) or for an object a line (json). Defaults to standard error.
	Log io.Writer

	// MaxCost stops a job that has cost so many US dollars by the estimate of [Cost], with a [*LimitError]. What is under way
	// is counted, a quarter of a second late at most, and stopped; what requests of earlier drivers take is not. Where no price is
	// known, as of workers on this machine, nothing is counted, and the job says so. Defaults to no limit; -1 is the same.
	MaxCost float64

	// MaxTime stops a job, with all its steps, after a time, with a [*LimitError]. Defaults to no limit; -1 is the same.
	MaxTime time.Duration

	// MoreMemory gives a task whose worker ran out of memory a worker with twice as much at each further attempt, as far as
	// the backend has such: on this machine, where the backend's URL has a limit, in AWS Lambda, Google Cloud Functions
	// and Azure Functions. Beyond, attempts go on with the most that there is, and the error says so. Retries bounds the
	// attempts: the two of the default come to four times the memory. The first task that needs it waits until the
	// platform has made a function of its own for it, which takes from seconds to minutes, and stays until
	// [Destroy]; tasks of the usual size go on meanwhile. Where it cannot be made, that is tried again for a minute or two,
	// unless it is refused; it is no attempt of the task. An attempt costs what the larger worker does, and runs alone
	// there.
	MoreMemory bool

	// Partitions is the number of reduce tasks of [MapReduceByKey], of ranges that [Sort] makes, and of the objects that
	// they write. Defaults to a few for each worker, not more than there are inputs, and in Sort to ranges of about 64 MB;
	// -1 is the same.
	Partitions int

	// Quiet shows no progress; workers' lines are still shown. Progress is never shown in tests.
	Quiet bool

	// Backoff is the time before the second attempt at a task. It doubles with each further one, up to 5 s or itself, less up
	// to a half at random. Defaults to 20 ms.
	Backoff time.Duration

	// Resume is a name under which the results of finished tasks are kept in the bucket, below resume/. A program that is
	// run again with the name, after whatever ended it, on whatever backend, takes them from there, and computes only what is
	// missing. What identifies a task is its function's name and signature, the shared argument and the input: where a
	// function was mended, and its results are to be computed anew, give another name to it or to this. The data stay until
	// [Forget] deletes them. A result is kept within a second of its coming; memory grows with the number of tasks. Defaults
	// to none.
	Resume string

	// ResumeStrict refuses to resume what another build of the program has begun. Defaults to saying so.
	ResumeStrict bool

	// Retries is how many further attempts a task gets when its worker is lost, it runs out of time, its data cannot be
	// reached, or its error is [Retryable]. Other errors and panics of a function are final: they would come again.
	// Defaults to 2; -1 is none. A worker that is lost with several tasks does not tell which was to blame: halves of them
	// run again, until one stands alone, and that is no attempt of any of them.
	Retries int

	// RetryBudget bounds the further attempts at all tasks of a step of a job together: a failure beyond it is final. It keeps
	// a job that is doomed from being paid for many times. Defaults to no bound; -1 is the same.
	RetryBudget int

	// RetryIf, where it is set, says for each failure of a task whether another attempt may help, in place of what Retries
	// says: errors.Is tells the cause ([ErrFunction], [ErrPanic], [ErrTimeout], [ErrWorkerLost], [ErrOutOfMemory], …). The
	// number of attempts stays bounded by Retries. It is called by several goroutines.
	RetryIf func(*TaskError) bool

	// Speculation is the share of a job's requests and tasks that may be sent to a second worker, since the first is late:
	// when no task waits any more, what takes much longer than others took, or has not begun when others had, is run again
	// where a worker is free. The first result counts, and the other worker is told to stop. It costs what it runs twice.
	// It needs workers that are processes of their own. Defaults to 0.1; -1 is none.
	Speculation float64

	// Stats, where it is set, is called with what a job has done when it has ended, however it did.
	Stats func(Stats)

	// Timeout bounds one attempt at a task. Its context ends then with context.DeadlineExceeded, and its worker ends if the
	// function does not return within half a second; a result that it returns until then counts.
	// Defaults to none but the backend's own; -1 is the same.
	Timeout time.Duration
}

const (
	defaultRetries     = 2
	defaultSpeculation = 0.1
)

// with returns o with the fields that over sets.
func (o Options) with(over Options) Options {
	if over.BatchSize != 0 {
		o.BatchSize = over.BatchSize
	}
	if over.Buffer != 0 {
		o.Buffer = over.Buffer
	}
	if over.Concurrency != 0 {
		o.Concurrency = over.Concurrency
	}
	if over.ContinueOnError {
		o.ContinueOnError = true
	}
	if over.Detached {
		o.Detached = true
	}
	if over.Log != nil {
		o.Log = over.Log
	}
	if over.MaxCost != 0 {
		o.MaxCost = over.MaxCost
	}
	if over.MaxTime != 0 {
		o.MaxTime = over.MaxTime
	}
	if over.MoreMemory {
		o.MoreMemory = true
	}
	if over.Backoff != 0 {
		o.Backoff = over.Backoff
	}
	if over.RetryBudget != 0 {
		o.RetryBudget = over.RetryBudget
	}
	if over.RetryIf != nil {
		o.RetryIf = over.RetryIf
	}
	if over.Partitions != 0 {
		o.Partitions = over.Partitions
	}
	if over.Quiet {
		o.Quiet = true
	}
	if over.Resume != "" {
		o.Resume = over.Resume
	}
	if over.ResumeStrict {
		o.ResumeStrict = true
	}
	if over.Retries != 0 {
		o.Retries = over.Retries
	}
	if over.Speculation != 0 {
		o.Speculation = over.Speculation
	}
	if over.Stats != nil {
		o.Stats = over.Stats
	}
	if over.Timeout != 0 {
		o.Timeout = over.Timeout
	}
	return o
}

func (o Options) retries() int {
	switch {
	case o.Retries == 0:
		return defaultRetries
	case o.Retries < 0:
		return 0
	}
	return o.Retries
}

func (o Options) speculation() float64 {
	switch {
	case o.Speculation == 0:
		return defaultSpeculation
	case o.Speculation < 0:
		return 0
	}
	return o.Speculation
}
