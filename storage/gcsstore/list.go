package gcsstore

import (
	"context"
	"errors"
	"iter"

	gcs "cloud.google.com/go/storage"
	"google.golang.org/api/iterator"

	"github.com/gowren/gowren/storage"
)

// listed are the attributes that a listing asks for.
var listed = []string{"Name", "Size", "Created", "Generation"}

// List implements [storage.Bucket]. The service lists in byte order, and all that was written before the page.
func (b *Bucket) List(ctx context.Context, prefix string) iter.Seq2[storage.Object, error] {
	return func(yield func(storage.Object, error) bool) {
		query := &gcs.Query{Prefix: prefix, Projection: gcs.ProjectionNoACL}
		if err := query.SetAttrSelection(listed); err != nil {
			yield(storage.Object{}, b.fail("list", prefix, err))
			return
		}
		c := b.newCall(storage.KindList)
		objects := b.handle.Retryer(b.retries(c)...).Objects(c.in(ctx), query)
		for {
			attrs, err := objects.Next()
			if errors.Is(err, iterator.Done) {
				return
			}
			if err == nil && ctx.Err() != nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(storage.Object{}, b.fail("list", prefix, b.classify(ctx, c, err)))
				return
			}
			c.progress()
			if !yield(describe(attrs), nil) {
				return
			}
		}
	}
}
