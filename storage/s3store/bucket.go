package s3store

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/gowren/gowren/storage"
)

// bucket is a [storage.Bucket] of S3. It has no state but its connections, so that Close has little to do.
type bucket struct {
	client    *s3.Client
	transport idler
	name, url string
	place     place
	sums      bool // checksums go with uploads
	meter     *storage.Meter
}

// idler holds connections open that wait for work.
type idler interface{ CloseIdleConnections() }

func (b *bucket) URL() string { return b.url }

// Close closes the connections that wait. Readers that are open stay so.
func (b *bucket) Close() error {
	b.transport.CloseIdleConnections()
	return nil
}

// Stats implements [storage.Metered].
func (b *bucket) Stats() storage.Stats { return b.meter.Stats() }

// Stat is one request. The store answers it without a body, so that a bucket that does not exist looks like an object
// that does not.
func (b *bucket) Stat(ctx context.Context, key string) (storage.Object, error) {
	if err := b.check(ctx, key); err != nil {
		return storage.Object{}, b.fail(ctx, "stat", key, err)
	}
	out, err := b.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.name, Key: &key})
	if err != nil {
		return storage.Object{}, b.fail(ctx, "stat", key, err)
	}
	return storage.Object{
		Key: key, Size: aws.ToInt64(out.ContentLength), Modified: aws.ToTime(out.LastModified), ETag: aws.ToString(out.ETag),
	}, nil
}

// check refuses what is not worth a request. S3 holds every key that storage.CheckKey allows.
func (b *bucket) check(ctx context.Context, key string) error {
	if err := storage.CheckKey(key); err != nil {
		return err
	}
	return ctx.Err()
}
