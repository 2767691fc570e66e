package storage

import (
	"context"
	"fmt"
	"io"
)

// Get opens the object, and goes on at its offset when the read is cut.
func (r *retrying) Get(ctx context.Context, key string, off, n int64) (io.ReadCloser, error) {
	g := &resuming{bucket: r, ctx: ctx, key: key, off: off, left: n}
	err := r.do(ctx, "get", key, g.open)
	if err != nil {
		return nil, err
	}
	return g, nil
}

// resuming reads an object through as many Gets as it takes.
type resuming struct {
	bucket *retrying
	ctx    context.Context
	key    string

	off, left int64  // of the next byte; left is negative where the range has no end
	started   bool   // a byte was delivered, so that the version is settled
	tag       string // where r was cut

	r       io.ReadCloser // nil where the last one was cut
	cut     error         // why r is to be replaced, or why all is over
	attempt int           // that failed since the last byte
}

// open begins to read at off.
func (g *resuming) open() error {
	r, err := g.bucket.b.Get(g.ctx, g.key, g.off, g.left)
	if err != nil {
		return err
	}
	if g.started {
		tag := tagOf(r)
		if tag == "" { // at the object's end, which has no version: whether all was right is still not known
			r.Close()
			return g.cut
		}
		if tag != g.tag {
			r.Close()
			return &Error{"get", g.bucket.URL(), g.key, fmt.Errorf("%w: its ETag was %s and is %s", ErrChanged, g.tag, tag)}
		}
	}
	g.r = r
	return nil
}

func (g *resuming) Read(p []byte) (int, error) {
	for {
		if g.r == nil {
			if err := g.again(); err != nil {
				return 0, err
			}
		}
		n, err := g.r.Read(p)
		if n > 0 {
			g.started, g.attempt = true, 0
			g.off += int64(n)
			if g.left >= 0 {
				g.left -= int64(n)
			}
		}
		if err == nil || err == io.EOF {
			return n, err
		}
		g.tag = tagOf(g.r) // only now: it costs something to make, and most Gets need none
		g.r.Close()
		g.r, g.cut = nil, err
		if n > 0 {
			return n, nil // the error is met by the next Read
		}
	}
}

// again opens the rest of the object after a cut. An error is the end of it.
func (g *resuming) again() error {
	for g.r == nil {
		if g.started && g.tag == "" && passing(g.cut) {
			return g.cut // the next Get could read another version
		}
		g.attempt++
		if err := g.bucket.pause(g.ctx, "get", g.key, g.attempt, g.cut); err != nil {
			g.cut, g.attempt = err, g.bucket.policy.Attempts
			return err
		}
		if err := g.open(); err != nil {
			g.cut = err
		}
	}
	return nil
}

func (g *resuming) Close() error {
	if g.r == nil {
		return nil
	}
	return g.r.Close()
}

// ETag is that of the version being read.
func (g *resuming) ETag() string {
	if g.r != nil {
		return tagOf(g.r)
	}
	return g.tag
}
