package storage

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"unicode/utf8"
)

// JSONLines yields the values of the lines that begin in the split, as [json.Unmarshal] decodes each into a new T. Blank
// lines are passed over, and so is a byte order mark. Which line belongs to which split is as with [Lines].
//
// A line that is no JSON value, does not fit T or is not valid UTF-8, which json alone would replace, is an error that
// names the object and the line, for which the newlines before the split are counted: the object is read up to there.
// For the rest it is as [Lines].
func JSONLines[T any](ctx context.Context, s Split) iter.Seq2[T, error] {
	return reading(ctx, s, func(in *input, yield func(T, error) bool) {
		err := in.jsonLines(func(line []byte) (more bool, bad error) {
			var v T
			if err := json.Unmarshal(line, &v); err != nil {
				return false, err
			}
			return yield(v, nil), nil
		})
		if err != nil {
			var none T
			yield(none, err)
		}
	})
}

// jsonLines calls use for each line that is not blank. It ends where use tells that there is to be no more, or that the
// line is bad.
func (in *input) jsonLines(use func(line []byte) (more bool, bad error)) error {
	var bad error
	n := int64(0) // lines that were read
	err := in.cut(newline, max(in.s.Off-1, 0), 0, func(_ *cutter, line []byte) bool {
		n++
		if n == 1 && in.s.Off == 0 {
			line = bytes.TrimPrefix(line, []byte(mark))
		}
		if len(bytes.Trim(line, " \t\r")) == 0 {
			return true
		}
		if !utf8.Valid(line) {
			bad = errUTF8
			return false
		}
		more, err := use(line)
		bad = err
		return more && err == nil
	})
	if bad == nil {
		return err
	}
	if in.s.Off > 0 { // the lines that begin before the split
		before, err := in.count('\n', 0, in.s.Off-1)
		if err != nil {
			return in.fail("read", fmt.Errorf("%w, in line %d of the split from byte %d on; that of the object is not known: %w", bad,
				n, in.s.Off, err))
		}
		n += before + 1
	}
	return in.fail("read", fmt.Errorf("line %d: %w", n, bad))
}
