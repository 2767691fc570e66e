// Package local runs tasks in worker processes on this machine: this executable, started again. A task that panics,
// exits or takes too much memory costs its worker, which is replaced, and hurts nothing else. Workers start when they
// are first needed, in a few milliseconds, and stay warm until the executor is closed.
//
// URL: local://?workers=N&cpus=C&memory=M
//
//	workers  processes at most; defaults to the number of CPUs divided by cpus
//	cpus     tasks that a worker runs at once; defaults to 1
//	memory   resident memory in MB above which a worker is killed; defaults to none; enforced on Linux alone
//
// It runs on Linux and macOS.
package local

import (
	"context"
	"errors"
	"net/url"
	"runtime"
	"slices"

	"github.com/gowren/gowren/backends"
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

// New returns a backend.
func New(c Config) *Backend {
	if c.CPUs == 0 {
		c.CPUs = 1
	}
	if c.Workers == 0 {
		c.Workers = max(runtime.NumCPU()/c.CPUs, 1)
	}
	b := &Backend{config: c, free: make(chan struct{}, c.Workers)}
	for i := range c.Workers {
		b.idle = append(b.idle, &place{number: c.Workers - i})
		b.free <- struct{}{}
	}
	b.places = slices.Clone(b.idle)
	b.ctx, b.close = context.WithCancel(context.Background())
	return b
}

// Limits implements [backends.Backend].
func (b *Backend) Limits() backends.Limits {
	return backends.Limits{Concurrency: b.config.Workers, CPUs: b.config.CPUs, Isolates: true, Cancels: true}
}
