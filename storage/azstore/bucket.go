package azstore

import (
	"context"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"

	"github.com/gowren/gowren/storage"
)

// bucket is a container of an account.
type bucket struct {
	place  place
	url    string
	access access
	client *blockblob.Client // for any blob: see newClient
	send   *sender
	page   int // of a listing; 0 for the service's own
}

func newBucket(p place, a access, env surroundings) (*bucket, error) {
	b := &bucket{place: p, url: p.url(), access: a, page: env.client.page, send: &sender{transport: newTransport(), sas: a.sas}}
	if env.client.transport != nil {
		env.client.transport(b.send.transport)
	}
	var err error
	b.client, err = newClient(p.endpoint, a, env.client, b.send)
	return b, err
}

// URL implements [storage.Bucket].
func (b *bucket) URL() string { return b.url }

// Stats implements [storage.Metered].
func (b *bucket) Stats() storage.Stats { return b.send.meter.Stats() }

// Close implements [storage.Bucket].
func (b *bucket) Close() error {
	b.send.transport.CloseIdleConnections()
	return nil
}

// Stat implements [storage.Bucket]. It is one request.
func (b *bucket) Stat(ctx context.Context, key string) (storage.Object, error) {
	if err := ready(ctx, key); err != nil {
		return storage.Object{}, b.fail(ctx, "stat", key, err)
	}
	o, err := b.head(ctx, key)
	if err != nil {
		return o, b.fail(ctx, "stat", key, err)
	}
	return o, nil
}

func (b *bucket) head(ctx context.Context, key string) (storage.Object, error) {
	r, err := b.client.GetProperties(b.begin(ctx, kindHead, key), nil)
	if err != nil {
		return storage.Object{}, err
	}
	o := storage.Object{Key: key, ETag: bare(r.ETag)}
	if r.ContentLength != nil {
		o.Size = *r.ContentLength
	}
	if r.LastModified != nil {
		o.Modified = *r.LastModified
	}
	return o, nil
}

// bare returns a tag without its quotes, which listings leave out.
func bare(tag *azcore.ETag) string {
	if tag == nil {
		return ""
	}
	return strings.Trim(string(*tag), `"`)
}

// quoted is a tag as headers have it.
func quoted(tag string) *azcore.ETag {
	t := azcore.ETag(`"` + tag + `"`)
	return &t
}

// ready is what holds before an operation on a key.
func ready(ctx context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return err
	}
	return ctx.Err()
}

// segments is how many parts between slashes a name may have.
const segments = 254

// checkKey adds to the rules of keys those of the service, which would store some keys under another name.
func checkKey(key string) error {
	if err := storage.CheckKey(key); err != nil {
		return err
	}
	switch {
	case strings.Contains(key, `\`):
		return badKey(`it has a backslash, which Azure takes for a slash`)
	case strings.HasSuffix(key, ".") || strings.Contains(key, "./"):
		return badKey("a segment ends in a dot, which Azure does not keep")
	case strings.Count(key, "/") >= segments:
		return badKey(fmt.Sprintf("it has more than %d segments", segments))
	}
	return nil
}

func badKey(why string) error { return fmt.Errorf("%w: the key is refused: %s", fs.ErrInvalid, why) }

// expired tells since when a signature is of no use, or "".
func (a *access) expired() string {
	if a.expires.IsZero() || time.Now().Before(a.expires) {
		return ""
	}
	return a.expires.UTC().Format(time.RFC3339)
}
