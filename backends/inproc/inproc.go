// Package inproc runs tasks as goroutines of this process, through the same requests, encodings and serve loop as
// worker processes. It costs nothing to start, and is meant for tests and small jobs: it does not isolate. A task that
// panics in a goroutine of its own, exits, or takes all memory does that to the driver, and one that ignores its context
// goes on after its job has ended.
//
// URL: inproc://?workers=N, N invocations at once, as many as there are CPUs unless given.
package inproc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"runtime"
	"sync"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/worker"
	"github.com/gowren/gowren/storage"
)

func init() {
	backends.Register("inproc", func(_ context.Context, u *url.URL) (backends.Backend, error) {
		if err := errors.Join(backends.CheckPlace(u), backends.CheckParameters(u, "workers")); err != nil {
			return nil, err
		}
		n, err := backends.Number(u, "workers")
		if err != nil {
			return nil, err
		}
		return New(n), nil
	})
}

// Backend implements [backends.Backend].
type Backend struct {
	free    chan struct{}
	worker  *worker.Worker
	running sync.WaitGroup
	ctx     context.Context
	close   context.CancelFunc
	mu      sync.Mutex // held while an invocation begins
}

// New returns a backend that runs n invocations at once; 0 is as many as there are CPUs.
func New(n int) *Backend {
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	b := &Backend{free: make(chan struct{}, n)}
	b.ctx, b.close = context.WithCancel(context.Background())
	return b
}

// Prepare implements [backends.Backend].
func (b *Backend) Prepare(_ context.Context, d backends.Deployment) error {
	b.worker = worker.New(1, func(context.Context) (storage.Bucket, error) {
		if d.Bucket == nil {
			return nil, errors.New("inproc: this executor has no bucket")
		}
		return storage.Tally(d.Bucket, new(storage.Meter)), nil // what the driver asks is not the workers'
	})
	return nil
}

// Limits implements [backends.Backend].
func (b *Backend) Limits() backends.Limits {
	return backends.Limits{Concurrency: cap(b.free), CPUs: 1, Cancels: true, Streams: true}
}

var errClosed = fmt.Errorf("inproc: the backend is closed: %w", backends.ErrInvalid)

// Invoke implements [backends.Backend].
func (b *Backend) Invoke(ctx context.Context, r backends.Request) (io.ReadCloser, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	select {
	case b.free <- struct{}{}:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case <-b.ctx.Done():
		return nil, errClosed
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.ctx.Err() != nil:
		<-b.free
		return nil, errClosed
	case b.worker == nil:
		<-b.free
		return nil, fmt.Errorf("inproc: Invoke before Prepare: %w", backends.ErrInvalid)
	}
	ctx, cancel := context.WithCancelCause(ctx)
	pr, pw := io.Pipe()
	unwatch := context.AfterFunc(b.ctx, func() { cancel(errClosed) })
	context.AfterFunc(ctx, func() { _ = pw.CloseWithError(context.Cause(ctx)) }) // also where nobody reads
	done := make(chan struct{})
	b.running.Go(func() {
		defer close(done)
		defer func() { <-b.free }()
		err := b.worker.Serve(ctx, r.Body, pw)
		switch {
		case ctx.Err() != nil: // what came is not all
			err = context.Cause(ctx)
		case errors.Is(err, worker.ErrLeave):
			err = nil // the reply is complete; the task that does not stop goes on by itself
		}
		_ = pw.CloseWithError(err) // never fails
	})
	return &reply{PipeReader: pr, cancel: func() { unwatch(); cancel(nil) }, done: done}, nil
}

// reply ends the work when it is closed.
type reply struct {
	*io.PipeReader
	cancel func()
	done   chan struct{}
}

// Close returns when the worker is free again: soon, since it leaves a task that ignores its context.
func (r *reply) Close() error {
	r.cancel()
	err := r.PipeReader.Close()
	<-r.done
	return err
}

// Close implements [backends.Backend]. It returns an error when tasks ignore their context and go on.
func (b *Backend) Close() error {
	b.mu.Lock()
	b.close()
	b.mu.Unlock()
	b.running.Wait()
	if b.worker == nil {
		return nil
	}
	b.worker.Close()
	if n := b.worker.Left(); n > 0 {
		return fmt.Errorf("inproc: %d tasks ignore their context and go on", n)
	}
	return nil
}
