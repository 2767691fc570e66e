package azstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/bloberror"

	"github.com/gowren/gowren/storage"
)

const (
	deletes = 16 // requests at the same time
	patient = 8  // keys that may fail before the rest is left alone
)

// Delete implements [storage.Bucket]. It is one request a key, for which the service asks no money; its batches need
// each request in them to be signed, and are as many operations to its limits. Where some keys fail, the error is that of
// the first, and holds those of others.
func (b *bucket) Delete(ctx context.Context, keys ...string) error {
	for _, key := range keys {
		if err := ready(ctx, key); err != nil {
			return b.fail(ctx, "delete", key, err)
		}
	}
	errs := make([]error, len(keys))
	var mu sync.Mutex
	next, failed := 0, 0
	take := func() int { // the next key's number, or one that is none
		mu.Lock()
		defer mu.Unlock()
		if failed >= patient {
			return len(keys)
		}
		next++
		return next - 1
	}
	var group sync.WaitGroup
	for range min(deletes, len(keys)) {
		group.Go(func() {
			for i := take(); i < len(keys); i = take() {
				if errs[i] = b.delete(ctx, keys[i]); errs[i] != nil {
					mu.Lock()
					failed++
					mu.Unlock()
				}
			}
		})
	}
	group.Wait()
	return b.joined(ctx, keys, errs)
}

func (b *bucket) delete(ctx context.Context, key string) error {
	_, err := b.client.Delete(b.begin(ctx, kindDelete, key), nil)
	if err == nil || !errors.Is(b.explain("delete", err), fs.ErrNotExist) || bloberror.HasCode(err, bloberror.ContainerNotFound) {
		return err
	}
	return nil
}

// joined makes one error of those of single keys.
func (b *bucket) joined(ctx context.Context, keys []string, errs []error) error {
	var all *storage.Error
	for i, err := range errs {
		switch {
		case err == nil:
		case all == nil:
			all = b.fail(ctx, "delete", keys[i], err)
		default:
			all.Err = fmt.Errorf("%w; and %q: %w", all.Err, keys[i], b.explain("delete", err))
		}
	}
	if all == nil {
		return nil // and not a nil *storage.Error
	}
	return all
}
