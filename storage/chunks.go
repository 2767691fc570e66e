package storage

import (
	"context"
	"io"
	"iter"
)

// Chunks yields the bytes of the split, no more and no fewer, some at a time; those of a compressed object unpacked. It is for
// formats that have no lines and no records of one size. The slice is valid until the next step. For the rest it is as [Lines].
func Chunks(ctx context.Context, s Split) iter.Seq2[[]byte, error] {
	return reading(ctx, s, func(in *input, yield func([]byte, error) bool) {
		if err := in.chunks(yield); err != nil {
			yield(nil, err)
		}
	})
}

func (in *input) chunks(yield func([]byte, error) bool) error {
	if err := in.check(); err != nil {
		return err
	}
	if in.s.Len == 0 {
		return nil
	}
	f := in.feed(in.s.Off, in.s.Len, in.s.Off+in.s.Len)
	defer f.close()
	for {
		data, err := f.next()
		switch {
		case err == io.EOF: // a wrapped io.EOF is a lost connection
			return nil
		case err != nil:
			return in.fail("get", err)
		case !yield(data, nil):
			return nil
		}
	}
}
