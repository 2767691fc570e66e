package storage

import (
	"bytes"
	"context"
	"io"
	"iter"
)

// newline is what separates lines. It cannot overlap with itself, so that every one in an object ends a line.
var newline = []byte{'\n'}

// Lines yields the lines that begin in the split, without the "\n" or "\r\n" that ends them. A line begins at the
// object's first byte and after each "\n", so that over all splits of an object, whatever their size, each line is
// yielded once. The last line of an object may lack its end. The slice is valid until the next step.
//
// It reads on past the split for the rest of the last line, and it reads ahead, in the background, while the caller
// works. Memory is four buffers of 256 KiB and the longest line. An object that changed since it was split is
// [ErrChanged], where the store can tell. After an error nothing more is yielded. Reads that fail are tried again as
// [Retry] does. A compressed object is unpacked on the way, which takes up to 128 MiB where zstd was told to use that.
func Lines(ctx context.Context, s Split) iter.Seq2[[]byte, error] {
	return reading(ctx, s, (*input).lines)
}

func (in *input) lines(yield func([]byte, error) bool) {
	err := in.cut(newline, max(in.s.Off-1, 0), 0, func(c *cutter, line []byte) bool {
		return yield(c.trim(line), nil)
	})
	if err != nil {
		yield(nil, err)
	}
}

// trim takes the "\r" of a line's end off.
func (c *cutter) trim(line []byte) []byte {
	if n := len(line) - 1; n >= 0 && line[n] == '\r' && !c.open {
		return line[:n:n]
	}
	return line
}

// cut calls use with the records that begin in the split. It begins to look for them at from, where a record may begin. One of
// more than most bytes is an error, unless most is 0.
func (in *input) cut(sep []byte, from, most int64, use func(c *cutter, record []byte) bool) error {
	if err := in.check(); err != nil {
		return err
	}
	if in.s.Len == 0 {
		return nil
	}
	end := in.end()
	f := in.feed(from, in.s.Off+in.s.Len-from+slack, in.s.Size)
	defer f.close()
	c := &cutter{f: f, sep: bytes.Clone(sep), begin: from, most: most}
	err := c.skip(in.s.Off, end)
	for err == nil && c.begin < end {
		var record []byte
		if record, err = c.next(); err == nil && !use(c, record) {
			return nil
		}
	}
	if err == nil || err == io.EOF { // a wrapped io.EOF is a lost connection
		return nil
	}
	if err == errLongLine { // as it comes from next
		return in.fail("read", err)
	}
	return in.fail("get", err)
}
