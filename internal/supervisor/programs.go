package supervisor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/program"
	"github.com/gowren/gowren/storage"
)

// programs keeps the executables that were fetched.
type programs struct {
	own    string
	dir    string // made at the first fetch where it is empty
	made   bool
	keep   int // executables at most, but for those in use
	bucket func(context.Context) (storage.Bucket, error)

	mu   sync.Mutex
	have map[string]*fetched
	used int // counts uses: the smallest of fetched.last is the least recent
}

// fetched is an executable on disk, or on its way there.
type fetched struct {
	path  string
	ready chan struct{} // closed when it is there, or err says why not
	err   error
	users int
	last  int
}

// find returns the path of a program, which is empty for the running one, and what to call when it is no longer needed.
func (p *programs) find(ctx context.Context, hash string) (path string, release func(), err error) {
	if hash == p.own && hash != "" {
		return "", func() {}, nil
	}
	if !program.ValidHash(hash) {
		return "", nil, fmt.Errorf("%w: the request names its program %.80q, which is no SHA-256", backends.ErrInvalid, hash)
	}
	p.mu.Lock()
	f := p.have[hash]
	if f == nil {
		f = &fetched{ready: make(chan struct{})}
		p.have[hash] = f
		go p.fetch(context.WithoutCancel(ctx), hash, f) // others may wait for it when this call is over
	}
	f.users++
	p.used++
	f.last = p.used
	p.mu.Unlock()
	release = func() { p.release(f) }
	select {
	case <-f.ready:
		err = f.err
	case <-ctx.Done():
		err = context.Cause(ctx)
	}
	if err != nil {
		release()
		return "", nil, err
	}
	return f.path, release, nil
}

// fetch gets a program from the bucket. A failure is told to those who wait, and the next call tries again.
func (p *programs) fetch(ctx context.Context, hash string, f *fetched) {
	f.path, f.err = p.get(ctx, hash)
	p.mu.Lock()
	if f.err != nil {
		delete(p.have, hash)
	}
	p.mu.Unlock()
	close(f.ready)
}

func (p *programs) get(ctx context.Context, hash string) (string, error) {
	b, err := p.bucket(ctx)
	if err != nil {
		return "", err
	}
	dir, err := p.folder()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, hash)
	p.evict()
	return path, program.Fetch(ctx, b, hash, path)
}

func (p *programs) folder() (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var err error
	if p.dir == "" {
		p.dir, err = os.MkdirTemp("", "gowren-programs-")
		p.made = err == nil
	}
	return p.dir, err
}

func (p *programs) release(f *fetched) {
	p.mu.Lock()
	f.users--
	p.mu.Unlock()
}

// evict deletes what was not used for longest, to make room for one more. A child that still runs it is not disturbed.
func (p *programs) evict() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(p.have) > p.keep {
		oldest := ""
		for hash, f := range p.have {
			if f.users == 0 && (oldest == "" || f.last < p.have[oldest].last) {
				oldest = hash
			}
		}
		if oldest == "" {
			return
		}
		_ = os.Remove(p.have[oldest].path) // if it stays, it takes room and does no harm
		delete(p.have, oldest)
	}
}

// close deletes what was fetched.
func (p *programs) close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, f := range p.have {
		select {
		case <-f.ready:
			errs = append(errs, os.Remove(f.path))
		default:
		}
	}
	p.have = map[string]*fetched{}
	if p.made {
		errs = append(errs, os.RemoveAll(p.dir))
	}
	return errors.Join(errs...)
}
