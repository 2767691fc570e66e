package mapper

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"time"

	"github.com/gowren/gowren/internal/leftover"
	"github.com/gowren/gowren/internal/registry"
	"github.com/gowren/gowren/internal/shuffle"
	"github.com/gowren/gowren/serialize"
	"github.com/gowren/gowren/storage"
)

// writePart stores what write writes as one object, and returns its [Part] as the task's result. Each attempt has an
// object of its own.
func writePart(ctx context.Context, c *serialize.Coder, p *reducePlan, dst []byte, write func(io.Writer) (int64, error)) ([]byte, error) {
	b, err := storage.Open(ctx, p.Output)
	if err != nil {
		return nil, &registry.WriteError{Err: err}
	}
	defer b.Close()
	part := Part{Key: fmt.Sprintf("%s/part-%s-%s", p.Job, taskNumber(ctx), rand.Text()[:8])}
	u := shuffle.NewUpload(ctx, storage.Retry(b, storage.RetryPolicy{}), part.Key)
	finished := false
	defer func() {
		if !finished { // also by a panic of the user's function
			u.Abort(nil)
		}
	}()
	if part.Records, err = write(uploading{u}); err != nil {
		return nil, err
	}
	finished = true
	if err := u.Close(); err != nil {
		return nil, &registry.WriteError{Err: fmt.Errorf("the result could not be stored: %w", err)}
	}
	part.Size, part.Sum = u.Size, u.Sum
	return result(c, dst, &part, nil)
}

// uploading marks the upload's errors as ones of storing a result.
type uploading struct{ u *shuffle.Upload }

func (w uploading) Write(p []byte) (int, error) {
	n, err := w.u.Write(p)
	if err != nil {
		err = &registry.WriteError{Err: fmt.Errorf("the result could not be stored: %w", err)}
	}
	return n, err
}

// output is where a job writes its results.
type output struct {
	bucket storage.Bucket
	url    string
	job    string // the folder in it
	resume bool   // a later run of the job may use the parts
	parts  []Part // of the manifest, once it is stored
	stay   bool   // nothing may be deleted

	there inventory
}

// openOutput opens the bucket at url, in which no other job may have finished.
func (ex *Executor) openOutput(ctx context.Context, url, job string) (*output, error) {
	b, err := storage.Open(ctx, url)
	if err != nil {
		return nil, err
	}
	o := &output{bucket: storage.Retry(b, storage.RetryPolicy{}), url: url, job: job, resume: ex.options.Resume != ""}
	o.there = newInventory(o.bucket, o.prefix())
	if err := cmp.Or(reaches(ex.limits, b), vacant(ctx, o.bucket, job, o.resume), exists(ctx, o.bucket)); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return o, nil
}

// prefix is that of the keys of all parts, and of nothing else.
func (o *output) prefix() string { return o.job + "/part-" }

// exists returns an error when the bucket is not there, for which asking for an object that is not there says the same as
// for the object: an hour's work would find out only when it is to be stored.
func exists(ctx context.Context, b storage.Bucket) error {
	for _, err := range b.List(ctx, manifestKey) {
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s is not there: create the bucket: %w", b.URL(), err)
		}
		break
	}
	return nil
}

// commit stores the manifest.
func (o *output) commit(ctx context.Context, parts []Part) (Manifest, error) {
	m := Manifest{URL: o.url, Job: o.job, Parts: parts}
	err := m.commit(ctx, o.bucket)
	if err == nil {
		o.parts = parts
		return m, nil
	}
	stored, unknown := o.holds(ctx, parts, err)
	switch {
	case stored:
		o.parts = parts
		return m, nil
	case unknown != nil: // a manifest must not name parts that are gone
		o.stay = true
		return Manifest{}, fmt.Errorf("%w; whether it was stored all the same is not known, so that the parts stay: %w", err, unknown)
	}
	return Manifest{}, err
}

// holds reports whether the manifest of these parts is stored although storing it failed, as where only the reply was lost
// or an earlier run has stored it, or why that cannot be known.
func (o *output) holds(ctx context.Context, parts []Part, err error) (bool, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
	defer cancel()
	m, unread := readManifest(ctx, o.bucket, o.url)
	if errors.Is(unread, fs.ErrNotExist) {
		return false, nil
	}
	return unread == nil && m.Job == o.job && slices.Equal(m.Parts, parts), unread
}

// close removes what attempts left that came to nothing, all of them where the job has failed, unless it is to be resumed.
// What a stored manifest names stays in any case.
func (o *output) close(ctx context.Context) error {
	if o.stay || o.resume && o.parts == nil {
		return o.bucket.Close()
	}
	err := o.clean(ctx)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = nil // the bucket is gone, and they with it
	case err != nil:
		err = fmt.Errorf("parts that are none of the result stay in %s: %w", o.url, err)
	}
	return errors.Join(err, o.bucket.Close())
}

func (o *output) clean(ctx context.Context) error {
	parts := o.parts
	if o.resume { // others run under the name, perhaps, and it may be theirs by now
		read, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		m, err := readManifest(read, o.bucket, o.url)
		if err != nil {
			return err
		}
		if m.Job != o.job {
			return nil
		}
		parts = m.Parts
	}
	kept := map[string]bool{}
	for _, p := range parts {
		kept[p.Key] = true
	}
	return leftover.Delete(ctx, o.bucket, o.prefix(), func(key string) bool { return !kept[key] })
}

// has reports whether a part is there, whole. A fresh one may have been written a moment ago.
func (o *output) has(ctx context.Context, p Part, fresh bool) (bool, error) {
	size, there, err := o.there(ctx, p.Key, fresh)
	return there && size == p.Size, err
}
