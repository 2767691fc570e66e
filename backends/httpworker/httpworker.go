// Package httpworker runs tasks in workers that serve HTTP: on Cloud Run, Knative, Kubernetes, OpenFaaS, or machines of
// your own. A worker is the user's own program, started with GOWREN_WORKER=http; it serves $PORT, and needs no more.
//
// URL: http://HOST:PORT or https://HOST, and
//
//	worker       another HOST:PORT of the same scheme and path; it may be there several times
//	concurrency  invocations at once; defaults to what the workers say that they take, which behind one address of many
//	             workers is what a single one takes: set it there
//	timeout      of one invocation, where the platform has one, such as 60m
//
// Workers must reach the bucket, and were started with its URL: a request for another is refused. A program that workers
// do not have comes to them through the bucket.
//
// Both sides have the token in GOWREN_WORKER_TOKEN, or in the file that GOWREN_WORKER_TOKEN_FILE names. It goes in the
// clear over http://; use https:// where others share the network. A worker without a token refuses to start, unless
// GOWREN_WORKER_AUTH=platform tells it that the platform authenticates each request.
//
// Further variables of a worker: GOWREN_WORKER_STORAGE, the bucket's URL; GOWREN_WORKER_ADDR, in place of PORT;
// GOWREN_WORKER_SLOTS, invocations at once (defaults to the CPUs); GOWREN_WORKER_CPUS, tasks that each runs at once
// (defaults to 1); GOWREN_WORKER_MEMORY, in MB, above which a child is killed; GOWREN_WORKER_GRACE, how long work may go
// on after SIGTERM (25s); GOWREN_WORKER_TLS_CERT and GOWREN_WORKER_TLS_KEY, files for TLS; GOWREN_WORKER_PROGRAM, the
// SHA-256 of its executable, which saves the first request a download.
package httpworker

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/program"
	"github.com/gowren/gowren/internal/supervisor"
)

func init() {
	for _, scheme := range []string{"http", "https"} {
		backends.Register(scheme, open)
	}
}

func open(_ context.Context, u *url.URL) (backends.Backend, error) {
	if err := backends.CheckParameters(u, "worker", "concurrency", "timeout"); err != nil {
		return nil, err
	}
	var c Config
	var err error
	if c.Concurrency, err = backends.Number(u, "concurrency"); err != nil {
		return nil, err
	}
	if s := u.Query().Get("timeout"); s != "" {
		if c.Timeout, err = time.ParseDuration(s); err != nil || c.Timeout <= 0 {
			return nil, fmt.Errorf("httpworker: timeout=%q is no time such as 60m: %w", s, backends.ErrInvalid)
		}
	}
	if c.Token, err = token(); err != nil {
		return nil, err
	}
	for _, host := range append([]string{u.Host}, u.Query()["worker"]...) {
		one := url.URL{Scheme: u.Scheme, Host: host, Path: u.Path}
		c.URLs = append(c.URLs, one.String())
	}
	return New(c)
}

// Config says where workers are.
type Config struct {
	URLs        []string      // of the workers, or the one of what spreads requests over them
	Token       string        // sent as a bearer token; empty is none
	Concurrency int           // invocations at once; defaults to what the workers say
	Timeout     time.Duration // of one invocation; 0 is none
	// Authorize adds to each request what a platform asks for, such as an identity token. It is called for each.
	Authorize func(*http.Request) error
	Transport http.RoundTripper // defaults to one that verifies TLS and offers HTTP/2
}

// Backend implements [backends.Backend].
type Backend struct {
	config Config
	places []*place

	// Set by Prepare.
	gate   *supervisor.Gate
	limits backends.Limits
	call   supervisor.Call // what all have in common

	mu sync.Mutex // over the places' numbers
}

// place is one of the URLs.
type place struct {
	client *Client
	slots  int
	busy   int
	down   time.Time // until when it is taken for unreachable
}

// New returns a backend.
func New(c Config) (*Backend, error) {
	if len(c.URLs) == 0 {
		return nil, fmt.Errorf("httpworker: no URL of a worker: %w", backends.ErrInvalid)
	}
	b := &Backend{config: c, limits: backends.Limits{Isolates: true, Cancels: true, MaxDuration: c.Timeout}}
	for _, u := range c.URLs {
		client, err := NewClient(ClientConfig{
			URL: u, Transport: c.Transport, Connections: max(c.Concurrency, 64), Authorize: c.authorize,
		})
		if err != nil {
			return nil, err
		}
		b.places = append(b.places, &place{client: client})
		b.limits.Remote = b.limits.Remote || !loopback(client.base.Hostname())
	}
	return b, nil
}

