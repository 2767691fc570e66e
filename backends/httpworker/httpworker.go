// Package httpworker runs tasks in workers that serve HTTP: on Cloud Run, Knative, Kubernetes, OpenFaaS, or machines of
// your own. A worker is the user's own program, started with GOWREN_WORKER=http; it serves $PORT, and needs no more.
//
// URL: http://HOST:PORT or https://HOST, and
//
//	worker       another HOST:PORT of the same scheme and path; it may be there several times
//	concurrency  invocations at once; defaults to what the workers say that they take, which behind one address of many
//	             workers is what a single one takes: set it there
//	timeout      of one invocation, where the platform has one, such as 60m
//	start        how long a platform may take to start a worker, such as 5m; defaults to a minute
//
// Workers must reach the bucket, and were started with its URL: a request for another is refused. A program that workers
// do not have comes to them through the bucket.
//
// Both sides have the token in GOWREN_WORKER_TOKEN, or in the file that GOWREN_WORKER_TOKEN_FILE names. It goes in the
// clear over http://; use https:// where others share the network. A worker without a token refuses to start, unless
// GOWREN_WORKER_AUTH=platform tells it that the platform authenticates each request.
//
// Further variables of a worker: GOWREN_WORKER_STORAGE, the bucket's URL; GOWREN_WORKER_ADDR, in place of PORT,
// without which it is 127.0.0.1:8080;
// GOWREN_WORKER_SLOTS, invocations at once (defaults to the CPUs); GOWREN_WORKER_CPUS, tasks that each runs at once
// (defaults to 1); GOWREN_WORKER_MEMORY, in MB, above which a child is killed; GOWREN_WORKER_GRACE, how long work may go
// on after SIGTERM (25s); GOWREN_WORKER_TLS_CERT and GOWREN_WORKER_TLS_KEY, files for TLS.
package httpworker

import (
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
	"github.com/gowren/gowren/internal/wire"
)

func init() {
	for _, scheme := range []string{"http", "https"} {
		backends.Register(scheme, open)
	}
}

