package redisstore

import (
	"context"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/gowren/gowren/storage"
)

const (
	// maxInline is the size of the largest object that stands in the value at its own key. It is part of the format: a
	// Get asks for so much at once.
	maxInline = 64 << 10
	// partSize is what a Put holds in memory. A value may have 512 MB, but a server does nothing else while it takes one.
	partSize = 8 << 20
	// uncommitted is how long parts last that no script has committed.
	uncommitted = time.Hour
	// grace is how long the parts of a replaced object stay for those who are reading it.
	grace = 30 * time.Second
)

// bucket is a database of a server.
type bucket struct {
	client   *redis.Client
	url      string
	password string // to be taken out of errors
	ttl      time.Duration

	inline, part int           // bytes, part the more; smaller in tests
	keep         time.Duration // uncommitted

	closing sync.Once
	closed  error
}

func (b *bucket) URL() string { return b.url }

// Close closes the connections. What is under way fails.
func (b *bucket) Close() error {
	b.closing.Do(func() { b.closed = b.client.Close() })
	return b.closed
}

func (b *bucket) fail(op, key string, err error) error {
	return &storage.Error{Op: op, URL: b.url, Key: key, Err: err}
}

// call makes a request. The client library heeds a context's deadline but not its cancellation, so the request is left
// to itself when ctx is done: it ends at the latest with its timeout, or with Close. What request uses is not to be
// used again then.
func call[T any](ctx context.Context, b *bucket, request func(context.Context) (T, error)) (T, error) {
	return callUntil(ctx, b, 0, request)
}

// settling is how long a request that changes an object is waited for when its context is done.
const settling = 200 * time.Millisecond

// change is call for what changes objects. Left to itself at once, it could overtake what the caller does next.
func change[T any](ctx context.Context, b *bucket, request func(context.Context) (T, error)) (T, error) {
	return callUntil(ctx, b, settling, request)
}

func callUntil[T any](ctx context.Context, b *bucket, more time.Duration, request func(context.Context) (T, error)) (T, error) {
	type reply struct {
		value T
		err   error
	}
	var none T
	if err := ctx.Err(); err != nil {
		return none, err
	}
	done := make(chan reply, 1)
	go func() {
		value, err := request(ctx)
		done <- reply{value, err}
	}()
	var r reply
	select {
	case r = <-done:
	case <-ctx.Done():
		timer := time.NewTimer(more)
		defer timer.Stop()
		select {
		case r = <-done:
		case <-timer.C:
			return none, ctx.Err()
		}
	}
	if r.err != nil {
		return none, b.explain(ctx, r.err)
	}
	return r.value, nil
}
