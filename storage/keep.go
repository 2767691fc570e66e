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

// maxKept bounds how many buckets are kept open. A further one is open for as long as its reader.
const maxKept = 16

type keeperKey struct{}

// keeper holds the open buckets of a context.
type keeper struct {
	mu     sync.Mutex
	open   map[string]*keptBucket // by URL
	closed bool
}

// keptBucket is open for readers, or is being opened.
type keptBucket struct {
	opened  chan struct{} // closed when it is, or err says why not
	bucket  Bucket
	err     error
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

// take waits for a bucket that others may want, too. Opening it does not end with who wanted it first.
func (k *keeper) take(ctx context.Context, url string) (Bucket, func(), error) {
	k.mu.Lock()
	b := k.open[url]
	if b == nil {
		b = &keptBucket{opened: make(chan struct{}), kept: !k.closed && len(k.open) < maxKept}
		if b.kept {
			k.open[url] = b
		}
		go k.begin(context.WithoutCancel(ctx), url, b)
	}
	b.readers++
	k.mu.Unlock()

	err := error(nil)
	select {
	case <-b.opened:
		err = b.err
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if err != nil {
		k.release(b)
		return nil, nil, err
	}
	return b.bucket, func() { k.release(b) }, nil
}

// begin opens a bucket. Where that fails, the next reader tries again.
func (k *keeper) begin(ctx context.Context, url string, b *keptBucket) {
	opened, err := Open(ctx, url)
	k.mu.Lock()
	b.bucket, b.err = opened, err
	if err != nil && k.open[url] == b {
		delete(k.open, url)
	}
	k.mu.Unlock()
	close(b.opened)
	_ = k.drop(b) // nobody may want it any more
}

// release ends one reader's use of a bucket.
func (k *keeper) release(b *keptBucket) {
	k.mu.Lock()
	b.readers--
	k.mu.Unlock()
	_ = k.drop(b) // only read
}

// drop closes a bucket that is open, that nobody reads, and that is not kept.
func (k *keeper) drop(b *keptBucket) error {
	k.mu.Lock()
	bucket := b.bucket
	if bucket == nil || b.readers > 0 || b.kept {
		k.mu.Unlock()
		return nil
	}
	b.bucket = nil
	k.mu.Unlock()
	return bucket.Close()
}

// close closes what nobody reads. What is read is no longer kept.
func (k *keeper) close() error {
	k.mu.Lock()
	open := k.open
	k.closed, k.open = true, nil
	for _, b := range open {
		b.kept = false
	}
	k.mu.Unlock()
	var errs []error
	for _, b := range open {
		errs = append(errs, k.drop(b))
	}
	return errors.Join(errs...)
}
