package storage

import (
	"context"
	"fmt"
	"io"
)

// slack is how far the first Get of a split goes beyond its end, so that the last line, if it is of a usual length, costs
// no request of its own. further is the size of each Get after that.
const (
	slack   = 64 << 10
	further = 1 << 20
)

// ahead reads an object from a split's beginning to the object's end, in ranges: a Get to the end, of which only the
// split and a line are used, would leave the store sending what nobody reads.
type ahead struct {
	ctx   context.Context
	b     Bucket
	split Split
	r     io.ReadCloser // the open range, or nil
	pos   int64         // of the next byte
	until int64         // the end of the open range
}

// openAhead begins one byte before the split, which tells whether a line begins with it.
func openAhead(ctx context.Context, b Bucket, s Split) *ahead {
	return &ahead{ctx: ctx, b: b, split: s, pos: max(s.Off-1, 0)}
}

func (a *ahead) Read(p []byte) (int, error) {
	for {
		if a.r == nil {
			if a.pos >= a.split.Size {
				return 0, io.EOF
			}
			if err := a.open(); err != nil {
				return 0, err
			}
		}
		n, err := a.r.Read(p)
		a.pos += int64(n)
		if err == io.EOF {
			a.close()
			if a.pos < a.until {
				return n, a.fail(io.ErrUnexpectedEOF)
			}
			err = nil
			if n == 0 {
				continue
			}
		}
		return n, err
	}
}

// open begins the next range, of the version that was split.
func (a *ahead) open() error {
	size := int64(further)
	if a.until == 0 {
		size = a.split.Off + a.split.Len - a.pos + slack
	}
	a.until = min(a.split.Size, a.pos+size)
	r, err := a.b.Get(a.ctx, a.split.Key, a.pos, a.until-a.pos)
	if err != nil {
		return err
	}
	tag := tagOf(r)
	if tag == "" && a.split.ETag != "" {
		o, err := a.b.Stat(a.ctx, a.split.Key)
		if err != nil {
			r.Close()
			return err
		}
		tag = o.ETag
	}
	if a.split.ETag != "" && tag != "" && tag != a.split.ETag {
		r.Close()
		return a.fail(fmt.Errorf("%w since it was split: its ETag was %s and is %s", ErrChanged, a.split.ETag, tag))
	}
	a.r = r
	return nil
}

func (a *ahead) fail(err error) error { return &Error{"get", a.split.URL, a.split.Key, err} }

func (a *ahead) close() {
	if a.r != nil {
		a.r.Close()
		a.r = nil
	}
}
