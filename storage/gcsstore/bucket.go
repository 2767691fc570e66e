package gcsstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	gcs "cloud.google.com/go/storage"
	"github.com/googleapis/gax-go/v2"
	"google.golang.org/api/iterator"

	"github.com/gowren/gowren/storage"
)

// Bucket is a [storage.Bucket] in Google Cloud Storage. [Open] makes one.
type Bucket struct {
	url    string
	client *gcs.Client
	http   *http.Client
	handle *gcs.BucketHandle
	part   int64 // how much one request takes of a large object: partSize, less in tests
	meter  storage.Meter
	exists atomic.Bool // the service has answered for the bucket
}

// URL opens the same bucket in any process.
func (b *Bucket) URL() string { return b.url }

// Close closes idle connections. Readers that are open stay so.
func (b *Bucket) Close() error {
	b.http.CloseIdleConnections()
	return b.client.Close()
}

// Stats tells what was asked of the service. It makes a Bucket [storage.Metered].
func (b *Bucket) Stats() storage.Stats { return b.meter.Stats() }

// Stat implements [storage.Bucket].
func (b *Bucket) Stat(ctx context.Context, key string) (storage.Object, error) {
	return b.stat(ctx, "stat", key)
}

func (b *Bucket) stat(ctx context.Context, op, key string) (storage.Object, error) {
	if err := checkKey(key); err != nil {
		return storage.Object{}, b.fail(op, key, err)
	}
	c := b.newCall(storage.KindStat)
	attrs, err := b.object(key, c).Attrs(c.in(ctx))
	if err != nil {
		return storage.Object{}, b.fail(op, key, b.classify(ctx, c, err))
	}
	return describe(attrs), nil
}

// describe gives the time of the content as that of the last change: metadata may be changed later.
func describe(a *gcs.ObjectAttrs) storage.Object {
	return storage.Object{Key: a.Name, Size: a.Size, Modified: a.Created, ETag: tag(a.Generation)}
}

// tag is the ETag of a generation.
func tag(generation int64) string {
	if generation <= 0 {
		return ""
	}
	return strconv.FormatInt(generation, 10)
}

// attempts bounds how often in a row the SDK sends a request that gets nowhere.
const attempts = 4

// backoff is how long the SDK waits in between: up to these bounds, by chance.
var backoff = gax.Backoff{Initial: 100 * time.Millisecond, Max: 5 * time.Second, Multiplier: 2}

// retries are the SDK's options for a call. It may repeat whatever call.again lets it.
func (b *Bucket) retries(c *call) []gcs.RetryOption {
	return []gcs.RetryOption{
		gcs.WithPolicy(gcs.RetryAlways), gcs.WithErrorFunc(c.again), gcs.WithMaxAttempts(attempts), gcs.WithBackoff(backoff),
	}
}

// object returns the SDK's handle of an object for a call.
func (b *Bucket) object(key string, c *call) *gcs.ObjectHandle {
	return b.handle.Object(key).Retryer(b.retries(c)...)
}

// reserved is the beginning of names that the service refuses.
const reserved = ".well-known/acme-challenge/"

// checkKey adds to storage.CheckKey what the service cannot take. Line ends and the names "." and ".." are refused there.
func checkKey(key string) error {
	if err := storage.CheckKey(key); err != nil {
		return err
	}
	if strings.HasPrefix(key, reserved) {
		return fmt.Errorf("%w: the key is refused: names that begin with %q are reserved", fs.ErrInvalid, reserved)
	}
	return nil
}

func (b *Bucket) fail(op, key string, err error) error {
	return &storage.Error{Op: op, URL: b.url, Key: key, Err: err}
}

// missing tells whether the bucket itself is not there. It asks for one object of the bucket, and only while nothing has
// shown that there is such a bucket; an error other than that is no answer, and so not a missing bucket.
func (b *Bucket) missing(ctx context.Context) bool {
	if b.exists.Load() {
		return false
	}
	c := b.newCall(storage.KindList)
	objects := b.handle.Retryer(b.retries(c)...).Objects(c.in(ctx), &gcs.Query{Projection: gcs.ProjectionNoACL})
	objects.PageInfo().MaxSize = 1
	_, err := objects.Next()
	if err == nil || errors.Is(err, iterator.Done) {
		b.exists.Store(true)
	}
	return errors.Is(err, gcs.ErrBucketNotExist)
}
