package gcsstore

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"

	gcs "cloud.google.com/go/storage"

	"github.com/gowren/gowren/storage"
)

// call is one operation of a bucket, as the SDK carries it in the context of all requests that belong to it.
type call struct {
	kind  storage.Kind
	meter *storage.Meter
	once  bool // the request that commits is sent one time

	size atomic.Int64 // of an object that is sent in one request

	failures atomic.Int32 // in a row, since the last progress
	commits  atomic.Bool  // the last request sent makes the object
	session  atomic.Bool  // requests go to an upload session
	answered atomic.Bool  // a download has begun: another request goes on with it
}

type callKey struct{}

func (b *Bucket) newCall(k storage.Kind) *call { return &call{kind: k, meter: &b.meter} }

// in returns ctx with the call.
func (c *call) in(ctx context.Context) context.Context { return context.WithValue(ctx, callKey{}, c) }

// callOf returns the call of a request, or one that nobody holds.
func callOf(ctx context.Context) *call {
	if c, ok := ctx.Value(callKey{}).(*call); ok {
		return c
	}
	return &call{meter: new(storage.Meter)}
}

// again tells the SDK whether to repeat a request that failed with err. The SDK's own bounds do not hold for uploads.
func (c *call) again(err error) bool {
	if err == nil || !gcs.ShouldRetry(err) || c.once && c.commits.Load() {
		return false
	}
	return c.another()
}

// another counts a failure, and a retry where one is left.
func (c *call) another() bool {
	if c.failures.Add(1) >= attempts {
		return false
	}
	c.meter.Retry()
	return true
}

// progress gives the call all its attempts back.
func (c *call) progress() { c.failures.Store(0) }

// errCut ends a download whose connections break before they deliver a byte. The SDK would open new ones for ever.
var errCut = errors.New("the connection breaks before it delivers anything, again and again")

// sending notes what kind of request is being sent.
func (c *call) sending(r *http.Request) error {
	part := r.Header.Get("Content-Range")
	if part != "" {
		c.session.Store(true)
	}
	// A part of data that go on has an asterisk for the total. A resumable upload begins with a request that has no data.
	c.commits.Store(c.kind == storage.KindPut && (part != "" && !strings.HasSuffix(part, "/*") ||
		r.URL.Query().Get("uploadType") == "multipart"))
	if c.kind == storage.KindGet && c.answered.Load() && !c.another() {
		return errCut
	}
	c.meter.Request(c.kind)
	return nil
}
