package s3store

import (
	"context"
	"errors"
	"io"
	"sync/atomic"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// counts holds what was asked of the store, attempts that failed included.
type counts struct {
	put, get, list, delete, head, part, other atomic.Int64 // requests; other: of uploads in parts
	up, down                                  atomic.Int64 // bytes of bodies
	retries                                   atomic.Int64 // requests beyond the first of an operation
}

// of returns the counter of an operation of the SDK.
func (n *counts) of(operation string) *atomic.Int64 {
	switch operation {
	case "PutObject":
		return &n.put
	case "GetObject":
		return &n.get
	case "ListObjectsV2":
		return &n.list
	case "DeleteObject", "DeleteObjects":
		return &n.delete
	case "HeadObject":
		return &n.head
	case "UploadPart":
		return &n.part
	}
	return &n.other
}

// watch adds to the steps of an operation one that sees each attempt.
func watch(s *middleware.Stack, n *counts) error {
	c := n.of(s.ID())
	first := true // a stack is of one operation, whose attempts follow each other
	return s.Finalize.Insert(middleware.FinalizeMiddlewareFunc("gowren:Watch", func(
		ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler,
	) (middleware.FinalizeOutput, middleware.Metadata, error) {
		c.Add(1)
		if !first {
			n.retries.Add(1)
		}
		first = false
		if r, ok := in.Request.(*smithyhttp.Request); ok && r.ContentLength > 0 {
			n.up.Add(r.ContentLength)
		}
		out, metadata, err := next.HandleFinalize(ctx, in)
		if got, ok := out.Result.(*s3.GetObjectOutput); ok && err == nil {
			got.Body = &counted{got.Body, &n.down}
			if s, ok := ctx.Value(spaceKey{}).(*space); ok {
				err = s.fill(got)
			}
		}
		return out, metadata, err
	}), "Retry", middleware.After)
}

// counted counts the bytes of a body.
type counted struct {
	io.ReadCloser
	n *atomic.Int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// bodyError reports that a body was cut, or does not match its checksum. The SDK's retryer takes it for worth another
// attempt.
type bodyError struct{ error }

func (e *bodyError) Unwrap() error { return e.error }

func (e *bodyError) RetryableError() bool {
	return !errors.Is(e.error, context.Canceled) && !errors.Is(e.error, context.DeadlineExceeded)
}
