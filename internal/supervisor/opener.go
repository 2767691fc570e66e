package supervisor

import (
	"context"
	"fmt"
	"sync"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/storage"
)

// opener opens the bucket at its first use. It goes on to open it when the call that wanted it first has ended: the bucket
// outlives the calls.
type opener struct {
	url string

	mu      sync.Mutex
	attempt *attempt // the last one
	closed  bool
}

// attempt is one at opening the bucket.
type attempt struct {
	over   chan struct{} // closed when it is
	opened storage.Bucket
	err    error
}

// get waits until the bucket is open, or ctx ends. After a failure the next call tries again.
func (o *opener) get(ctx context.Context) (storage.Bucket, error) {
	if o.url == "" {
		return nil, fmt.Errorf("this worker was started without a bucket (%s): %w", backends.BucketVariable, backends.ErrInvalid)
	}
	o.mu.Lock()
	a := o.attempt
	if a == nil {
		a = &attempt{over: make(chan struct{})}
		o.attempt = a
		go o.open(context.WithoutCancel(ctx), a)
	}
	o.mu.Unlock()
	select {
	case <-a.over:
		return a.opened, a.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

func (o *opener) open(ctx context.Context, a *attempt) {
	opened, err := storage.Open(ctx, o.url)
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case err != nil:
		a.err, o.attempt = err, nil
	case o.closed:
		a.err = fmt.Errorf("%w: this worker is about to end", backends.ErrThrottled)
		_ = opened.Close() // it was not used
	default:
		a.opened = storage.Retry(opened, storage.RetryPolicy{})
	}
	close(a.over)
}

// close closes the bucket, if it is open.
func (o *opener) close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	if o.attempt == nil || o.attempt.opened == nil {
		return nil
	}
	return o.attempt.opened.Close()
}
