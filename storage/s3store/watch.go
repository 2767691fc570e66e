package s3store

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/gowren/gowren/storage"
)

// kindOf returns what an operation of the SDK is charged as.
func kindOf(operation string) storage.Kind {
	switch operation {
	case "GetObject":
		return storage.KindGet
	case "HeadObject":
		return storage.KindStat
	case "ListObjectsV2":
		return storage.KindList
	case "DeleteObject", "DeleteObjects", "AbortMultipartUpload":
		return storage.KindDelete
	}
	return storage.KindPut
}

// watch adds to the steps of an operation one that sees each attempt.
func watch(s *middleware.Stack, m *storage.Meter) error {
	kind, bytes := kindOf(s.ID()), s.ID() == "PutObject" || s.ID() == "UploadPart"
	first := true // a stack is of one operation, whose attempts follow each other
	return s.Finalize.Insert(middleware.FinalizeMiddlewareFunc("gowren:Watch", func(
		ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler,
	) (middleware.FinalizeOutput, middleware.Metadata, error) {
		m.Request(kind)
		if !first {
			m.Retry()
		}
		first = false
		if r, ok := in.Request.(*smithyhttp.Request); ok && bytes && r.ContentLength > 0 {
			m.Sent(r.ContentLength)
		}
		out, metadata, err := next.HandleFinalize(ctx, in)
		if got, ok := out.Result.(*s3.GetObjectOutput); ok && err == nil {
			got.Body = m.Receiving(got.Body)
			if s, ok := ctx.Value(spaceKey{}).(*space); ok {
				err = s.fill(got)
			}
		}
		return out, metadata, err
	}), "Retry", middleware.After)
}

// bodyError reports that a body was cut, or does not match its checksum. The SDK's retryer takes it for worth another
// attempt.
type bodyError struct{ error }

func (e *bodyError) Unwrap() error { return e.error }

func (e *bodyError) RetryableError() bool {
	return !errors.Is(e.error, context.Canceled) && !errors.Is(e.error, context.DeadlineExceeded)
}
