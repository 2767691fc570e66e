package supervisor

import (
	"context"
	"fmt"
	"sync"

	"github.com/gowren/gowren/backends"
)

// Gate bounds a driver's invocations under way, and ends them when its backend is closed.
type Gate struct {
	name  string
	slots chan struct{} // holds one for each invocation
	ctx   context.Context
	close context.CancelCauseFunc

	mu     sync.Mutex
	closed bool
}

// NewGate makes a gate for n invocations at once.
func NewGate(name string, n int) *Gate {
	g := &Gate{name: name, slots: make(chan struct{}, max(n, 1))}
	g.ctx, g.close = context.WithCancelCause(context.Background())
	return g
}

// Enter waits until an invocation may begin. The context that it returns ends with the gate, too; leave must be called
// when the invocation is over.
func (g *Gate) Enter(ctx context.Context) (inside context.Context, leave func(), err error) {
	if ctx.Err() != nil {
		return nil, nil, context.Cause(ctx)
	}
	select {
	case g.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, context.Cause(ctx)
	case <-g.ctx.Done():
		return nil, nil, context.Cause(g.ctx)
	}
	inside, left, err := g.Pass(ctx)
	if err != nil {
		<-g.slots
		return nil, nil, err
	}
	return inside, sync.OnceFunc(func() {
		left()
		<-g.slots
	}), nil
}

// Pass is as Enter for what takes no place: an invocation that began long ago, and is only waited for.
func (g *Gate) Pass(ctx context.Context) (inside context.Context, leave func(), err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return nil, nil, context.Cause(g.ctx)
	}
	inside, cancel := context.WithCancelCause(ctx)
	unwatch := context.AfterFunc(g.ctx, func() { cancel(context.Cause(g.ctx)) })
	return inside, func() {
		unwatch()
		cancel(nil)
	}, nil
}

// Close ends the invocations under way, and lets none begin. It does not wait for their replies to be closed.
func (g *Gate) Close() {
	g.mu.Lock()
	g.closed = true
	g.mu.Unlock()
	g.close(fmt.Errorf("%s: the backend is closed: %w", g.name, backends.ErrInvalid))
}
