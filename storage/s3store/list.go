package s3store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/url"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/gowren/gowren/storage"
)

// List makes a request for each 1,000 objects.
func (b *bucket) List(ctx context.Context, prefix string) iter.Seq2[storage.Object, error] {
	return func(yield func(storage.Object, error) bool) {
		if err := b.list(ctx, prefix, yield); err != nil {
			yield(storage.Object{}, b.fail(ctx, "list", prefix, err))
		}
	}
}

// list yields objects until yield says no.
func (b *bucket) list(ctx context.Context, prefix string, yield func(storage.Object, error) bool) error {
	// Without the encoding, XML cannot hold each key that S3 can.
	in, last := &s3.ListObjectsV2Input{Bucket: &b.name, Prefix: &prefix, EncodingType: types.EncodingTypeUrl}, ""
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		page, err := b.client.ListObjectsV2(ctx, in)
		if err != nil {
			return err
		}
		for i := range page.Contents {
			o := &page.Contents[i]
			key := aws.ToString(o.Key)
			if page.EncodingType == types.EncodingTypeUrl { // not all stores do what they are asked for
				if key, err = url.QueryUnescape(key); err != nil {
					return fmt.Errorf("the store lists a key that is not encoded as it says: %w", err)
				}
			}
			if key <= last {
				return fmt.Errorf("the store lists %q after %q: it knows no order, which this driver needs", key, last)
			}
			last = key
			if !yield(storage.Object{
				Key: key, Size: aws.ToInt64(o.Size), Modified: aws.ToTime(o.LastModified), ETag: aws.ToString(o.ETag),
			}, nil) {
				return nil
			}
		}
		if !aws.ToBool(page.IsTruncated) {
			return nil
		}
		next := aws.ToString(page.NextContinuationToken)
		if next == "" || next == aws.ToString(in.ContinuationToken) { // the same page would come for ever
			return errors.New("the store says that its listing goes on, and not where")
		}
		in.ContinuationToken = &next
	}
}
