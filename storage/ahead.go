package storage

import (
	"context"
	"fmt"
	"io"
)

// slack is how far the first Get of a split goes beyond its end, so that the last line, if it is of a usual length, costs
// no request of its own. further is the size of the second Get. Each one after it is twice as large, up to furthest.
const (
	slack    = 64 << 10
	further  = 1 << 20
	furthest = 16 << 20
)

// ranges reads an object from pos to end, in ranges: a Get to the end, of which only the split and a line are used,
// would leave the store sending what nobody reads.
type ranges struct {
	ctx    context.Context
	in     *input
	r      io.ReadCloser // the open range, or nil
	pos    int64         // of the next byte
	until  int64         // the end of the open range
	end    int64
	size   int64 // of the next range
	opened bool  // a range was opened before
}

// ranges begins at pos, with a Get of first bytes.
func (in *input) ranges(ctx context.Context, pos, first, end int64) *ranges {
	if first <= 0 { // a sum that has overflown
		first = end - pos
	}
	return &ranges{ctx: ctx, in: in, pos: pos, end: end, size: first}
}

func (a *ranges) Read(p []byte) (int, error) {
	if a.r == nil {
		if a.pos >= a.end {
			return 0, io.EOF
		}
		if err := a.open(); err != nil {
			return 0, err
		}
	}
	n, err := a.r.Read(p[:min(int64(len(p)), a.until-a.pos)])
	a.pos += int64(n)
	if a.pos == a.until {
		a.close()
		return n, nil
	}
	if err == io.EOF { // a wrapped io.EOF is a lost connection
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		err = a.in.fail("get", err)
	}
	return n, err
}

// paused tells that the next Read opens another range.
func (a *ranges) paused() bool { return a.r == nil && a.opened && a.pos < a.end }

// open begins the next range, of the version that was split, or else of the one that was met first.
func (a *ranges) open() error {
	s := a.in.s
	a.until = a.pos + min(a.end-a.pos, a.size)
	if a.opened {
		a.size = min(2*a.size, furthest)
	} else {
		a.size, a.opened = further, true
	}
	r, err := a.in.b.Get(a.ctx, s.Key, a.pos, a.until-a.pos)
	if err != nil {
		return a.in.fail("get", err)
	}
	tag := tagOf(r)
	if tag == "" && a.in.version() != "" {
		o, err := a.in.b.Stat(a.ctx, s.Key)
		if err != nil {
			r.Close()
			return a.in.fail("stat", err)
		}
		tag = o.ETag
	}
	if changed := a.in.pin(tag); changed != nil {
		r.Close()
		return a.in.fail("get", changed)
	}
	a.r = r
	return nil
}

// pin holds the version that is read: all ranges are of one.
func (in *input) pin(tag string) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	switch {
	case tag == "" || tag == in.tag:
		return nil
	case in.tag != "":
		return fmt.Errorf("%w since it was split: its ETag was %s and is %s", ErrChanged, in.tag, tag)
	}
	in.tag = tag
	return nil
}

func (in *input) version() string {
	in.mu.Lock()
	defer in.mu.Unlock()
	return in.tag
}

func (a *ranges) close() {
	if a.r != nil {
		a.r.Close()
		a.r = nil
	}
}
