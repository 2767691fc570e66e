package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/process"
)

// Backend implements [backends.Backend].
type Backend struct {
	config     Config
	deployment backends.Deployment
	ctx        context.Context // ends with Close
	close      context.CancelFunc
	free       chan struct{} // a token for each idle place

	mu     sync.Mutex
	idle   []*place // the last one given back is the first to be taken: it is the warmest
	taken  sync.WaitGroup
	closed bool
}

// place is where a worker is, or will be.
type place struct {
	number int
	starts int
	child  *process.Child // nil before the first use
}

// Prepare implements [backends.Backend]. It starts nothing: a worker starts in the time that asking for one early would
// save.
func (b *Backend) Prepare(_ context.Context, d backends.Deployment) error {
	b.deployment = d
	return nil
}

// Invoke implements [backends.Backend].
func (b *Backend) Invoke(ctx context.Context, r backends.Request) (io.ReadCloser, error) {
	p, err := b.take(ctx)
	if err != nil {
		return nil, err
	}
	if p.child == nil || !p.child.Alive() {
		if err := b.start(p); err != nil {
			b.giveBack(p)
			return nil, fmt.Errorf("local: %w", err)
		}
	}
	body, err := p.child.Invoke(ctx, r.Body)
	if err != nil {
		b.giveBack(p)
		return nil, err
	}
	return &reply{ReadCloser: body, done: func() { b.giveBack(p) }}, nil
}

// take waits for an idle place.
func (b *Backend) take(ctx context.Context) (*place, error) {
	select {
	case <-b.free:
	default:
		select {
		case <-b.free:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-b.ctx.Done():
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, fmt.Errorf("local: the backend is closed: %w", backends.ErrInvalid)
	}
	b.taken.Add(1)
	p := b.idle[len(b.idle)-1]
	b.idle = b.idle[:len(b.idle)-1]
	return p, nil
}

func (b *Backend) giveBack(p *place) {
	b.mu.Lock()
	b.idle = append(b.idle, p)
	b.mu.Unlock()
	b.taken.Done()
	b.free <- struct{}{}
}

func (b *Backend) start(p *place) error {
	if p.child != nil {
		// It is gone already; what is left to close are pipes.
		_ = p.child.Close()
		p.child = nil
	}
	p.starts++
	name := fmt.Sprintf("local-%d", p.number)
	if p.starts > 1 {
		name += fmt.Sprintf(".%d", p.starts)
	}
	var env []string
	if b.deployment.Bucket != nil {
		env = []string{backends.BucketVariable + "=" + b.deployment.Bucket.URL()}
	}
	child, err := process.Start(process.Config{
		Name: name, Program: b.deployment.Program, Env: env, CPUs: b.config.CPUs,
		Memory: int64(b.config.MemoryMB) << 20, Log: b.deployment.Log,
	})
	if err != nil {
		return err
	}
	p.child = child
	return nil
}

// Close implements [backends.Backend].
func (b *Backend) Close() error {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return nil
	}
	b.closed = true
	b.mu.Unlock()
	b.close()
	b.taken.Wait()
	var all sync.WaitGroup
	errs := make([]error, len(b.idle))
	for i, p := range b.idle {
		if p.child != nil {
			all.Go(func() { errs[i] = p.child.Close() })
		}
	}
	all.Wait()
	return errors.Join(errs...)
}

// reply gives its place back once, when it is closed.
type reply struct {
	io.ReadCloser
	once sync.Once
	done func()
}

func (r *reply) Close() error {
	err := r.ReadCloser.Close()
	r.once.Do(r.done)
	return err
}
