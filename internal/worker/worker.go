// Package worker serves requests: it looks the function up, runs the tasks, and writes a frame for each thing that
// happens. It runs in a process of its own, started as a worker, or in the driver's (package inproc).
package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/gowren/gowren/internal/registry"
	"github.com/gowren/gowren/internal/wire"
	"github.com/gowren/gowren/storage"
)

// ErrLeave is returned by Serve when a task could not be stopped: the reply is complete, and the process should exit.
var ErrLeave = errors.New("worker: a task does not stop; this worker leaves")

// Worker serves one request at a time, with as many tasks at once as it has CPUs.
type Worker struct {
	cpus   int
	bucket func(context.Context) (storage.Bucket, error)
	opened atomic.Pointer[storage.Bucket] // once it was needed
	shared sharedCache
	usage  usage
	kept   context.Context // keeps the buckets of splits open; tasks' contexts know what it knows
	unkeep func() error

	mu     sync.Mutex
	idle   []*run // kept for their buffers and goroutines
	now    *run   // the last one begun, for log lines of no task
	left   int    // runs that were given up and whose tasks go on
	closed bool
}

// New makes a worker. The bucket is opened when a task first needs it.
func New(cpus int, bucket func(context.Context) (storage.Bucket, error)) *Worker {
	kept, unkeep := storage.KeepOpen(context.Background())
	w := &Worker{cpus: max(cpus, 1), shared: sharedCache{limit: sharedBytes}, kept: kept, unkeep: unkeep}
	w.bucket = w.keep(bucket)
	return w
}

// keep holds on to the first bucket that opens; a failure is tried again by the next task.
// Operations are tried again too, as the driver's are.
func (w *Worker) keep(open func(context.Context) (storage.Bucket, error)) func(context.Context) (storage.Bucket, error) {
	var mu sync.Mutex
	return func(ctx context.Context) (storage.Bucket, error) {
		mu.Lock()
		defer mu.Unlock()
		if b := w.opened.Load(); b != nil {
			return *b, nil
		}
		opened, err := open(ctx)
		if err != nil {
			return nil, err
		}
		b := storage.Retry(opened, storage.RetryPolicy{})
		w.opened.Store(&b)
		return b, nil
	}
}

// asked returns what was asked of the worker's bucket, and of those that splits were read from.
func (w *Worker) asked() storage.Stats {
	sum := storage.KeptStats(w.kept)
	if b := w.opened.Load(); b != nil {
		s, _ := storage.StatsOf(*b)
		sum = sum.Add(s)
	}
	return sum
}

// Serve answers one request; see [backends.Serve]. Several calls at once do not disturb each other.
func (w *Worker) Serve(ctx context.Context, request []byte, reply io.Writer) error {
	r := w.begin(reply)
	keep, err := r.serve(ctx, request)
	w.end(r, keep)
	return err
}

// Close ends the goroutines that wait for a next request, and closes the buckets that splits were read from. Requests
// under way go on.
func (w *Worker) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
	for _, r := range w.idle {
		r.retire()
	}
	w.idle = nil
	_ = w.unkeep() // they were only read
}

// Left returns how many requests were given up whose tasks still go on, since they ignore their context.
func (w *Worker) Left() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.left
}

func (w *Worker) begin(reply io.Writer) *run {
	w.mu.Lock()
	defer w.mu.Unlock()
	var r *run
	if n := len(w.idle); n > 0 {
		r, w.idle = w.idle[n-1], w.idle[:n-1]
	} else {
		r = newRun(w)
	}
	r.out.reset(reply)
	w.now = r
	return r
}

func (w *Worker) end(r *run, keep bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.now == r {
		w.now = nil
	}
	if keep && !w.closed {
		w.idle = append(w.idle, r)
		return
	}
	r.retire()
	if !keep && r.left.Load() > 0 {
		w.left++
		go func() {
			<-r.rest
			w.mu.Lock()
			defer w.mu.Unlock()
			w.left--
		}()
	}
}

// find returns the function that a request names, or the reason why it cannot be served.
func find(req *wire.Request) (*registry.Function, string) {
	f := registry.Find(req.Function)
	switch {
	case f == nil:
		return nil, fmt.Sprintf("the worker's program has no function %q; it has: %s. Register it in a package variable of the program, "+
			"the same in driver and worker", req.Function, strings.Join(registry.Names(), ", "))
	case f.Types != req.Types:
		return nil, fmt.Sprintf("the worker's program has the function %q as %s (registered at %s), the driver as %s: they are different programs",
			req.Function, f.Types, f.Where, req.Types)
	}
	return f, ""
}
