package storage

import (
	"context"
	"fmt"
	"io/fs"
	"iter"
	"math"
	"sync"
)

// bufferSize is the size of one of the buffers that are filled ahead.
const bufferSize = 256 << 10

// input is a split that is being read.
type input struct {
	ctx    context.Context
	b      Bucket
	s      Split
	buffer int   // the size of a buffer
	row    int64 // the size of the longest row of CSV

	mu  sync.Mutex // for a feed's goroutine
	tag string     // the version that is read; empty where it is not yet known
}

func newInput(ctx context.Context, b Bucket, s Split) *input {
	return &input{ctx: ctx, b: Retry(b, RetryPolicy{}), s: s, buffer: bufferSize, row: longestRow, tag: s.ETag}
}

// reading opens the split's bucket for as long as read runs.
func reading[T any](ctx context.Context, s Split, read func(*input, func(T, error) bool)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		b, done, err := openSplit(ctx, s.URL)
		if err != nil {
			var none T
			yield(none, err)
			return
		}
		defer done()
		read(newInput(ctx, b, s), yield)
	}
}

// check refuses a split that is none of its object.
func (in *input) check() error {
	s := in.s
	switch {
	case s.Off < 0 || s.Len < 0 || s.Size < s.Off || s.Size-s.Off < s.Len:
		return in.fail("get", fmt.Errorf("%w: the split is not in the object: %d bytes from %d on, of %d", fs.ErrInvalid,
			s.Len, s.Off, s.Size))
	case s.Compression == "":
		return nil
	case unpackers[s.Compression] == nil:
		return in.fail("get", fmt.Errorf("%w: the compression %q is unknown", fs.ErrInvalid, s.Compression))
	case s.Off > 0 || s.Len < s.Size:
		return in.fail("get", fmt.Errorf("%w: the split is a part of a compressed object: %d bytes from %d on, of %d",
			fs.ErrInvalid, s.Len, s.Off, s.Size))
	}
	return nil
}

// end is where the split ends: what begins there belongs to the next. Of a compressed object all belongs to its split.
func (in *input) end() int64 {
	if in.s.Compression != "" {
		return math.MaxInt64
	}
	return in.s.Off + in.s.Len
}

// fail names the object. What is wrong with what was unpacked may be the fault of the packed, whose checksum comes last: nobody has
// seen it yet.
func (in *input) fail(op string, err error) error {
	if _, named := err.(*Error); op == "read" && in.s.Compression != "" && !named { //nolint:errorlint // as in wrap
		err = fmt.Errorf("%w (in what was unpacked from %s)", err, in.s.Compression)
	}
	return wrap(op, in.s.URL, in.s.Key, err)
}
