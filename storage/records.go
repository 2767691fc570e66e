package storage

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"iter"
)

// Records yields the records of size bytes that begin in the split. Records begin at the multiples of size, so that over
// all splits of an object, whatever their size, each is yielded once. The slice is valid until the next step.
//
// An object whose size, unpacked, is no multiple of the record's is an error that wraps [io.ErrUnexpectedEOF]: of every
// split, and before the first record, where the object is not compressed. A size below 1 is [io/fs.ErrInvalid]. For the
// rest it is as [Lines], with one Get a split.
func Records(ctx context.Context, s Split, size int) iter.Seq2[[]byte, error] {
	return reading(ctx, s, func(in *input, yield func([]byte, error) bool) {
		if err := in.records(size, yield); err != nil {
			yield(nil, err)
		}
	})
}

func (in *input) records(size int, yield func([]byte, error) bool) error {
	if err := in.check(); err != nil {
		return err
	}
	if size < 1 {
		return in.fail("read", fmt.Errorf("%w: records of %d bytes", fs.ErrInvalid, size))
	}
	var begin, end, record int64 = 0, in.s.Size, int64(size)
	if in.s.Compression == "" {
		if rest := in.s.Size % record; rest > 0 {
			return in.incomplete(in.s.Size-rest, rest, record)
		}
		// The size is a multiple, and so neither sum can go beyond it.
		begin = roundUp(in.s.Off, record)
		end = roundUp(in.s.Off+in.s.Len, record)
	}
	if begin >= end {
		return nil
	}
	if size < in.buffer {
		in.buffer -= in.buffer % size // so that no record lies in two
	}
	f := in.feed(begin, end-begin, end)
	defer f.close()
	var carry []byte
	for pos := begin; ; {
		data, err := f.next()
		if err == io.EOF { // a wrapped io.EOF is a lost connection
			if len(carry) > 0 {
				return in.incomplete(pos, int64(len(carry)), record)
			}
			return nil
		}
		if err != nil {
			return in.fail("get", err)
		}
		if len(carry) > 0 {
			n := min(size-len(carry), len(data))
			carry, data = append(carry, data[:n]...), data[n:]
			if len(carry) < size {
				continue
			}
			if !yield(carry[:size:size], nil) {
				return nil
			}
			carry, pos = carry[:0], pos+record
		}
		for len(data) >= size {
			if !yield(data[:size:size], nil) {
				return nil
			}
			data, pos = data[size:], pos+record
		}
		carry = append(carry, data...)
	}
}

func (in *input) incomplete(pos, n, record int64) error {
	return in.fail("read", fmt.Errorf("%w: %d bytes from %d on are no record of %d bytes", io.ErrUnexpectedEOF, n, pos, record))
}

// roundUp returns the first multiple at off or above.
func roundUp(off, multiple int64) int64 {
	if rest := off % multiple; rest > 0 {
		return off + multiple - rest
	}
	return off
}