func (c Config) authorize(r *http.Request) error {
	if c.Token != "" {
		r.Header.Set("Authorization", "Bearer "+c.Token)
	}
	if c.Authorize != nil {
		return c.Authorize(r)
	}
	return nil
}

// loopback reports whether the host is this machine.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Prepare implements [backends.Backend]: it asks each worker for its status, and uploads the program unless all have it.
func (b *Backend) Prepare(ctx context.Context, d backends.Deployment) error {
	statuses, err := b.ping(ctx)
	if err != nil {
		return err
	}
	exe, err := program.Find(ctx, d.Program, program.Platform{OS: statuses[0].OS, Arch: statuses[0].Arch})
	if err != nil {
		return err
	}
	defer exe.Close()
	b.call = supervisor.Call{Program: exe.Hash}
	if d.Bucket != nil {
		b.call.Bucket = d.Bucket.URL()
	}
	for i, s := range statuses {
		if s.Bucket != b.call.Bucket {
			return fmt.Errorf("httpworker: the worker %s at %s was started for the bucket %q, and this program uses %q: set GOWREN_STORAGE here or %s there: %w",
				s.Worker, b.places[i].client.base.Host, s.Bucket, b.call.Bucket, backends.BucketVariable, backends.ErrInvalid)
		}
		b.places[i].slots = max(s.Slots, 1)
		b.limits.Concurrency += b.places[i].slots
		b.limits.CPUs = max(s.CPUs, 1)
	}
	if b.config.Concurrency > 0 {
		b.limits.Concurrency = b.config.Concurrency
	}
	b.gate = supervisor.NewGate("httpworker", b.limits.Concurrency)
	if d.Bucket == nil || !slices.ContainsFunc(statuses, func(s Status) bool { return s.Program != exe.Hash }) {
		return nil
	}
	return exe.Upload(ctx, d.Bucket)
}

// ping asks all workers at once.
func (b *Backend) ping(ctx context.Context) ([]Status, error) {
	statuses, errs := make([]Status, len(b.places)), make([]error, len(b.places))
	var all sync.WaitGroup
	for i, p := range b.places {
		all.Go(func() { statuses[i], errs[i] = p.client.Ping(ctx, 0) })
	}
	all.Wait()
	return statuses, errors.Join(errs...)
}

// Invoke implements [backends.Backend]. Of several workers it asks the one that is least busy, and another where that one
// cannot be reached: it has got nothing of the request.
func (b *Backend) Invoke(ctx context.Context, r backends.Request) (io.ReadCloser, error) {
	ctx, leave, err := b.gate.Enter(ctx)
	if err != nil {
		return nil, err
	}
	call := b.call
	call.ID, call.Body = rand.Text(), r.Body
	for {
		p := b.take()
		reply, err := p.client.Invoke(ctx, call, func() { b.giveBack(p) })
		if err == nil {
			return &counted{reply, leave}, nil
		}
		if !errors.Is(err, ErrUnreachable) || b.unreachable(p) {
			leave()
			return nil, err
		}
	}
}

// counted is a reply that leaves the gate when it is closed.
type counted struct {
	io.ReadCloser
	leave func()
}

func (c *counted) Close() error {
	err := c.ReadCloser.Close()
	c.leave()
	return err
}

// take returns the place that is least busy, of those that could be reached if there is one.
func (b *Backend) take() *place {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	p := slices.MinFunc(b.places, func(x, y *place) int {
		if xDown, yDown := x.down.After(now), y.down.After(now); xDown != yDown {
			return cmp.Compare(x.down.UnixNano(), y.down.UnixNano())
		}
		return cmp.Compare(x.busy*y.slots, y.busy*x.slots)
	})
	p.busy++
	return p
}

func (b *Backend) giveBack(p *place) {
	b.mu.Lock()
	defer b.mu.Unlock()
	p.busy--
}

// unreachable notes that a place could not be reached, and reports whether that holds for all.
func (b *Backend) unreachable(p *place) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	p.down = now.Add(downTime)
	return !slices.ContainsFunc(b.places, func(p *place) bool { return !p.down.After(now) })
}

// downTime is how long a place that could not be reached is left alone, as long as there are others.
const downTime = 5 * time.Second

// Limits implements [backends.Backend].
func (b *Backend) Limits() backends.Limits { return b.limits }

// Prewarm implements [backends.Warmer]: it makes n requests at once that workers hold for a moment, so that a platform
// which starts workers by demand starts as many.
func (b *Backend) Prewarm(ctx context.Context, n int) error {
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { _, errs[i] = b.places[i%len(b.places)].client.Ping(ctx, time.Second) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// Close implements [backends.Backend]. The workers are not this process's: they stay.
func (b *Backend) Close() error {
	if b.gate != nil {
		b.gate.Close()
	}
	for _, p := range b.places {
		p.client.Close()
	}
	return nil
}
