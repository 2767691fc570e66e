// Package gcpfunctions runs tasks in functions of Google Cloud, of the second generation. It brings storage/gcsstore along,
// and so the scheme gs. The first job deploys one
// function, which takes some minutes; later ones, of this program or another, find it. A program that has changed goes
// through the bucket, and needs no deployment.
//
// URL: gcpfunctions://PROJECT/REGION?parameter=value
//
//	memory               MB of an instance; defaults to 2048. What is written to /tmp is part of it: a task has what the
//	                     programs, the function's own and a fetched one, and 64 MB or a sixteenth leave
//	cpu                  processors of an instance: 1, 2, 4, 6 or 8; defaults to 1 for each 2048 MB or part of it, or as near
//	timeout              of one invocation, in seconds or as in 30m; defaults to 3600, which is the most
//	max                  instances, and so invocations, at once; defaults to 100. The project's quota may be less
//	min                  instances that are kept warm; they cost money all the time; defaults to none
//	serviceaccount       email of the account that workers run as; defaults to the project's compute account
//	buildserviceaccount  email of the account that builds; defaults to what the project builds with
//	invoker              email of the account whose identity the driver takes to call functions; see below
//	vpcconnector         the name of a serverless VPC connector
//	ingress              where calls may come from: all (default; they need an identity), internal, internal-and-gclb
//	prefix               of the functions' names; defaults to gowren
//	runtime              such as go126; defaults to the newest that is generally available
//	endpoint             http://host:port or https://host of another server, such as an emulator
//	env.NAME             an environment variable of workers
//	label.NAME           a label of the functions, such as for billing
//
// # Credentials
//
// They come from where all Google's libraries look. Functions are called with an ID token. A service account, of a key file
// or of the machine, has its own. A person's credentials, from gcloud auth application-default login, give none that a
// function accepts: the driver then takes the identity of the account that invoker names, or else of serviceaccount, which
// the person must be allowed to. docs/gcp.md has the permissions; [Permissions] is the list.
//
// # What is deployed
//
// The function's name says what it is for: version of the protocol, processor, memory, and a hash of the bucket, the
// service account and all other parameters. So it is never changed under a driver that uses it, and Prepare of several
// drivers at once deploys it once. Prepare calls it, and deploys it again, with this program, when it does not answer.
// [Backend.Destroy] removes the one of its configuration and bucket.
//
// # Limits
//
// An invocation takes at most an hour, a request 32 MiB. An instance serves one invocation at a time. A request that finds
// no free instance, and none that may be started, is throttled.
//
// The platform does not tell an instance that its caller has gone. So a running invocation looks in the bucket whether it
// was cancelled: after half a second, then less and less often, every four seconds in the end; each look is one request.
// One whose connection broke is cancelled so too, while its tasks are tried again.
//
// Build a program for it with the tags disable_grpc_modules and grpcnotrace: without them the SDK of Cloud Storage makes it
// some megabytes larger. The interface of Cloud Functions is used over REST, by Google's client for it.
package gcpfunctions

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/httpworker"
	"github.com/gowren/gowren/internal/program"
	"github.com/gowren/gowren/internal/supervisor"
	"github.com/gowren/gowren/storage"
	_ "github.com/gowren/gowren/storage/gcsstore" // the store beside the functions
)

func init() {
	backends.Register(scheme, func(_ context.Context, u *url.URL) (backends.Backend, error) {
		c, err := parse(u)
		if err != nil {
			return nil, err
		}
		return New(c)
	})
}

// Backend implements [backends.Backend].
type Backend struct {
	config  Config
	control *control
	gate    *supervisor.Gate
	pace    pace
	words   httpworker.Words

	// Set by Prepare.
	client *httpworker.Client
	call   supervisor.Call // what all have in common
	bucket storage.Bucket
	id     string // the function's
}

var (
	_ backends.Backend   = (*Backend)(nil)
	_ backends.Warmer    = (*Backend)(nil)
	_ backends.Destroyer = (*Backend)(nil)
	_ backends.Checker   = (*Backend)(nil)
	_ backends.Enlarger  = (*Backend)(nil)
)

