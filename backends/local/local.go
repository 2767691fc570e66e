// Package local runs tasks in worker processes on this machine: this executable, started again. A task that panics,
// exits or takes too much memory costs its worker, which is replaced, and hurts nothing else. Workers start when they
// are first needed, in a few milliseconds, and stay warm until the executor is closed.
//
// URL: local://?workers=N&cpus=C&memory=M
//
//	workers  processes at most; defaults to the number of CPUs divided by cpus
//	cpus     tasks that a worker runs at once; defaults to 1
//	memory   resident memory in MB above which a worker is killed; defaults to none; enforced on Linux alone. A job with
//	         mapper.Options.MoreMemory may have as many workers again of twice the limit, and of each further step
//
// It runs on Linux and macOS.
package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/url"
	"os"
	"runtime"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/process"
)

func init() {
	backends.Register("local", func(_ context.Context, u *url.URL) (backends.Backend, error) {
		if err := errors.Join(backends.CheckPlace(u), backends.CheckParameters(u, "workers", "cpus", "memory")); err != nil {
			return nil, err
		}
		var c Config
		for name, field := range map[string]*int{"workers": &c.Workers, "cpus": &c.CPUs, "memory": &c.MemoryMB} {
			var err error
			if *field, err = backends.Number(u, name); err != nil {
				return nil, err
			}
		}
		return New(c), nil
	})
}

// Config says how many workers there are and what they may take. Zero fields have the URL's defaults.
type Config struct {
	Workers  int
	CPUs     int
	MemoryMB int
}

// Backend implements [backends.Backend].
type Backend struct {
	config  Config
	pool    *process.Pool // set by Prepare
	program string
}

// New returns a backend.
func New(c Config) *Backend {
	if c.CPUs == 0 {
		c.CPUs = 1
	}
	if c.Workers == 0 {
		c.Workers = max(runtime.NumCPU()/c.CPUs, 1)
	}
	return &Backend{config: c}
}

// Prepare implements [backends.Backend]. Workers start when they are first needed.
func (b *Backend) Prepare(_ context.Context, d backends.Deployment) error {
	var env []string
	if d.Bucket != nil {
		env = []string{backends.BucketVariable + "=" + d.Bucket.URL()}
	}
	b.program = d.Program
	b.pool = process.NewPool(process.PoolConfig{
		Name: "local", Places: b.config.Workers, Env: env, CPUs: b.config.CPUs, Memory: int64(b.config.MemoryMB) << 20, Log: d.Log,
	})
	return nil
}

// Enlarge implements [backends.Enlarger]: there are as many workers, and each may hold twice the memory, up to what this
// machine has.
func (b *Backend) Enlarge() (backends.Backend, error) {
	c := b.config
	if c.MemoryMB == 0 {
		return nil, fmt.Errorf("local: workers have no memory limit (memory=) that could be raised: %w", backends.ErrInvalid)
	}
	most := machineMB()
	if c.MemoryMB >= most {
		return nil, fmt.Errorf("local: a worker may hold %d MB, and this machine has no more than %d MB: make tasks smaller, or choose another backend: %w",
			c.MemoryMB, most, backends.ErrInvalid)
	}
	c.MemoryMB = min(2*c.MemoryMB, most)
	return New(c), nil
}

// machineMB is the memory of this machine, where the system tells as Linux does. Elsewhere no limit is enforced.
func machineMB() int {
	data, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return math.MaxInt / 2
	}
	var kB int
	if _, err := fmt.Sscanf(string(data), "MemTotal: %d kB", &kB); err != nil {
		return math.MaxInt / 2
	}
	return kB >> 10
}

// Invoke implements [backends.Backend].
func (b *Backend) Invoke(ctx context.Context, r backends.Request) (io.ReadCloser, error) {
	reply, err := b.pool.Invoke(ctx, b.program, r.Body, nil)
	if err != nil {
		return nil, err // a nil *process.Reply would not be a nil io.ReadCloser
	}
	return reply, nil
}

// Limits implements [backends.Backend].
func (b *Backend) Limits() backends.Limits {
	return backends.Limits{Concurrency: b.config.Workers, CPUs: b.config.CPUs, Isolates: true, Cancels: true, Streams: true}
}

// Close implements [backends.Backend]. Replies that are still open fail.
func (b *Backend) Close() error {
	if b.pool == nil {
		return nil
	}
	return b.pool.Close()
}
