package mapper_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/inproc"
	"github.com/gowren/gowren/internal/journal"
	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/storage"
)

// cloud is what goes on when drivers have died: it serves detached requests, and leaves their replies in the bucket.
type cloud struct {
	workers backends.Backend
	bucket  storage.Bucket
	lasts   time.Duration
	loses   atomic.Bool // requests, without a word
	full    atomic.Bool // it takes none
	lost    atomic.Int64

	mu    sync.Mutex
	calls map[string]*cloudCall // by ID
	all   sync.WaitGroup
}

type cloudCall struct {
	cancel context.CancelFunc
	stored chan struct{}
	ended  chan struct{}
}

func newCloud(t *testing.T, b storage.Bucket) *cloud {
	t.Helper()
	p := &cloud{workers: inproc.New(64), bucket: b, lasts: time.Hour, calls: map[string]*cloudCall{}}
	if err := p.workers.Prepare(t.Context(), backends.Deployment{Bucket: b}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.all.Wait()
		if err := p.workers.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// send begins to serve a request.
func (p *cloud) send(r backends.Request, id string) {
	ctx, cancel := context.WithCancel(context.Background())
	c := &cloudCall{cancel, make(chan struct{}), make(chan struct{})}
	p.mu.Lock()
	p.calls[id] = c
	p.mu.Unlock()
	r.Body, r.Detached, r.ID = bytes.Clone(r.Body), false, ""
	p.all.Go(func() {
		defer cancel()
		defer close(c.ended)
		reply, err := p.workers.Invoke(ctx, r)
		if err != nil {
			return
		}
		frames, _ := io.ReadAll(reply) // it is cut where the request was cancelled
		_ = reply.Close()
		if err := p.bucket.PutNew(context.Background(), r.Prefix+"/replies/"+id, bytes.NewReader(frames)); err == nil {
			close(c.stored)
		}
	})
}

// driver is a backend as one driver has it, and the bucket, until that dies.
type driver struct {
	storage.Bucket
	*cloud
	dead     atomic.Bool
	attached atomic.Int64
}

func (d *driver) Prepare(context.Context, backends.Deployment) error { return nil }
func (d *driver) Limits() backends.Limits {
	return backends.Limits{Concurrency: 8, CPUs: 1, Cancels: true, Detaches: true}
}
func (d *driver) Close() error         { return nil }
func (d *driver) Lasts() time.Duration { return d.lasts }

func (d *driver) Invoke(ctx context.Context, r backends.Request) (io.ReadCloser, error) {
	id := cmp.Or(r.ID, rand.Text())
	if err := r.Begin(ctx); err != nil {
		return nil, err
	}
	switch {
	case d.full.Load():
		d.lost.Add(1)
		<-ctx.Done()
		return nil, ctx.Err()
	case d.loses.Load():
		d.lost.Add(1)
	default:
		d.send(r, id)
	}
	return &cloudReply{d: d, ctx: ctx, id: id, prefix: r.Prefix, until: time.Now().Add(d.lasts), closed: make(chan struct{})}, nil
}

func (d *driver) Attach(ctx context.Context, a backends.Attached) (io.ReadCloser, error) {
	d.attached.Add(1)
	return &cloudReply{d: d, ctx: ctx, id: a.ID, prefix: a.Prefix, until: a.Until, once: a.Once, alive: a.Alive, closed: make(chan struct{})}, nil
}

func (d *driver) PutNew(ctx context.Context, key string, data io.Reader) error {
	if d.dead.Load() {
		return fmt.Errorf("the driver is dead: %w", fs.ErrPermission)
	}
	return d.Bucket.PutNew(ctx, key, data)
}

// cloudReply is a reply that is waited for.
type cloudReply struct {
	d          *driver
	ctx        context.Context
	id, prefix string
	until      time.Time
	once       bool
	alive      func(context.Context) bool
	reply      io.ReadCloser
	closed     chan struct{}
}

func (r *cloudReply) Read(p []byte) (int, error) {
	if r.reply == nil {
		r.d.mu.Lock()
		c := r.d.calls[r.id]
		r.d.mu.Unlock()
		var stored chan struct{}
		if c != nil {
			stored = c.stored
		}
		wait := max(time.Until(r.until), 50*time.Millisecond) // it is looked for once at least
		if r.once {
			wait = 50 * time.Millisecond
		}
		late := time.NewTimer(wait)
		defer late.Stop()
		select {
		case <-stored:
		case <-r.ctx.Done():
			return 0, context.Cause(r.ctx)
		case <-late.C:
			return 0, &backends.LostError{Worker: "w", Cause: errors.New("no reply came")}
		}
		var err error
		if r.reply, err = r.d.bucket.Get(r.ctx, r.prefix+"/replies/"+r.id, 0, -1); err != nil {
			return 0, fmt.Errorf("%w: %w", backends.ErrUnread, err)
		}
	}
	return r.reply.Read(p)
}

func (r *cloudReply) Close() error {
	if r.reply != nil {
		return r.reply.Close()
	}
	r.d.mu.Lock()
	c := r.d.calls[r.id]
	r.d.mu.Unlock()
	if c != nil && !r.d.dead.Load() && (r.alive == nil || !r.alive(context.Background())) {
		c.cancel()
		<-c.ended
	}
	return nil
}

// start opens an executor of a driver of its own.
func (p *cloud) start(t *testing.T, o mapper.Options) (*driver, *mapper.Executor) {
	t.Helper()
	d := &driver{Bucket: p.bucket, cloud: p}
	o.Resume, o.Detached = "it", true
	ex, err := mapper.New(t.Context(), d, struct{ storage.Bucket }{d}, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ex.Close() })
	return d, ex
}

// dies runs a job of a driver that dies when so many tasks have begun, or requests were lost. Those that have not ended go on.
func (p *cloud) dies(t *testing.T, test string, begun int64, o mapper.Options, job func(ctx context.Context, ex *mapper.Executor) error) {
	t.Helper()
	d, ex := p.start(t, o)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- job(ctx, ex) }()
	for ran(test+" begun").Load()+p.lost.Load() < begun {
		select {
		case err := <-ended:
			t.Fatalf("the job has ended: %v", err)
		case <-time.After(time.Millisecond):
		}
	}
	for !p.full.Load() && !p.known(t) {
		time.Sleep(10 * time.Millisecond)
	}
	d.dead.Store(true)
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the driver dies with %v", err)
	}
	p.lapse(t)
}

// lapse ends the leases of drivers, as time does.
func (p *cloud) lapse(t *testing.T) {
	t.Helper()
	for o, err := range p.bucket.List(t.Context(), "resume/it/") {
		if err == nil && strings.HasSuffix(o.Key, "/lease") {
			err = p.bucket.Delete(t.Context(), o.Key)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// known reports whether all requests that are under way are known to be.
func (p *cloud) known(t *testing.T) bool {
	t.Helper()
	j, err := journal.Open(t.Context(), p.bucket, "it", journal.Run{})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	return !slices.ContainsFunc(j.Requests(), func(r *journal.Request) bool { return !r.Taken })
}

// whenAttached does something when so many requests of an earlier driver are awaited.
func (d *driver) whenAttached(t *testing.T, n int64, do func()) {
	go func() {
		for d.attached.Load() < n && t.Context().Err() == nil {
			time.Sleep(time.Millisecond)
		}
		do()
	}()
}
