package azstore

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"math"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
)

// Get implements [storage.Bucket]. Up to 4 MiB are one request; more is read ahead by several at once, all of the same
// version. Its reader knows the ETag, and verifies what it gives.
func (b *bucket) Get(ctx context.Context, key string, off, n int64) (io.ReadCloser, error) {
	err := ready(ctx, key)
	if err == nil && off < 0 {
		err = fs.ErrInvalid
	}
	if err == nil && n == 0 {
		return b.nothing(ctx, key)
	}
	if err != nil {
		return nil, b.fail(ctx, "get", key, err)
	}
	if n < 0 || n > math.MaxInt64-off {
		n = math.MaxInt64 - off
	}
	inner, cancel := context.WithCancel(ctx)
	asked := b.span(inner, key, off, min(n, rangeSize), "")
	first, err := asked.ask()
	if err != nil {
		cancel()
		if answer := new(azcore.ResponseError); errors.As(err, &answer) && answer.StatusCode == http.StatusRequestedRangeNotSatisfiable {
			return b.nothing(ctx, key) // it begins at or past the end
		}
		return nil, b.fail(ctx, "get", key, err)
	}
	asked.etag = first.etag // of which the rest is to be
	return &reader{
		bucket: b, key: key, etag: first.etag, outer: ctx, ctx: inner, cancel: cancel,
		first: first, asked: asked, next: off + first.size, end: min(off+n, first.total),
	}, nil
}

// nothing returns a reader of no bytes of an object that must be there.
func (b *bucket) nothing(ctx context.Context, key string) (io.ReadCloser, error) {
	o, err := b.head(ctx, key)
	if err != nil {
		return nil, b.fail(ctx, "get", key, err)
	}
	return &reader{bucket: b, key: key, etag: o.ETag, outer: ctx, ctx: ctx, cancel: func() {}}, nil
}
