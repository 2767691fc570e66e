package storage

import (
	"context"
	"io"
)

// Tagged is implemented by the readers of drivers that know which version of the object they read. [Retry] needs it to
// go on with a Get that was cut: without it, it could splice two versions, and gives up instead.
type Tagged interface {
	// ETag is the [Object.ETag] of the object being read. It is empty where the reader does not know it. It stays the same
	// from the first byte on, also after a Read has failed, when Retry asks for it, and after Close.
	ETag() string
}

// tagOf returns the version that r reads, or "" where r does not tell.
func tagOf(r io.Reader) string {
	if t, ok := r.(Tagged); ok {
		return t.ETag()
	}
	return ""
}

// WithContext returns a reader of r that fails with ctx's error once ctx is done. It cannot end a Read of r that is
// under way.
func WithContext(ctx context.Context, r io.Reader) io.Reader { return &contextReader{ctx, r} }

type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c *contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
