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
	places     []*place

	mu     sync.Mutex
	idle   []*place // the last one given back is the first to be taken: it is the warmest
	closed bool
}

// place is where a worker is, or will be.
type place struct {
	number int
	starts int
	child  *process.Child // nil before the first use; set with Backend.mu held, by who has taken the place
}

// Prepare implements [backends.Backend]. It starts nothing: a worker starts in the time that asking for one early would
// save.
func (b *Backend) Prepare(_ context.Context, d backends.Deployment) error {
	b.deployment = d
	return nil
}

// Invoke implements [backends.Backend].
func (b *Backend) Invoke(ctx context.Context, r backends.Request) (io.ReadCloser, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	p, err := b.take(ctx)
	if err != nil {
		return nil, err
	}
	body, err := b.invoke(ctx, p, r)
	if err != nil {
		b.giveBack(p)
		return nil, b.explain(err)
	}
	return &reply{ReadCloser: body, b: b, place: p}, nil
}

// invoke sends the request to the place's worker. A worker that had died while it was idle is replaced, whether that is
// known yet or found out now: it has taken nothing of the request.
func (b *Backend) invoke(ctx context.Context, p *place, r backends.Request) (io.ReadCloser, error) {
	for {
		warm := p.child != nil && p.child.Alive()
		if !warm {
			if err := b.start(p); err != nil {
				return nil, fmt.Errorf("local: %w", err)
			}
		}
		body, err := p.child.Invoke(ctx, r.Body)
		if warm && errors.Is(err, process.ErrUnsent) {
			continue
		}
		return body, err
	}
}

var errClosed = fmt.Errorf("local: the backend is closed: %w", backends.ErrInvalid)

// explain returns the error, or that Close has caused it.
func (b *Backend) explain(err error) error {
	if b.ctx.Err() != nil {
		return errClosed
	}
	return err
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
		return nil, errClosed
	}
	p := b.idle[len(b.idle)-1]
	b.idle = b.idle[:len(b.idle)-1]
	return p, nil
}

func (b *Backend) giveBack(p *place) {
	b.mu.Lock()
	b.idle = append(b.idle, p)
	b.mu.Unlock()
	b.free <- struct{}{}
}

func (b *Backend) start(p *place) error {
	if p.child != nil {
		// It is gone already; what is left to close are pipes.
		_ = p.child.Close()
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
	b.mu.Lock()
	p.child = child // nil after an error
	closed := b.closed
	b.mu.Unlock()
	if err == nil && closed { // Close did not see it
		return errors.Join(errClosed, child.Close())
	}
	return err
}

// Close implements [backends.Backend]. Replies that are still open fail.
func (b *Backend) Close() error {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return nil
	}
	b.closed = true
	var children []*process.Child
	for _, p := range b.places {
		if p.child != nil {
			children = append(children, p.child)
		}
	}
	b.mu.Unlock()
	b.close()
	var all sync.WaitGroup
	errs := make([]error, len(children))
	for i, child := range children {
		all.Go(func() { errs[i] = child.Close() })
	}
	all.Wait()
	return errors.Join(errs...)
}

// reply gives its place back once, when it is closed.
type reply struct {
	io.ReadCloser
	b     *Backend
	place *place
	once  sync.Once
}

func (r *reply) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = r.b.explain(err)
	}
	return n, err
}

func (r *reply) Close() error {
	err := r.ReadCloser.Close()
	r.once.Do(func() { r.b.giveBack(r.place) })
	return err
}
