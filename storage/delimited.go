package storage

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"iter"
)

// Delimited yields the records that begin in the split, without the separator that ends them. A record begins at the
// object's first byte and after each separator; separators are looked for from the object's first byte on, each behind
// the last, so that "aaa" holds one separator "aa", and the records "" and "a". Over all splits of an object, whatever their
// size, each record is yielded once. What follows the last separator is a record unless it is empty. An empty separator
// is [io/fs.ErrInvalid]. For the rest it is as [Lines].
//
// Where a separator can overlap with itself, as "\n\n" can and "\r\n" cannot, a split is preceded by a look back: one Get
// of 4 KiB or so, and further ones as long as separators overlap, in the worst case back to the object's beginning.
func Delimited(ctx context.Context, s Split, sep []byte) iter.Seq2[[]byte, error] {
	return reading(ctx, s, func(in *input, yield func([]byte, error) bool) {
		if err := in.delimited(sep, yield); err != nil {
			yield(nil, err)
		}
	})
}

func (in *input) delimited(sep []byte, yield func([]byte, error) bool) error {
	if err := in.check(); err != nil {
		return err
	}
	if len(sep) == 0 {
		return in.fail("read", fmt.Errorf("%w: the separator is empty", fs.ErrInvalid))
	}
	from := max(in.s.Off-int64(len(sep)), 0)
	if overlaps(sep) && from > 0 && in.s.Len > 0 {
		var err error
		if from, err = in.lookBack(sep, from); err != nil {
			return err
		}
	}
	return in.cut(sep, from, 0, func(_ *cutter, record []byte) bool { return yield(record, nil) })
}

// overlaps tells whether a separator can begin inside another: whether one of its beginnings is one of its ends.
func overlaps(sep []byte) bool {
	for n := 1; n < len(sep); n++ {
		if bytes.HasSuffix(sep, sep[:n]) {
			return true
		}
	}
	return false
}

// lookBack returns a position at or before q that no separator spans, overlapping ones counted: a scan from the object's
// beginning has no separator there that a scan from it would not see. It reads backwards, in ranges of
// 4 KiB, then 16, 64, and so on up to 1 MiB.
func (in *input) lookBack(sep []byte, q int64) (int64, error) {
	size, most := max(int64(in.buffer)/64, 1), 4*int64(in.buffer)
	// Those that span q begin in the over bytes before it, and end in the over bytes after it.
	over := int64(len(sep) - 1)
	for q > 0 {
		from := max(q-over-size, 0)
		window := make([]byte, min(q+over, in.s.Size)-from)
		a := in.ranges(in.ctx, from, int64(len(window)), from+int64(len(window)))
		_, err := io.ReadFull(a, window)
		a.close()
		if err != nil {
			return 0, in.fail("get", err)
		}
		for q > 0 && (q-over >= from || from == 0) {
			first := max(q-over, from) - from
			last := min(q+over-from, int64(len(window)))
			i := bytes.LastIndex(window[first:last], sep)
			if i < 0 {
				return q, nil
			}
			q = from + first + int64(i)
		}
		size = min(4*size, most)
	}
	return 0, nil
}
