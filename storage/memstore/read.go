package memstore

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"io/fs"
	"iter"
	"slices"
	"strings"

	"github.com/gowren/gowren/storage"
)

// Get implements [storage.Bucket]. Its reader knows the ETag and takes no memory of its own.
func (b *Bucket) Get(ctx context.Context, key string, off, n int64) (io.ReadCloser, error) {
	o, err := b.find(ctx, "get", key)
	if err == nil && off < 0 {
		err = b.fail("get", key, fs.ErrInvalid)
	}
	if err != nil {
		return nil, err
	}
	data := o.data[min(off, int64(len(o.data))):]
	if n >= 0 {
		data = data[:min(n, int64(len(data)))]
	}
	return &reader{storage.WithContext(ctx, bytes.NewReader(data)), o.etag}, nil
}

type reader struct {
	io.Reader
	etag string
}

func (r *reader) Close() error { return nil }

func (r *reader) ETag() string { return r.etag }

// Stat implements [storage.Bucket].
func (b *Bucket) Stat(ctx context.Context, key string) (storage.Object, error) {
	o, err := b.find(ctx, "stat", key)
	if err != nil {
		return storage.Object{}, err
	}
	return o.describe(key), nil
}

func (o *object) describe(key string) storage.Object {
	return storage.Object{Key: key, Size: int64(len(o.data)), Modified: o.modified, ETag: o.etag}
}

func (b *Bucket) find(ctx context.Context, op, key string) (*object, error) {
	err := storage.CheckKey(key)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, b.fail(op, key, err)
	}
	b.mu.RLock()
	defer b.mu.RUnlock()
	o := b.objects[key]
	if o == nil {
		return nil, b.fail(op, key, fs.ErrNotExist)
	}
	return o, nil
}

// List implements [storage.Bucket]. It yields what was there when it began.
func (b *Bucket) List(ctx context.Context, prefix string) iter.Seq2[storage.Object, error] {
	return func(yield func(storage.Object, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(storage.Object{}, b.fail("list", prefix, err))
			return
		}
		var found []storage.Object
		b.mu.RLock()
		for key, o := range b.objects {
			if strings.HasPrefix(key, prefix) {
				found = append(found, o.describe(key))
			}
		}
		b.mu.RUnlock()
		slices.SortFunc(found, func(x, y storage.Object) int { return cmp.Compare(x.Key, y.Key) })
		for _, o := range found {
			if err := ctx.Err(); err != nil {
				yield(storage.Object{}, b.fail("list", prefix, err))
				return
			}
			if !yield(o, nil) {
				return
			}
		}
	}
}
