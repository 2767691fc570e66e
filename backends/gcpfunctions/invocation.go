package gcpfunctions

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/httpworker"
	"github.com/gowren/gowren/internal/supervisor"
	"github.com/gowren/gowren/internal/wire"
	"github.com/gowren/gowren/storage"
)

// maxRequest leaves room for headers in the 32 MiB that a request may have.
const maxRequest = 31 << 20

// Invoke implements [backends.Backend]. It makes one attempt.
func (b *Backend) Invoke(ctx context.Context, r backends.Request) (io.ReadCloser, error) {
	if len(r.Body) > maxRequest {
		return nil, fmt.Errorf("%s: a request of %d bytes; the service takes %d: %w", scheme, len(r.Body), maxRequest, backends.ErrInvalid)
	}
	ctx, leave, err := b.gate.Enter(ctx)
	if err != nil {
		return nil, err
	}
	call := b.call
	call.ID, call.Body = rand.Text(), r.Body
	v := &invocation{pace: b.pace, words: &b.words, client: b.client, bucket: b.bucket, call: call, ctx: ctx, ended: make(chan struct{})}
	v.PipeReader, v.in = io.Pipe()
	// The request outlasts ctx: only from its end is it known that its instance is free.
	inner, cut := context.WithCancel(context.WithoutCancel(ctx))
	v.cut = cut
	begun := make(chan error) // no room in it: leave ends ctx, which must not be before Invoke was told
	go func() {
		defer leave()
		err := v.carry(inner, begun)
		cut()
		v.err = err
		close(v.ended)
		_ = v.in.CloseWithError(err) // it never fails; after ended, for Close to find it so
	}()
	select {
	case err := <-begun:
		if err != nil {
			<-v.ended
			v.words.Leave(v.ctx, v.bucket, v.call.ID, v.err)
			return nil, err
		}
	case <-ctx.Done():
		_ = v.PipeReader.Close() // it never fails
		return nil, errors.Join(context.Cause(ctx), v.stop())
	}
	v.unwatch = context.AfterFunc(ctx, func() {
		_ = v.in.CloseWithError(context.Cause(ctx)) // it never fails
	})
	return v, nil
}

// invocation is a reply. The platform does not tell an instance that its caller has gone: work that is not wanted any more
// is stopped through the bucket.
type invocation struct {
	*io.PipeReader
	pace  pace
	words *httpworker.Words
	// As Prepare had set them when it began: a later Prepare does not wait for it.
	client *httpworker.Client
	bucket storage.Bucket

	call    supervisor.Call
	ctx     context.Context // while the reply is wanted
	in      *io.PipeWriter
	cut     context.CancelFunc // breaks the connection
	ended   chan struct{}      // closed when the request is over
	err     error              // how; set before that
	unwatch func() bool
	frames  wire.Tracker
	once    sync.Once
}

// carry makes the request and passes the reply on. What nobody reads any more it reads to the end.
func (v *invocation) carry(ctx context.Context, begun chan<- error) error {
	reply, err := v.client.Invoke(ctx, v.call, nil)
	select {
	case begun <- err:
	case <-v.ctx.Done():
	}
	if err != nil {
		return err
	}
	_, err = io.Copy(v.in, reply)
	if errors.Is(err, io.ErrClosedPipe) || v.ctx.Err() != nil {
		_, err = io.Copy(io.Discard, reply)
	}
	_ = reply.Close() // it has ended, or its error is told
	return err
}

func (v *invocation) Read(p []byte) (int, error) {
	n, err := v.PipeReader.Read(p)
	if _, corrupt := v.frames.Advance(p[:n]); corrupt != nil {
		return 0, corrupt
	}
	return n, err
}

// Close ends the reply, and returns when its instance is free: one that was not read to its last frame is stopped first.
func (v *invocation) Close() (err error) {
	v.once.Do(func() {
		v.unwatch()
		if v.frames.Done() {
			_, _ = io.Copy(io.Discard, v.PipeReader) // nothing comes but its end
			<-v.ended
		}
		_ = v.PipeReader.Close() // it never fails
		err = errors.Join(err, v.stop())
	})
	return err
}

// stop has the work stopped, if it is not over.
func (v *invocation) stop() (err error) {
	select {
	case <-v.ended:
	default:
		ctx, cancel := context.WithTimeout(context.WithoutCancel(v.ctx), v.pace.stop)
		defer cancel()
		err = supervisor.Stop(ctx, v.bucket, v.call.ID, v.ended, v.cut)
	}
	v.words.Leave(v.ctx, v.bucket, v.call.ID, v.err) // where it may run on: Stop has taken its word back
	return err
}
