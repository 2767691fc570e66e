package storage

import (
	"context"
	"errors"
	"strings"
	"sync"
)

// KeepOpen returns a context under which the readers of splits share open buckets: the bucket that one split needs stays
// open for the next, so that many small splits do not each pay for a connection and for credentials. Workers read under
// such a context. Folders are not kept. Close closes the buckets; one that is still being read is closed when its last reader ends.
func KeepOpen(ctx context.Context) (kept context.Context, close func() error) {
	k := &keeper{open: map[string]*keptBucket{}}
	return context.WithValue(ctx, keeperKey{}, k), k.close
}

// KeptStats returns what was asked of the buckets that ctx keeps open, added up, as far as they know their Stats.
func KeptStats(ctx context.Context) Stats {
	var sum Stats
	k, ok := ctx.Value(keeperKey{}).(*keeper)
	if !ok {
		return sum
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, b := range k.open {
		s, _ := StatsOf(b.Bucket)
		sum = sum.Add(s)
	}
	return sum
}

// maxKept bounds how many buckets are kept open. A further one is open for as long as its reader.
const maxKept = 16

type keeperKey struct{}

// keeper holds the open buckets of a context.
type keeper struct {
	mu     sync.Mutex
	open   map[string]*keptBucket // by URL
	closed bool
}

// keptBucket is open for readers.
type keptBucket struct {
	Bucket
	readers int
	kept    bool // for later readers
}

// openSplit opens the bucket at a split's URL, or takes the one that ctx keeps open. Done ends its use.
func openSplit(ctx context.Context, url string) (b Bucket, done func(), err error) {
	k, ok := ctx.Value(keeperKey{}).(*keeper)
	if ok && !strings.HasPrefix(url, "file:") { // a folder costs nothing to open, and may be replaced by another of its name
		return k.take(ctx, url)
	}
	b, err = Open(ctx, url)
	return b, func() { _ = b.Close() }, err // only read
}

// take holds the others up while it opens a bucket: they mostly want the same one.
func (k *keeper) take(ctx context.Context, url string) (Bucket, func(), error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	b := k.open[url]
	if b == nil {
		opened, err := Open(context.WithoutCancel(ctx), url) // it outlives the reader
		if err != nil {
			return nil, nil, err
		}
		b = &keptBucket{Bucket: opened, kept: !k.closed && len(k.open) < maxKept}
		if b.kept {
			k.open[url] = b
		}
	}
	b.readers++
	return b.Bucket, func() { k.release(b) }, nil
}

// release ends one reader's use of a bucket.
func (k *keeper) release(b *keptBucket) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if b.readers--; b.readers == 0 && !b.kept {
		_ = b.Close() // only read
	}
}

// close closes what nobody reads. What is read is no longer kept.
func (k *keeper) close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	var errs []error
	for _, b := range k.open {
		b.kept = false
		if b.readers == 0 {
			errs = append(errs, b.Close())
		}
	}
	k.closed, k.open = true, nil
	return errors.Join(errs...)
}
