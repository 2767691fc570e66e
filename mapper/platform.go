package mapper

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/registry"
	"github.com/gowren/gowren/internal/sched"
	"github.com/gowren/gowren/storage"
)

// Prewarm has about n workers started, so that the next job does not wait for cold starts, and returns when they are
// ready. How long they stay warm is up to the platform; where nothing is gained by it, as on this machine, it does
// nothing. It costs what n invocations of a second cost.
func (ex *Executor) Prewarm(ctx context.Context, n int) error {
	if ex.zero() {
		return errZeroExecutor
	}
	w, ok := ex.backend.(backends.Warmer)
	if !ok || n <= 0 {
		return nil
	}
	ctx, leave, err := ex.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if err := w.Prewarm(ctx, n); err != nil {
		return fmt.Errorf("mapper: prewarm %d workers: %w", n, err)
	}
	return nil
}

// Destroy removes from the platform what Open, in this process or others, has made there for this executor's backend and
// bucket: functions, roles, logs, those for [Options].MoreMemory too. Jobs that run there fail. The bucket stays as it is. Where Open makes nothing that stays,
// it does nothing. The executor can then only be closed.
func (ex *Executor) Destroy(ctx context.Context) error {
	if ex.zero() {
		return errZeroExecutor
	}
	return destroy(ctx, ex.backend, ex.bucket)
}

// Destroy is [Executor.Destroy] for a configuration with which [Open] fails, or is not to be called: it makes nothing and
// starts no worker.
func Destroy(ctx context.Context, c Config) error {
	backend, bucket, err := c.open(ctx)
	if err != nil {
		return fmt.Errorf("mapper: destroy: %w", err)
	}
	err = reaches(backend.Limits(), bucket) // what was made has names that follow from the bucket's
	if err != nil {
		err = fmt.Errorf("mapper: destroy: %w", err)
	} else {
		err = destroy(ctx, backend, bucket)
	}
	return errors.Join(err, backend.Close(), bucket.Close())
}

func destroy(ctx context.Context, backend backends.Backend, bucket storage.Bucket) error {
	d, ok := backend.(backends.Destroyer)
	if !ok {
		return nil
	}
	errs := []error{d.Destroy(ctx, bucket.URL())}
	larger, err := sched.Enlarge(backend)
	for err == nil { // what jobs with Options.MoreMemory may have made
		d, ok := larger.(backends.Destroyer)
		if ok && ctx.Err() == nil && !errors.As(errors.Join(errs...), new(*backends.AccountError)) { // what concerns them all is told once
			errs = append(errs, d.Destroy(ctx, bucket.URL()))
		}
		last := larger
		larger, err = sched.Enlarge(last)
		errs = append(errs, last.Close())
	}
	if !errors.Is(err, backends.ErrInvalid) { // that is how it says that there is no more
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("mapper: destroy: %w", err)
	}
	return nil
}

// Check looks at what a configuration needs before the first job: whether the bucket can be written, read, listed and
// deleted from, then what the backend looks at, such as credentials, permissions and quotas, and last whether a worker
// answers. It makes on the platform what [Open] would make. The findings come in that order; one with an error says what to do, and
// what could not be looked at because of it is left out. [Main] must have run, as for Open.
func Check(ctx context.Context, c Config) []backends.Finding {
	backend, err := c.openBackend(ctx)
	if err != nil {
		return []backends.Finding{{What: "backend", Err: err, Remedy: "correct Config.Backend or GOWREN_BACKEND"}}
	}
	found := c.check(ctx, backend)
	if err := backend.Close(); err != nil {
		found = append(found, backends.Finding{What: "backend", Note: "close", Err: err})
	}
	return found
}

func (c Config) check(ctx context.Context, backend backends.Backend) []backends.Finding {
	bucket, err := c.openBucket(ctx)
	if err != nil {
		return []backends.Finding{{What: "storage", Err: err, Remedy: "correct Config.Storage or GOWREN_STORAGE"}}
	}
	defer bucket.Close()
	program := c.program()
	limits := backend.Limits()
	var found []backends.Finding
	for _, f := range []backends.Finding{
		{What: "storage", Err: reaches(limits, bucket)}, {What: "program", Err: checkProgram(limits, program)}, {What: "main", Err: checkMain(limits)},
	} {
		if f.Err != nil {
			found = append(found, f)
		}
	}
	if len(found) > 0 {
		return found
	}
	found = append(found, checkBucket(ctx, bucket))
	if found[0].Err != nil { // what is made on a platform is made for a bucket
		return found
	}
	d := backends.Deployment{Program: program, Bucket: bucket}
	if c, ok := backend.(backends.Checker); ok {
		return append(found, c.Check(ctx, d)...)
	}
	f := backends.Finding{What: "workers", Err: backend.Prepare(ctx, d)} // which says what to do
	f.Note = fmt.Sprintf("%d at once", backend.Limits().Concurrency)
	return append(found, f)
}

// logins are the commands by which a cloud's own tool leaves credentials where its SDK finds them.
var logins = map[string]string{"s3": "aws configure, or aws sso login,", "gs": "gcloud auth application-default login", "az": "az login"}

// checkBucket stores a small object, reads, lists and deletes it.
func checkBucket(ctx context.Context, b storage.Bucket) backends.Finding {
	f := backends.Finding{What: "storage " + b.URL()}
	if f.Err = storage.Probe(ctx, b); f.Err != nil {
		scheme, _, _ := strings.Cut(b.URL(), "://")
		f.Remedy = "see whether the endpoint can be reached from here, and whether the bucket is there"
		switch {
		case errors.Is(f.Err, fs.ErrNotExist) && scheme == "file":
			f.Remedy = "choose a folder that can be made"
		case errors.Is(f.Err, fs.ErrNotExist):
			f.Remedy = "create the bucket"
		case errors.Is(f.Err, fs.ErrPermission) && scheme == "file":
			f.Remedy = "make the folder one that this user may write to"
		case errors.Is(f.Err, fs.ErrPermission):
			f.Remedy = "give this program credentials that may read, write, list and delete below the URL's prefix"
			if login := logins[scheme]; login != "" {
				f.Remedy += ": " + login + " gives it yours"
			}
		}
	} else {
		f.Note = "can be written, read, listed and deleted from"
	}
	return f
}

var errNoMain = errors.New("mapper.Main has not run in this process: call it first in main (in tests, in TestMain), " +
	"or each worker would run the whole program again")

func checkMain(l backends.Limits) error {
	if l.Isolates && !registry.Sealed() {
		return errNoMain
	}
	return nil
}
