package s3store

import (
	"context"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// sumHeader begins the names of the headers that hold checksums. One of them holds their type.
const sumHeader = "X-Amz-Checksum-"

// distrust adds to GetObject a step that takes away checksums which are not those of the body, before the SDK compares
// them. S3 answers a range that is the whole object with the object's checksum. Where that is one of parts' checksums, it
// lacks the "-8" at its end by which the SDK would know it, and sound data would be refused.
func distrust(s *middleware.Stack) error {
	if s.ID() != "GetObject" {
		return nil
	}
	// After means next to the network: it sees the answer before all that the SDK has added.
	return s.Deserialize.Add(middleware.DeserializeMiddlewareFunc("gowren:Distrust", func(
		ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler,
	) (middleware.DeserializeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleDeserialize(ctx, in)
		if r, ok := out.RawResponse.(*smithyhttp.Response); ok && r != nil && r.Response != nil && !sumOfBody(r.Response) {
			for name := range r.Header {
				if strings.HasPrefix(name, sumHeader) {
					r.Header.Del(name)
				}
			}
		}
		return out, metadata, err
	}), middleware.After)
}

// sumOfBody tells whether an answer's checksum is that of its body. Older stores send no type.
func sumOfBody(r *http.Response) bool {
	kind := types.ChecksumType(r.Header.Get(sumHeader + "Type"))
	if kind != "" && kind != types.ChecksumTypeFullObject {
		return false
	}
	if r.StatusCode != http.StatusPartialContent {
		return true
	}
	first, last, total, err := parseRange(r.Header.Get("Content-Range"))
	return err == nil && first == 0 && last == total-1
}
