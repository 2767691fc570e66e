package backends

import (
	"context"
	"io"
	"time"

	"github.com/gowren/gowren/storage"
)

// Backend is a way to reach workers. It carries requests and replies, and understands neither.
//
// Implementations are safe for concurrent use and honour ctx. They make one attempt at everything: trying again is the
// scheduler's work, which needs to know of each failure. Errors are in the classes of this package: [ErrThrottled],
// [ErrRefused], [ErrInvalid], or a [*LostError]; the scheduler takes any other error for a lost worker.
type Backend interface {
	// Prepare makes the backend ready for d: it starts, deploys or uploads what is missing. It is called once, before
	// the first Invoke, and again where it failed.
	Prepare(ctx context.Context, d Deployment) error
	// Invoke carries one request to one worker and returns the reply as it comes; io.EOF follows only a complete one.
	// It waits for a free worker where all are taken. An error, from Invoke or from Read, means that no complete reply
	// came: tasks may have run, or be running. A function's own failure is part of a reply, not an error.
	//
	// Closing the reply before its end, or cancelling ctx, ends the work where the backend can (see [Limits]). Close
	// waits until the worker is free again or gone.
	Invoke(ctx context.Context, r Request) (io.ReadCloser, error)
	// Limits states facts about the backend. They do not change after Prepare.
	Limits() Limits
	// Close ends all workers that this process started, and returns when they are gone.
	Close() error
}

// Deployment is what a backend gets ready for.
type Deployment struct {
	Program string         // path of the executable to run as a worker; empty: the running one
	Bucket  storage.Bucket // where workers leave what is too large for a reply; remote workers open its URL
	// Log is given each line that a worker prints to standard output or error, without its newline, and the worker's
	// name. It is called from several goroutines and must not block for long. It may be nil.
	Log func(worker, line string)
}

// Request is one invocation: a batch of tasks for one worker.
type Request struct {
	Body []byte // opaque to a backend; unchanged and retained by the caller until the reply is closed
	// Prefix is where in the bucket the backend may leave what belongs to the request. Whoever made the request deletes
	// what lies there at the end of the job.
	Prefix string
	// Detached asks for an invocation that needs no connection while it runs: its reply comes through the bucket. Only
	// where Limits.Detaches.
	Detached bool
	// ID, where it is set, names a detached request, so that its reply can be had by an [Attacher] of another process, too:
	// it stays below Prefix, whoever reads it. No two requests have the same. It is made of letters and digits.
	ID string
	// Begin, where it is set, is of a detached request. The backend calls it when the request has a place and is about to be
	// sent; ctx is that of Invoke. Its error ends the invocation, which is not sent then.
	Begin func(ctx context.Context) error
}

// Limits are the facts that the scheduler plans by. The zero value of a field means no limit, or no.
type Limits struct {
	MaxRequest  int           // bytes of a request's body
	MaxInline   int           // bytes of one value above which the bucket is the better way
	MaxReply    int           // bytes of all values of a reply above which the bucket is the better way
	MaxDuration time.Duration // longest invocation
	Concurrency int           // invocations at once
	CPUs        int           // tasks that one worker runs at once

	Isolates bool // a crash in a worker cannot hurt the driver or the other workers
	Remote   bool // workers run on other machines
	Cancels  bool // a cancelled invocation's work is stopped
	Streams  bool // Invoke returns when a worker has begun, and the reply brings results as they come
	Detaches bool // an invocation can do without a connection while it runs

	PricePerSecond  float64 // US dollars, of an invocation under way, with its memory and CPUs
	PricePerRequest float64 // US dollars
}

// Attacher is a backend whose detached requests outlive the driver that made them, and whose replies another can have. It is
// found by type assertion.
type Attacher interface {
	// Attach returns the reply to a detached request of an earlier driver, as Invoke would have: it comes, or is a
	// [*LostError] from the last moment on at which it could have come. An error of Read in the class [ErrUnread] says that
	// it may be there all the same. Closing the reply before its end, or cancelling ctx, ends the work: when Close has
	// returned, what the work still brought can be had by attaching once more. An error of Attach itself leaves the request alone. It takes no place among the invocations at
	// once, however many are waited for.
	Attach(ctx context.Context, a Attached) (io.ReadCloser, error)
	// Lasts is how long after a detached request is made its reply may come.
	Lasts() time.Duration
}

// Attached is a detached request that an earlier driver has made, or was about to make.
type Attached struct {
	ID, Prefix string    // the request's
	Until      time.Time // the last moment at which its reply may come
	Once       bool      // nobody waits for the reply: where it is not there, the work is ended
	// Alive, where it is set, is asked before the work would be ended: as long as the driver that made the request is at work
	// itself, it is left alone.
	Alive func(ctx context.Context) bool
}

// Warmer is a backend that can have workers started before they are needed. It is found by type assertion.
type Warmer interface {
	// Prewarm returns when about n workers are ready. They stay warm for as long as the platform keeps them so.
	Prewarm(ctx context.Context, n int) error
}

// Enlarger is a backend whose workers can have more memory. It is found by type assertion.
type Enlarger interface {
	// Enlarge returns a backend of the same configuration and platform, not yet prepared, whose workers have twice the
	// memory, or the next size that the platform has, or the most. It reaches nothing, and is the same each time: what it
	// makes is found again by one that was made so. What costs while nothing runs, as workers that are kept warm, it has
	// not. The error, in the class [ErrInvalid], says why there is no more, and what the workers have.
	Enlarge() (Backend, error)
}

// Destroyer is a backend that makes something that stays. It is found by type assertion.
type Destroyer interface {
	// Destroy removes all that Prepare, of any program and in any process, has made for this configuration and the bucket
	// with this URL, also where Prepare failed half-way, and returns when it is gone. What another configuration or bucket
	// uses stays. Jobs of others that run there fail. It may be called without Prepare, and again after it failed itself.
	// Where the account is not reached at all, the error has an [*AccountError] in it.
	Destroy(ctx context.Context, bucket string) error
}

// Checker is a backend that can look at what it needs before the first job. It is found by type assertion.
type Checker interface {
	// Check looks at credentials, permissions and quotas, makes what is missing as Prepare does, and runs a test
	// invocation. It goes on after a failure where the next look can tell more.
	Check(ctx context.Context, d Deployment) []Finding
}

// Finding is one line of a check.
type Finding struct {
	What   string // that was looked at, such as "credentials"
	Note   string // what was found: an account, a limit
	Err    error  // nil where all is well
	Remedy string // what to do about the error
}
