package gcsstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	gcs "cloud.google.com/go/storage"

	"github.com/gowren/gowren/storage"
)

const (
	// deletes is how many requests of a Delete are under way at once. The service deletes one object a request.
	deletes = 16
	// enough is after how many failures a Delete gives up.
	enough = 16
	// told is how many of them its error tells.
	told = 5
)

// Delete implements [storage.Bucket]. It goes on after a key that fails, and gives up after several.
func (b *Bucket) Delete(ctx context.Context, keys ...string) error {
	for _, key := range keys {
		if err := checkKey(key); err != nil {
			return b.fail("delete", key, err)
		}
	}
	var (
		mu     sync.Mutex
		next   int
		failed []*storage.Error
	)
	take := func() (string, bool) {
		mu.Lock()
		defer mu.Unlock()
		if next == len(keys) || len(failed) >= enough {
			return "", false
		}
		next++
		return keys[next-1], true
	}
	var workers sync.WaitGroup
	for range min(deletes, len(keys)) {
		workers.Go(func() {
			for key, ok := take(); ok; key, ok = take() {
				if err := b.remove(ctx, key); err != nil {
					mu.Lock()
					failed = append(failed, &storage.Error{Op: "delete", URL: b.url, Key: key, Err: err})
					mu.Unlock()
				}
			}
		})
	}
	workers.Wait()
	return summary(failed)
}

// remove deletes one object, if it is there.
func (b *Bucket) remove(ctx context.Context, key string) error {
	c := b.newCall(storage.KindDelete)
	err := b.object(key, c).Delete(c.in(ctx))
	if err == nil {
		return nil
	}
	gone := errors.Is(err, gcs.ErrObjectNotExist)
	err = b.classify(ctx, c, err)
	if gone && err == fs.ErrNotExist { // as it stands: a missing bucket wraps it
		return nil
	}
	return err
}

// summary makes one error of those of single keys.
func summary(failed []*storage.Error) error {
	if len(failed) == 0 {
		return nil
	}
	if len(failed) == 1 {
		return failed[0]
	}
	var errs []error
	for _, e := range failed[:min(told, len(failed))] {
		errs = append(errs, fmt.Errorf("%q: %w", e.Key, e.Err))
	}
	if more := len(failed) - len(errs); more > 0 {
		errs = append(errs, fmt.Errorf("and %d more", more))
	}
	return &storage.Error{Op: "delete", URL: failed[0].URL, Key: failed[0].Key, Err: errors.Join(errs...)}
}
