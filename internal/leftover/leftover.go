// Package leftover deletes what jobs leave in a bucket.
package leftover

import (
	"context"
	"time"

	"github.com/gowren/gowren/storage"
)

// limit is how long it takes at most.
const limit = time.Minute

// Delete deletes the objects whose keys begin with prefix, where which says so, also after ctx has ended. It takes a minute at
// most, and holds 1,000 keys.
func Delete(ctx context.Context, b storage.Bucket, prefix string, which func(key string) bool) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), limit)
	defer cancel()
	var keys []string
	for o, err := range b.List(ctx, prefix) {
		if err != nil {
			return err
		}
		if !which(o.Key) {
			continue
		}
		if keys = append(keys, o.Key); len(keys) == 1000 {
			if err := b.Delete(ctx, keys...); err != nil {
				return err
			}
			keys = keys[:0]
		}
	}
	if len(keys) == 0 {
		return nil
	}
	return b.Delete(ctx, keys...)
}
