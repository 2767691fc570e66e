package mapper

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/gowren/gowren/storage"
)

// Clean deletes what drivers that were killed have left in an executor's bucket: the data of jobs that began longer ago
// than olderThan, and of which no object is younger either. It returns how many objects it deleted. Choose a time that no
// job takes: a job that still runs would lose its data. Cancellations of invocations that were over when they came go too,
// when they are as old, and programs that no Open has uploaded, or found, in as long and in 30 days: an executor that was
// opened earlier is to be opened anew. Nothing but what is below jobs/, canceled/ and programs/ is touched.
//
// It takes a listing of all that is below these, and memory for the keys of one job.
func Clean(ctx context.Context, b storage.Bucket, olderThan time.Duration) (int, error) {
	b = storage.Retry(b, storage.RetryPolicy{})
	before := time.Now().Add(-olderThan)
	c := cleaner{ctx: ctx, b: b, before: before, young: true} // what has no ID is nobody's
	for o, err := range b.List(ctx, "jobs/") {
		if err != nil {
			return c.deleted, fmt.Errorf("mapper: clean: %w", err)
		}
		id, _, _ := strings.Cut(strings.TrimPrefix(o.Key, "jobs/"), "/")
		if err := c.add(id, o); err != nil {
			return c.deleted, fmt.Errorf("mapper: clean: %w", err)
		}
	}
	if err := c.flush(); err != nil {
		return c.deleted, fmt.Errorf("mapper: clean: %w", err)
	}
	c.young = false
	err := c.old("canceled/", before, false)
	if err == nil {
		err = c.old("programs/", time.Now().Add(-max(olderThan, programsStay)), true)
	}
	if err != nil {
		return c.deleted, fmt.Errorf("mapper: clean: %w", err)
	}
	return c.deleted, nil
}

// programsStay is how long programs stay at least. What opens renews its program when that is a day old.
const programsStay = 30 * 24 * time.Hour

// old deletes the objects below prefix that are older than before. Those that may be renewed are looked at once more.
func (c *cleaner) old(prefix string, before time.Time, renewed bool) error {
	for o, err := range c.b.List(c.ctx, prefix) {
		if err != nil {
			return err
		}
		if !o.Modified.Before(before) {
			continue
		}
		if renewed { // while the listing was read, perhaps
			if o, err = c.b.Stat(c.ctx, o.Key); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			if err != nil || !o.Modified.Before(before) {
				continue
			}
		}
		c.keys = append(c.keys, o.Key)
		if len(c.keys) < 1000 {
			continue
		}
		if err := c.flush(); err != nil {
			return err
		}
	}
	return c.flush()
}

// cleaner gathers the objects of a job, which a listing has next to each other, until it is known that all are old.
type cleaner struct {
	ctx     context.Context
	b       storage.Bucket
	before  time.Time
	id      string
	keys    []string
	young   bool
	deleted int
}

func (c *cleaner) add(id string, o storage.Object) error {
	if id != c.id {
		if err := c.flush(); err != nil {
			return err
		}
		c.id, c.young = id, !began(id, c.before)
	}
	if !o.Modified.Before(c.before) {
		c.young = true
	}
	if !c.young {
		c.keys = append(c.keys, o.Key)
	}
	return nil
}

func (c *cleaner) flush() error {
	keys := c.keys
	c.keys = nil
	if c.young {
		return nil
	}
	for len(keys) > 0 {
		some := keys[:min(len(keys), 1000)]
		if err := c.b.Delete(c.ctx, some...); err != nil {
			return err
		}
		keys = keys[len(some):]
		c.deleted += len(some)
	}
	return nil
}

// idTime is the beginning of a job's ID.
const idTime = "20060102-150405"

// began reports whether a job with that ID began before. What is below jobs/ and has no such name is none of ours.
func began(id string, before time.Time) bool {
	if len(id) < len(idTime) {
		return false
	}
	t, err := time.Parse(idTime, id[:len(idTime)])
	return err == nil && t.Before(before)
}
