package mapper

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/progress"
	"github.com/gowren/gowren/internal/sched"
	"github.com/gowren/gowren/storage"
)

// Executor runs jobs: a backend, a bucket and options. It is safe for concurrent use.
type Executor struct {
	*core
	options Options
}

// core is what executors made by With share.
type core struct {
	backend backends.Backend
	bucket  storage.Bucket
	store   storage.Bucket // bucket, where nothing is tried again
	limits  backends.Limits
	ladder  *sched.Ladder // from backend on
	flow    *sched.Flow
	view    *progress.View
	ctx     context.Context // ends with Close
	close   context.CancelFunc
	jobs    sync.WaitGroup

	journals journals
	meters   sync.Map // of *storage.Meter, by name to resume

	mu      sync.Mutex
	closed  bool
	unswept []error // job data that could not be deleted; Close tells

	closing  sync.Once
	closeErr error
}

// Open returns an executor. [Main] must have run in this process, or a worker would run the whole program, unless the
// backend keeps to this process (inproc).
func Open(ctx context.Context, c Config) (*Executor, error) {
	backend, bucket, err := c.open(ctx)
	if err != nil {
		return nil, fmt.Errorf("mapper: open: %w", err)
	}
	ex, err := newExecutor(ctx, backend, bucket, c.program(), c.Options)
	if err != nil {
		return nil, errors.Join(err, backend.Close(), bucket.Close())
	}
	return ex, nil
}

// New returns an executor over a backend and a bucket that the caller made. Closing it closes both; if New fails, they
// are still the caller's.
func New(ctx context.Context, backend backends.Backend, bucket storage.Bucket, o Options) (*Executor, error) {
	return newExecutor(ctx, backend, bucket, Config{}.program(), o)
}

func newExecutor(ctx context.Context, backend backends.Backend, bucket storage.Bucket, program string, o Options) (*Executor, error) {
	if backend == nil || bucket == nil {
		return nil, errors.New("mapper: new: an executor needs a backend and a bucket")
	}
	limits := backend.Limits()
	if err := checkMain(limits); err != nil {
		return nil, fmt.Errorf("mapper: open: %w", err)
	}
	if err := reaches(limits, bucket); err != nil {
		return nil, fmt.Errorf("mapper: open: %w", err)
	}
	if err := checkProgram(limits, program); err != nil {
		return nil, fmt.Errorf("mapper: open: %w", err)
	}
	log := o.Log
	if log == nil {
		log = os.Stderr
	}
	view, err := newView(log)
	if err != nil {
		return nil, fmt.Errorf("mapper: open: %w", err)
	}
	c := &core{backend: backend, bucket: storage.Retry(bucket, storage.RetryPolicy{}), store: bucket, view: view}
	d := backends.Deployment{Program: program, Bucket: bucket, Log: c.view.Log}
	if err := backend.Prepare(ctx, d); err != nil {
		return nil, fmt.Errorf("mapper: open: %w", err)
	}
	c.limits = backend.Limits()
	c.flow = sched.NewFlow(c.limits.Concurrency)
	c.ctx, c.close = context.WithCancel(context.Background())
	c.ladder = sched.NewLadder(c.ctx, backend, d)
	return &Executor{c, o}, nil
}

// reaches returns an error when workers cannot open the bucket.
func reaches(l backends.Limits, b storage.Bucket) error {
	scheme, _, _ := strings.Cut(b.URL(), "://")
	switch {
	case l.Isolates && scheme == "mem":
		return fmt.Errorf("the bucket %s lives in this process, and this backend's workers are other processes: use file:// or a store that they reach", b.URL())
	case l.Remote && scheme == "file":
		return fmt.Errorf("the bucket %s is on this machine, and this backend's workers are on others: use a store that they reach (set GOWREN_STORAGE)", b.URL())
	}
	return nil
}

// checkProgram returns an error when the program is nothing that workers could run.
func checkProgram(l backends.Limits, path string) error {
	if path == "" || !l.Isolates {
		return nil
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return fmt.Errorf("the program that workers should run (Config.Program or GOWREN_PROGRAM): %w", err)
	case !info.Mode().IsRegular() || !l.Remote && info.Mode()&0o111 == 0:
		return fmt.Errorf("the program that workers should run (Config.Program or GOWREN_PROGRAM): %s is not an executable file", path)
	}
	return nil
}

// With returns an executor that shares all with ex but its options, of which o's non-zero fields override. It needs no
// Close of its own. The Log of ex stays.
func (ex *Executor) With(o Options) *Executor {
	if ex.zero() {
		return &Executor{}
	}
	return &Executor{ex.core, ex.options.with(o)}
}

// Bucket is where the executor's jobs keep their data. Its users share it with them: jobs write below jobs/.
func (ex *Executor) Bucket() storage.Bucket { return ex.bucket }

// Close stops the jobs that still run, ends the workers, and closes the bucket. It returns the errors of deleting jobs'
// data that were met before, too. All calls of Close, on executors made by With as well, return when that is done, with
// the same error.
func (ex *Executor) Close() error {
	if ex.zero() {
		return errZeroExecutor
	}
	c := ex.core
	c.closing.Do(func() {
		c.mu.Lock()
		c.closed = true
		c.mu.Unlock()
		c.close()
		c.jobs.Wait()
		errs := append(c.unswept, c.journals.close(), c.ladder.Close(), c.backend.Close(), c.bucket.Close())
		if err := errors.Join(errs...); err != nil {
			c.closeErr = fmt.Errorf("mapper: close: %w", err)
		}
	})
	return c.closeErr
}

var errZeroExecutor = errors.New("mapper: a nil or zero Executor runs nothing: make one by mapper.Open or mapper.New")

func (ex *Executor) zero() bool { return ex == nil || ex.core == nil }

// enter notes that a job begins. The context ends with the executor, and leave must be called when the job has ended.
func (ex *Executor) enter(ctx context.Context) (context.Context, func(), error) {
	if ex.zero() {
		return nil, nil, errZeroExecutor
	}
	c := ex.core
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, nil, errors.New("mapper: the executor is closed")
	}
	c.jobs.Add(1)
	ctx, cancel := context.WithCancelCause(ctx)
	unwatch := context.AfterFunc(c.ctx, func() { cancel(errors.New("the executor was closed")) })
	return ctx, func() { unwatch(); cancel(nil); c.jobs.Done() }, nil
}

// inTest reports whether this is a test binary, where no progress is shown.
func inTest() bool { return flag.Lookup("test.v") != nil }

var _ io.Closer = (*Executor)(nil)
