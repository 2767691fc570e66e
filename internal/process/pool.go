package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/gowren/gowren/backends"
)

// PoolConfig says what a pool's workers have in common.
type PoolConfig struct {
	Name   string   // of the pool; its workers' names begin with it
	Places int      // workers at most
	Env    []string // added to this process's environment
	CPUs   int      // that one worker uses; 0 is all
	Memory int64    // bytes of resident memory above which a worker is killed (Linux only); 0 is no limit
	// Taken is what of Memory a worker that is about to start cannot have. It may be nil.
	Taken func() int64
	Log   func(worker, line string)
}

// Pool keeps workers warm: they start when they are first needed, and are replaced when they end. Each serves one request
// at a time. Workers of several programs share its places.
type Pool struct {
	config PoolConfig
	ctx    context.Context // ends with Close
	close  context.CancelFunc
	free   chan struct{} // a token for each idle place
	places []*place

	mu     sync.Mutex
	idle   []*place // the last one given back is the last: it is the warmest
	closed bool
}

// place is where a worker is, or will be.
type place struct {
	number  int
	starts  int
	program string // of the child
	child   *Child // nil before the first use; set with Pool.mu held, by who has taken the place
}

// NewPool makes a pool. It starts nothing: a worker starts in the time that asking for one early would save.
func NewPool(c PoolConfig) *Pool {
	p := &Pool{config: c, free: make(chan struct{}, c.Places)}
	for i := range c.Places {
		p.idle = append(p.idle, &place{number: c.Places - i})
		p.free <- struct{}{}
	}
	p.places = slices.Clone(p.idle)
	p.ctx, p.close = context.WithCancel(context.Background())
	return p
}

// Invoke sends a request to a worker that runs the program at that path; empty is the one that runs now. It waits for a
// free place. What the worker prints meanwhile goes to log, unless it is nil. The reply gives the place back when it is
// closed.
func (p *Pool) Invoke(ctx context.Context, program string, body []byte, log func(worker, line string)) (*Reply, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	at, err := p.take(ctx, program)
	if err != nil {
		return nil, err
	}
	r, err := p.invoke(ctx, at, program, body, log)
	if err != nil {
		p.giveBack(at)
		return nil, p.explain(err)
	}
	return &Reply{ReadCloser: r, pool: p, place: at}, nil
}

// invoke sends the request to the place's worker. A worker that had died while it was idle is replaced, whether that is
// known yet or found out now: it has taken nothing of the request.
func (p *Pool) invoke(ctx context.Context, at *place, program string, body []byte, log func(worker, line string)) (io.ReadCloser, error) {
	for {
		warm := at.child != nil && at.program == program && at.child.Alive()
		if !warm {
			if err := p.start(at, program); err != nil {
				return nil, fmt.Errorf("%s: %w", p.config.Name, err)
			}
		}
		if log != nil {
			at.child.sink.Store(&log)
		}
		r, err := at.child.Invoke(ctx, body)
		if warm && errors.Is(err, ErrUnsent) {
			continue
		}
		return r, err
	}
}

func (p *Pool) errClosed() error {
	return fmt.Errorf("%s: the backend is closed: %w", p.config.Name, backends.ErrInvalid)
}

// explain returns the error, or that Close has caused it.
func (p *Pool) explain(err error) error {
	if p.ctx.Err() != nil {
		return p.errClosed()
	}
	return err
}

// take waits for an idle place.
func (p *Pool) take(ctx context.Context, program string) (*place, error) {
	select {
	case <-p.free:
	default:
		select {
		case <-p.free:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-p.ctx.Done():
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, p.errClosed()
	}
	i := p.best(program)
	at := p.idle[i]
	p.idle = slices.Delete(p.idle, i, i+1)
	return at, nil
}

// best returns which idle place serves a program soonest: the warmest of its own, else an empty one, else the one that
// has been idle for longest, whose worker must go.
func (p *Pool) best(program string) int {
	empty := 0
	for i := len(p.idle) - 1; i >= 0; i-- {
		switch at := p.idle[i]; {
		case at.child == nil:
			empty = i
		case at.program == program:
			return i
		}
	}
	return empty
}

func (p *Pool) giveBack(at *place) {
	if at.child != nil {
		at.child.sink.Store(nil)
	}
	p.mu.Lock()
	p.idle = append(p.idle, at)
	p.mu.Unlock()
	p.free <- struct{}{}
}

func (p *Pool) start(at *place, program string) error {
	if at.child != nil {
		// It is gone already, and what is left to close are pipes; or it runs another program, and has no work.
		_ = at.child.Close()
	}
	at.starts++
	name := fmt.Sprintf("%s-%d", p.config.Name, at.number)
	if at.starts > 1 {
		name += fmt.Sprintf(".%d", at.starts)
	}
	memory := p.config.Memory
	if memory > 0 && p.config.Taken != nil {
		memory = max(memory-p.config.Taken(), 1)
	}
	child, err := Start(Config{
		Name: name, Program: program, Env: p.config.Env, CPUs: p.config.CPUs, Memory: memory, Log: p.config.Log,
	})
	p.mu.Lock()
	at.child, at.program = child, program // nil after an error
	closed := p.closed
	p.mu.Unlock()
	if err == nil && closed { // Close did not see it
		return errors.Join(p.errClosed(), child.Close())
	}
	return err
}

// Clear ends the idle workers, and returns when they are gone.
func (p *Pool) Clear() {
	for range p.config.Places {
		select {
		case <-p.free:
		default:
			return
		}
		p.mu.Lock()
		if p.closed {
			p.mu.Unlock()
			return
		}
		at := p.idle[0] // it comes back as the last
		p.idle = slices.Delete(p.idle, 0, 1)
		p.mu.Unlock()
		if at.child != nil {
			_ = at.child.Close() // as in start
			p.mu.Lock()
			at.child = nil
			p.mu.Unlock()
		}
		p.giveBack(at)
	}
}

// Close ends all workers, and returns when they are gone. Replies that are still open fail.
func (p *Pool) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	var children []*Child
	for _, at := range p.places {
		if at.child != nil {
			children = append(children, at.child)
		}
	}
	p.mu.Unlock()
	p.close()
	var all sync.WaitGroup
	errs := make([]error, len(children))
	for i, child := range children {
		all.Go(func() { errs[i] = child.Close() })
	}
	all.Wait()
	return errors.Join(errs...)
}

// Reply is a worker's reply.
type Reply struct {
	io.ReadCloser
	pool  *Pool
	place *place
	once  sync.Once
}

func (r *Reply) Read(p []byte) (int, error) {
	n, err := r.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		err = r.pool.explain(err)
	}
	return n, err
}

// Settle returns when all that the worker has printed so far was passed on, or after a second.
func (r *Reply) Settle() { r.place.child.output.settle() }

// Close gives the worker's place back when it is at rest, or gone.
func (r *Reply) Close() error {
	err := r.ReadCloser.Close()
	r.once.Do(func() { r.pool.giveBack(r.place) })
	return err
}
