package gcsstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net/http"

	gcs "cloud.google.com/go/storage"
	"google.golang.org/api/googleapi"

	"github.com/gowren/gowren/storage"
)

// Get implements [storage.Bucket]. Its reader knows the ETag.
func (b *Bucket) Get(ctx context.Context, key string, off, n int64) (io.ReadCloser, error) {
	if err := checkKey(key); err != nil {
		return nil, b.fail("get", key, err)
	}
	if off < 0 {
		return nil, b.fail("get", key, fmt.Errorf("%w: the offset is negative", fs.ErrInvalid))
	}
	if n < 0 {
		n = math.MaxInt64
	}
	n = min(n, math.MaxInt64-off)
	if n == 0 { // the service has no range of no bytes
		o, err := b.stat(ctx, "get", key)
		if err != nil {
			return nil, err
		}
		return &reader{bucket: b, key: key, ctx: ctx, cancel: func() {}, etag: o.ETag}, nil
	}
	ctx, cancel := context.WithCancel(ctx)
	r := &reader{bucket: b, key: key, ctx: ctx, cancel: cancel, ahead: 1}
	first, err := b.open(ctx, key, 0, off, min(n, b.part))
	var beyond *beyondError
	switch {
	case errors.As(err, &beyond):
		r.etag = beyond.etag
		return r, nil
	case err != nil:
		cancel()
		return nil, b.fail("get", key, err)
	}
	attrs := first.r.Attrs
	r.first, r.generation, r.etag = first, attrs.Generation, tag(attrs.Generation)
	r.start, r.off, r.end, r.asked = off, off, off+min(n, attrs.Size-off), off+first.left
	r.whole, r.want = off == 0 && r.end == attrs.Size, attrs.CRC32C
	return r, nil
}

// part is one request for a range.
type part struct {
	bucket *Bucket
	ctx    context.Context
	call   *call
	r      *gcs.Reader
	left   int64
}

// open asks for n bytes of one generation, or with 0 of the latest. It fails with a *beyondError where none are left.
func (b *Bucket) open(ctx context.Context, key string, generation, off, n int64) (*part, error) {
	c := b.newCall(storage.KindGet)
	o := b.object(key, c)
	if generation > 0 {
		o = o.Generation(generation)
	}
	r, err := o.NewRangeReader(c.in(ctx), off, n)
	var answer *googleapi.Error
	switch {
	case errors.As(err, &answer) && answer.Code == http.StatusRequestedRangeNotSatisfiable:
		return nil, &beyondError{answer.Header.Get("X-Goog-Generation")}
	case err != nil:
		return nil, b.readError(ctx, c, err, generation > 0)
	}
	return &part{b, ctx, c, r, min(n, r.Remain())}, nil
}

// Read ends with the last byte that was asked for. The SDK opens the rest of the range anew when a connection breaks.
func (p *part) Read(q []byte) (int, error) {
	if p.left == 0 {
		return 0, io.EOF
	}
	n, err := p.r.Read(q[:min(int64(len(q)), p.left)])
	if n > 0 {
		p.left -= int64(n)
		p.call.progress()
	}
	switch {
	case err == nil || err == io.EOF && p.left == 0:
		return n, nil
	case err == io.EOF:
		return n, io.ErrUnexpectedEOF
	}
	return n, p.bucket.readError(p.ctx, p.call, err, true)
}

// readError classifies an error of a read. Where one generation was asked for, what is missing was there before.
func (b *Bucket) readError(ctx context.Context, c *call, err error, pinned bool) error {
	var answer *googleapi.Error
	if pinned && ctx.Err() == nil && errors.As(err, &answer) &&
		(answer.Code == http.StatusNotFound || answer.Code == http.StatusPreconditionFailed) {
		return fmt.Errorf("%w: the generation that is being read was replaced or deleted", storage.ErrChanged)
	}
	if errors.Is(err, gcs.ErrObjectNotExist) && pinned && ctx.Err() == nil {
		return fmt.Errorf("%w: the generation that is being read was replaced or deleted", storage.ErrChanged)
	}
	return b.classify(ctx, c, err)
}

// beyondError reports a range that begins at the end of the object or past it.
type beyondError struct{ etag string }

func (e *beyondError) Error() string { return "the range begins past the end of the object" }
