package redisstore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/gowren/gowren/storage"
)

// chunk is what a reader asks for at once.
const chunk = 1 << 20

// Get asks for what describes the object, and its bytes where they stand there. The reader fetches parts as it goes.
func (b *bucket) Get(ctx context.Context, key string, off, n int64) (io.ReadCloser, error) {
	err := storage.CheckKey(key)
	if err == nil && off < 0 {
		err = fmt.Errorf("%w: the offset %d is negative", fs.ErrInvalid, off)
	}
	var h header
	var bytes []byte
	if err == nil {
		h, bytes, err = b.find(ctx, key, maxHeader+int64(b.inline))
	}
	if err == nil && h.part == 0 && int64(len(bytes)) != h.size {
		err = errHeader
	}
	if err != nil {
		return nil, b.fail("get", key, err)
	}
	r := &reader{bucket: b, ctx: ctx, key: key, header: h, off: min(off, h.size), end: h.size}
	if n >= 0 && n < h.size-r.off {
		r.end = r.off + n
	}
	if h.part == 0 {
		r.ready, r.off = bytes[r.off:r.end], r.end
	}
	return r, nil
}

func (b *bucket) Stat(ctx context.Context, key string) (storage.Object, error) {
	err := storage.CheckKey(key)
	var h header
	if err == nil {
		h, _, err = b.find(ctx, key, maxHeader)
	}
	if err != nil {
		return storage.Object{}, b.fail("stat", key, err)
	}
	return h.describe(key), nil
}

// find returns the object's header, and what follows it in the first most bytes of the value.
func (b *bucket) find(ctx context.Context, key string, most int64) (header, []byte, error) {
	value, err := b.getRange(ctx, objectName+key, 0, most)
	if err != nil {
		return header{}, nil, err
	}
	if len(value) == 0 {
		return header{}, nil, fs.ErrNotExist
	}
	return parseHeader(value)
}

// getRange returns the n bytes of a value from off on, or those that there are.
func (b *bucket) getRange(ctx context.Context, name string, off, n int64) ([]byte, error) {
	return call(ctx, b, func(ctx context.Context) ([]byte, error) {
		return b.client.GetRange(ctx, name, off, off+n-1).Bytes()
	})
}

// reader reads one version of an object. It holds no connection between Reads.
type reader struct {
	*bucket
	ctx    context.Context
	key    string
	header header

	off, end int64  // of what is to be fetched yet
	ready    []byte // fetched, and not yet read
	err      error  // after which there is nothing more
}

func (r *reader) Read(p []byte) (int, error) {
	if r.err != nil {
		return 0, r.err
	}
	if err := r.ctx.Err(); err != nil {
		return 0, r.fail("get", r.key, err)
	}
	if len(p) == 0 {
		return 0, nil
	}
	if len(r.ready) == 0 {
		if r.off == r.end {
			return 0, io.EOF
		}
		if err := r.fetch(); err != nil {
			r.err = r.fail("get", r.key, err)
			return 0, r.err
		}
	}
	n := copy(p, r.ready)
	r.ready = r.ready[n:]
	return n, nil
}

// fetch gets the next bytes, of one part.
func (r *reader) fetch() error {
	i, at := r.off/r.header.part, r.off%r.header.part
	n := min(chunk, r.header.part-at, r.end-r.off)
	bytes, err := r.getRange(r.ctx, r.header.partName(i), at, n)
	if err != nil {
		return err
	}
	if int64(len(bytes)) != n {
		return r.gone(i)
	}
	r.ready, r.off = bytes, r.off+n
	return nil
}

// gone says why a part is not there.
func (r *reader) gone(part int64) error {
	now, _, err := r.find(r.ctx, r.key, maxHeader)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: it was deleted, or has expired, while it was read", storage.ErrChanged)
	case err != nil:
		return err
	case now.version != r.header.version:
		return fmt.Errorf("%w: it was replaced while it was read", storage.ErrChanged)
	}
	return fmt.Errorf("%w: part %d of %d", errGone, part, r.header.parts())
}

func (r *reader) Close() error {
	if r.err == nil {
		r.err = r.fail("get", r.key, fs.ErrClosed)
	}
	r.ready = nil
	return nil
}

// ETag is that of the version being read.
func (r *reader) ETag() string { return r.header.version }
