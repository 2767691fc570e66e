package gcpfunctions

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/supervisor"
	"github.com/gowren/gowren/internal/wire"
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
	v := &invocation{b: b, id: call.ID, ctx: ctx, leave: leave}
	if v.ReadCloser, err = b.client.Invoke(ctx, call, nil); err != nil {
		v.end(ctx.Err() != nil)
		return nil, err
	}
	return v, nil
}

// invocation is a reply. The platform does not tell an instance that its caller has gone: work that is not wanted any more
// is stopped through the bucket.
type invocation struct {
	io.ReadCloser
	b      *Backend
	id     string
	ctx    context.Context
	leave  func()
	frames wire.Tracker
	over   bool // the work is over, or nothing is known of it
	once   sync.Once
}

func (v *invocation) Read(p []byte) (int, error) {
	n, err := v.ReadCloser.Read(p)
	if _, corrupt := v.frames.Advance(p[:n]); corrupt != nil {
		return 0, corrupt // not before the whole of it was read: the reply has checked each frame
	}
	if v.frames.Done() || err != nil && v.ctx.Err() == nil {
		v.over = true
	}
	return n, err
}

func (v *invocation) Close() error {
	err := v.ReadCloser.Close()
	v.once.Do(func() { v.end(!v.over) })
	return err
}

// end makes room for another invocation, now or when the work has been stopped: until then its instance is taken.
func (v *invocation) end(stop bool) {
	if !stop {
		v.leave()
		return
	}
	v.b.stopping.Go(func() error {
		defer v.leave()
		ctx, cancel := context.WithTimeout(context.Background(), v.b.pace.stop)
		defer cancel()
		return supervisor.Stop(ctx, v.b.bucket, v.id, v.b.config.poll)
	})
}

// group runs functions in the background, and remembers the first few of their errors.
type group struct {
	mu      sync.Mutex
	running int
	idle    chan struct{} // closed when none runs; nil while nobody waits
	errs    []error
}

const maxRemembered = 10

// Go runs f.
func (g *group) Go(f func() error) {
	g.mu.Lock()
	g.running++
	g.mu.Unlock()
	go func() {
		err := f()
		g.mu.Lock()
		defer g.mu.Unlock()
		if err != nil && len(g.errs) < maxRemembered {
			g.errs = append(g.errs, err)
		}
		if g.running--; g.running == 0 && g.idle != nil {
			close(g.idle)
			g.idle = nil
		}
	}()
}

// Wait returns when none runs, and the errors since the last Wait.
func (g *group) Wait() error {
	for {
		g.mu.Lock()
		if g.running == 0 {
			err := errors.Join(g.errs...)
			g.errs = nil
			g.mu.Unlock()
			return err
		}
		if g.idle == nil {
			g.idle = make(chan struct{})
		}
		idle := g.idle
		g.mu.Unlock()
		<-idle
	}
}
