package supervisor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/program"
	"github.com/gowren/gowren/storage"
)

// programs keeps the executables that were fetched.
type programs struct {
	own     string
	dir     string // made at the first fetch where it is empty
	made    *folder
	keep    int    // executables at most, but for those in use
	memory  int64  // bytes for one that is fetched and its child: it lies in memory, and has it alone; 0 is no bound
	clear   func() // ends the children that are idle
	bucket  func(context.Context) (storage.Bucket, error)
	fetches sync.WaitGroup

	mu     sync.Mutex
	have   map[string]*fetched
	used   int // counts uses: the smallest of fetched.last is the least recent
	closed bool
}

// fetched is an executable on disk, or on its way there.
type fetched struct {
	path  string        // valid once ready
	size  int64         // in bytes, likewise
	ready chan struct{} // closed when it is there, or err says why not
	err   error
	users int // with the fetch itself
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
	f, err := p.enter(ctx, hash)
	if err != nil {
		return "", nil, err
	}
	select {
	case <-f.ready:
		err = f.err
	case <-ctx.Done():
		err = context.Cause(ctx)
		if p.memory > 0 {
			<-f.ready // the next call has the memory
		}
	}
	if err != nil {
		p.release(f)
		return "", nil, err
	}
	return f.path, func() { p.release(f) }, nil
}

// enter returns a program's entry with one more user, and begins to fetch it where there was none.
func (p *programs) enter(ctx context.Context, hash string) (*fetched, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, fmt.Errorf("%w: this worker is about to end", backends.ErrThrottled)
	}
	f := p.have[hash]
	if f == nil {
		f = &fetched{ready: make(chan struct{}), users: 1}
		for len(p.have) >= p.keep && p.evict() {
		}
		p.have[hash] = f
		if p.memory == 0 {
			ctx = context.WithoutCancel(ctx) // others may wait for it when this call is over
		}
		p.fetches.Go(func() { p.fetch(ctx, hash, f) })
	}
	f.users++
	p.used++
	f.last = p.used
	return f, nil
}

// fetchTime bounds a fetch. A connection that died while this machine was frozen would be waited for without end.
const fetchTime = 5 * time.Minute

// fetch gets a program from the bucket. A failure is told to those who wait, and the next call tries again.
func (p *programs) fetch(ctx context.Context, hash string, f *fetched) {
	ctx, cancel := context.WithTimeoutCause(ctx, fetchTime, fmt.Errorf("the program %s did not come within %v", hash, fetchTime))
	defer cancel()
	if p.memory > 0 {
		p.clear() // they may have nearly all of it
		p.mu.Lock()
		for p.evict() {
		}
		p.mu.Unlock()
	}
	path, size, err := p.get(ctx, hash)
	p.mu.Lock()
	f.path, f.size, f.err = path, size, err
	f.users--
	if err != nil {
		delete(p.have, hash)
	}
	p.mu.Unlock()
	close(f.ready)
}

func (p *programs) get(ctx context.Context, hash string) (path string, size int64, err error) {
	b, err := p.bucket(ctx)
	if err != nil {
		return "", 0, err
	}
	dir, err := p.folder()
	if err != nil {
		return "", 0, fmt.Errorf("%w: no folder for programs in %s, which must be there and writable: %w", backends.ErrInvalid, os.TempDir(), err)
	}
	path = filepath.Join(dir, hash)
	most := int64(program.MaxSize)
	if p.memory > 0 {
		most = min(most, p.memory-LeastMemory-p.size())
	}
	err = program.Fetch(ctx, b, hash, path, most)
	if most < program.MaxSize && errors.Is(err, program.ErrTooLarge) {
		err = fmt.Errorf("%w: %s", err, wanting(p.memory))
	}
	if err != nil {
		return "", 0, err
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", 0, err
	}
	return path, info.Size(), nil
}

func (p *programs) folder() (string, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.dir != "" {
		return p.dir, nil
	}
	made, err := makeFolder()
	if err != nil {
		return "", err
	}
	p.made, p.dir = made, made.path
	return p.dir, nil
}

func (p *programs) release(f *fetched) {
	p.mu.Lock()
	f.users--
	p.mu.Unlock()
}

// evict deletes what was not used for longest, and reports whether there was anything that is not in use. A child that
// still runs it is not disturbed. It is called with mu held.
func (p *programs) evict() bool {
	oldest := ""
	for hash, f := range p.have {
		if f.users == 0 && (oldest == "" || f.last < p.have[oldest].last) {
			oldest = hash
		}
	}
	if oldest == "" {
		return false
	}
	_ = os.Remove(p.have[oldest].path) // if it stays, it takes room and does no harm
	delete(p.have, oldest)
	return true
}

// size is how many bytes of programs were fetched and are kept.
func (p *programs) size() (bytes int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, f := range p.have {
		bytes += f.size
	}
	return bytes
}

// close deletes what was fetched, when nothing is fetched any more.
func (p *programs) close() error {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.fetches.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	var errs []error
	for _, f := range p.have {
		errs = append(errs, os.Remove(f.path))
	}
	p.have = map[string]*fetched{}
	if p.made != nil {
		errs = append(errs, p.made.close())
		p.made = nil
	}
	return errors.Join(errs...)
}