func open(_ context.Context, u *url.URL) (backends.Backend, error) {
	if err := backends.CheckParameters(u, "worker", "concurrency", "timeout", "start"); err != nil {
		return nil, err
	}
	var c Config
	var err error
	if c.Concurrency, err = backends.Number(u, "concurrency"); err != nil {
		return nil, err
	}
	for name, field := range map[string]*time.Duration{"timeout": &c.Timeout, "start": &c.Start} {
		s := u.Query().Get(name)
		if s == "" {
			continue
		}
		if *field, err = time.ParseDuration(s); err != nil || *field <= 0 {
			return nil, fmt.Errorf("httpworker: %s=%q is no time such as 60m: %w", name, s, backends.ErrInvalid)
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
	Start       time.Duration // from a request to the beginning of its reply, cold start included; defaults to a minute
	// Authorize adds to each request what a platform asks for, such as an identity token. It is called for each.
	Authorize func(*http.Request) error
	Transport http.RoundTripper // defaults to one that verifies TLS and offers HTTP/2
}

// Backend implements [backends.Backend].
type Backend struct {
	config Config
	places places

	// Set by Prepare.
	gate   *supervisor.Gate
	limits backends.Limits
	call   supervisor.Call // what all have in common
}

// New returns a backend.
func New(c Config) (*Backend, error) {
	if len(c.URLs) == 0 {
		return nil, fmt.Errorf("httpworker: no URL of a worker: %w", backends.ErrInvalid)
	}
	if c.Start == 0 {
		c.Start = time.Minute
	}
	b := &Backend{config: c, limits: backends.Limits{Isolates: true, Cancels: true, Streams: true, MaxDuration: c.Timeout}}
	for _, u := range c.URLs {
		p := &place{}
		var err error
		p.client, err = NewClient(ClientConfig{
			URL: u, Transport: c.Transport, Connections: max(c.Concurrency, 64), Authorize: c.authorize, Start: c.Start,
			Broken: func() { b.places.failed(p) },
		})
		if err != nil {
			return nil, err
		}
		b.places.all = append(b.places.all, p)
		b.limits.Remote = b.limits.Remote || !loopback(p.client.base.Hostname())
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

// Prepare implements [backends.Backend]: it asks each worker for its status, and uploads the program unless the bucket has
// it. Of several workers some may be away, or not reach their bucket.
func (b *Backend) Prepare(ctx context.Context, d backends.Deployment) error {
	if d.Bucket != nil {
		b.call.Bucket = d.Bucket.URL()
	}
	statuses, err := b.ping(ctx)
	if err != nil {
		return err
	}
	system, err := b.learn(statuses)
	if err != nil {
		return err
	}
	exe, err := program.Find(ctx, d.Program, d.Log, system)
	if err != nil {
		return err
	}
	defer exe.Close()
	b.call.Program = exe.Hash
	b.gate = supervisor.NewGate("httpworker", b.limits.Concurrency)
	if d.Bucket == nil {
		return nil
	}
	// Workers that have it are no reason not to: behind one address there may be others.
	return exe.Upload(ctx, d.Bucket)
}

// mostSlots bounds what a worker can say of itself.
const mostSlots = 1000

// learn takes what workers say of themselves.
func (b *Backend) learn(statuses []*Status) (program.Platform, error) {
	var system program.Platform
	b.limits.Concurrency = 0
	for i, s := range statuses {
		p := b.places.all[i]
		if s == nil { // it is away
			p.slots = 1
			b.places.failed(p)
			continue
		}
		host := p.client.base.Host
		if s.Bucket != b.call.Bucket {
			return system, fmt.Errorf("httpworker: the worker %s at %s was started for the bucket %q, and this program uses %q: set GOWREN_STORAGE here or %s there: %w",
				s.Worker, host, s.Bucket, b.call.Bucket, backends.BucketVariable, backends.ErrInvalid)
		}
		its := program.Platform{OS: s.OS, Arch: s.Arch}
		if system != its && system.OS != "" {
			return system, fmt.Errorf("httpworker: the worker %s at %s runs on %s/%s, and others on %s/%s: one program cannot serve both: %w",
				s.Worker, host, s.OS, s.Arch, system.OS, system.Arch, backends.ErrInvalid)
		}
		system = its
		p.slots = min(max(s.Slots, 1), mostSlots)
		b.limits.Concurrency += p.slots
		b.limits.CPUs = max(s.CPUs, 1)
	}
	if b.config.Concurrency > 0 {
		b.limits.Concurrency = b.config.Concurrency
	}
	return system, nil
}

// ping asks all workers at once, and has them look at their bucket. Those that are away have no status, nor those that do
// not reach it and were not refused; that all are so is an error.
func (b *Backend) ping(ctx context.Context) ([]*Status, error) {
	statuses, errs := make([]*Status, len(b.places.all)), make([]error, len(b.places.all))
	var all sync.WaitGroup
	for i, p := range b.places.all {
		all.Go(func() {
			s, err := p.client.lookAgain(ctx)
			if err == nil || errors.Is(err, ErrBucket) && s.Bucket != b.call.Bucket {
				statuses[i] = &s // that it has another bucket says more than that it does not reach that one
				return
			}
			errs[i] = err
		})
	}
	all.Wait()
	if slices.ContainsFunc(statuses, func(s *Status) bool { return s != nil }) {
		errs = slices.DeleteFunc(errs, func(err error) bool { return errors.Is(err, ErrUnreachable) || hiccup(err) })
	}
	return statuses, errors.Join(errs...)
}

// Invoke implements [backends.Backend]. Of several workers it asks the one that is least busy and has not failed of late;
// where that one cannot be reached, another, since it has got nothing of the request.
func (b *Backend) Invoke(ctx context.Context, r backends.Request) (io.ReadCloser, error) {
	ctx, leave, err := b.gate.Enter(ctx)
	if err != nil {
		return nil, err
	}
	call := b.call
	call.ID, call.Body = rand.Text(), r.Body
	var unreached error
	for tried := map[*place]bool{}; ; {
		p := b.places.take(tried)
		if p == nil {
			leave()
			// Workers that are being replaced come back: nothing ran, and the scheduler's patience is for this.
			return nil, fmt.Errorf("%w: %w", backends.ErrThrottled, unreached)
		}
		tried[p] = true
		reply, err := p.client.Invoke(ctx, call, func() { b.places.giveBack(p) })
		if err == nil {
			b.places.served(p)
			return &counted{reply, leave}, nil
		}
		if ctx.Err() == nil {
			b.places.failed(p)
		}
		if !errors.Is(err, ErrUnreachable) {
			leave()
			return nil, err
		}
		unreached = err
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

// Limits implements [backends.Backend].
func (b *Backend) Limits() backends.Limits { return b.limits }

// Prewarm implements [backends.Warmer]: it makes n requests at once that workers hold for a moment, so that a platform
// which starts workers by demand starts as many, and then has each fetch the program and start it.
func (b *Backend) Prewarm(ctx context.Context, n int) error {
	errs := make([]error, max(n, 0))
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() {
			if _, errs[i] = b.places.all[i%len(b.places.all)].client.Ping(ctx, time.Second); errs[i] == nil {
				errs[i] = b.start(ctx)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// start has a worker start the program, for a request that it then refuses: it names no function.
func (b *Backend) start(ctx context.Context) error {
	r, err := b.Invoke(ctx, backends.Request{Body: wire.AppendRequest(nil, &wire.Request{})})
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, r)
	return errors.Join(err, r.Close())
}

// Close implements [backends.Backend]. The workers are not this process's: they stay.
func (b *Backend) Close() error {
	if b.gate != nil {
		b.gate.Close()
	}
	for _, p := range b.places.all {
		p.client.Close()
	}
	return nil
}