// New returns a backend. It sends nothing.
func New(c Config) (*Backend, error) {
	c = c.complete()
	if err := c.check(); err != nil {
		return nil, err
	}
	if c.Tokens == nil {
		c.Tokens = &google{invoker: c.Invoker, worker: c.ServiceAccount}
	}
	b := &Backend{config: c, pace: defaultPace, gate: supervisor.NewGate(scheme, c.MaxInstances)}
	var err error
	if b.control, err = newControl(c, &b.pace); err != nil {
		return nil, err
	}
	return b, nil
}

// platform is what a program must be for.
var platform = program.Platform{OS: "linux", Arch: "amd64"}

// Prepare implements [backends.Backend]: it finds the function, or deploys it, and uploads the program to the bucket.
func (b *Backend) Prepare(ctx context.Context, d backends.Deployment) error {
	if d.Bucket == nil {
		return fmt.Errorf("%s: there is no bucket for programs and large values: %w", scheme, backends.ErrInvalid)
	}
	exe, err := program.Find(ctx, d.Program, d.Log, platform)
	if err != nil {
		return err
	}
	defer exe.Close()
	if rest := left(b.config.MemoryMB, exe.Size); rest < supervisor.LeastMemory>>20 {
		return fmt.Errorf("%s: the program has %d MB, which are part of an instance's memory, and leaves its tasks %d MB of %d: build it stripped "+
			"(-ldflags='-s -w'), or raise memory=: %w", scheme, exe.Size>>20, max(rest, 0), b.config.MemoryMB, backends.ErrInvalid)
	}
	f, err := b.config.function(d.Bucket.URL())
	if err != nil {
		return err
	}
	b.bucket, b.id = storage.Retry(d.Bucket, storage.RetryPolicy{}), f.id
	b.call = supervisor.Call{Program: exe.Hash, Bucket: d.Bucket.URL()}
	if err := b.ensure(ctx, f, exe); err != nil {
		return err
	}
	// Also where it is the function's own: another driver may repair the function with its own program meanwhile.
	return exe.Upload(ctx, d.Bucket)
}

// connect makes the client of a function.
func (b *Backend) connect(u string) error {
	if b.client != nil {
		b.client.Close()
	}
	config := httpworker.ClientConfig{
		URL: u, Connections: b.config.MaxInstances, Explain: explainAnswer,
		Authorize: func(r *http.Request) error {
			if r.URL.Scheme != "https" && b.config.Endpoint == "" {
				return fmt.Errorf("%w: the function's URL is not of https, and would carry a token in the clear", backends.ErrRefused)
			}
			token, err := b.config.Tokens.Identity(r.Context(), u)
			if err != nil {
				return err
			}
			r.Header.Set("Authorization", "Bearer "+token)
			return nil
		},
	}
	if b.config.Client != nil {
		config.Transport = b.config.Client.Transport
	}
	var err error
	b.client, err = httpworker.NewClient(config)
	return err
}

// What it costs at the time of writing, in regions of the first tier.
const (
	priceCPUSecond = 0.000024
	priceGBSecond  = 0.0000025
	priceRequest   = 0.40 / 1e6
)

// margin is what an invocation leaves of the function's time-out: for the start of an instance and of a program.
const margin = 30 * time.Second

// Limits implements [backends.Backend].
func (b *Backend) Limits() backends.Limits {
	gb := float64(b.config.MemoryMB) / 1024
	return backends.Limits{
		MaxRequest: maxRequest, MaxInline: 1 << 20, MaxDuration: b.config.Timeout - margin,
		Concurrency: b.config.MaxInstances, CPUs: b.config.CPU,
		Isolates: true, Cancels: true, Streams: true, Remote: !local(b.config.Endpoint),
		PricePerSecond: priceGBSecond*gb + priceCPUSecond*float64(b.config.CPU), PricePerRequest: priceRequest,
	}
}

// local reports whether an endpoint is this machine.
func local(endpoint string) bool {
	u, err := url.Parse(endpoint)
	if err != nil {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()
}

// Prewarm implements [backends.Warmer]: n requests at once, which instances hold for a moment.
func (b *Backend) Prewarm(ctx context.Context, n int) error {
	errs := make([]error, min(n, b.config.MaxInstances))
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() { _, errs[i] = b.client.Ping(ctx, time.Second) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// Close implements [backends.Backend]: the function stays; [Backend.Destroy] removes it.
func (b *Backend) Close() error {
	b.gate.Close()
	b.words.Close()
	if b.client != nil {
		b.client.Close()
	}
	return b.control.close()
}
