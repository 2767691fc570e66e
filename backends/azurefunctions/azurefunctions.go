package azurefunctions

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/httpworker"
	"github.com/gowren/gowren/internal/supervisor"
	"github.com/gowren/gowren/internal/wire"
	"github.com/gowren/gowren/storage"
	_ "github.com/gowren/gowren/storage/azstore" // the store beside the functions
)

// The facts of Flex Consumption. The front ends a request 230 seconds after its beginning, which the driver forestalls; the
// host takes 100 MiB. The prices are those of a common region, on demand, without the monthly grant.
const (
	longest         = 220 * time.Second // an invocation, from its sending
	margin          = 30 * time.Second  // of that for the wait for an instance, and for its start and a program's
	maxRequest      = 100<<20 - 64<<10
	maxInline       = 1 << 20
	pricePerGBs     = 0.000026
	pricePerRequest = 0.40 / 1e6
)

// Backend implements [backends.Backend], [backends.Warmer], [backends.Destroyer], [backends.Enlarger] and [backends.Checker].
type Backend struct {
	config      Config
	concurrency int    // invocations at once: as many as instances
	method      uint16 // of compressing packages
	patience    patience
	credential  azcore.TokenCredential
	manager     *manager
	http        *http.Client // for the deployment sites
	transport   *http.Transport
	words       httpworker.Words

	// Set by Prepare.
	app    string // its name
	gate   *supervisor.Gate
	call   supervisor.Call // what all have in common
	bucket storage.Bucket

	mu     sync.Mutex
	client *httpworker.Client
}

// New returns a backend. It reaches nothing yet.
func New(c Config) (*Backend, error) { return newBackend(c, usual) }

func newBackend(c Config, p patience) (*Backend, error) {
	c, err := c.complete()
	if err != nil {
		return nil, err
	}
	cred := c.Credential
	if cred == nil {
		if cred, err = credential(); err != nil {
			return nil, err
		}
	}
	t := &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second, ForceAttemptHTTP2: true, IdleConnTimeout: 30 * time.Second,
	}
	m, err := newManager(c, cred, p, t)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Transport: t, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return &Backend{config: c, concurrency: c.Instances, method: zip.Deflate, patience: p, credential: cred, manager: m, http: client, transport: t}, nil
}

// address is the URL of one of the app's hosts.
func (b *Backend) address(host string) string {
	if b.here() {
		return "http://" + host
	}
	return "https://" + host
}

// here reports whether the resource manager, and so the workers, are on this machine, as in tests.
func (b *Backend) here() bool { return strings.HasPrefix(b.config.Endpoint, "http://") }

// connect makes the client of the app's function.
func (b *Backend) connect(a *app, key string) (*httpworker.Client, error) {
	return httpworker.NewClient(httpworker.ClientConfig{
		URL: b.address(a.Properties.DefaultHostName), Connections: b.config.Instances,
		Authorize: func(r *http.Request) error { r.Header.Set("X-Functions-Key", key); return nil },
		Explain:   func(status int, _ http.Header, body []byte) error { return explainFront(a.Name, status, body) },
	})
}

// errIdle marks the answer of a host that serves no function: it has not loaded one, or cannot.
var errIdle = errors.New("the Functions host does not run")

// errBusyFront marks an answer of the front that has found no instance for a request. Work may have been lost with it.
var errBusyFront = errors.New("the front of the app has no instance for it")

// explainFront says what an answer of the app's front, or of the host behind it, means.
func explainFront(name string, status int, body []byte) error {
	switch status {
	case http.StatusServiceUnavailable:
		if bytes.Contains(body, []byte("host is not running")) { // the host's own words: it has started nothing
			return fmt.Errorf("azurefunctions: %w of %s: it answers 503: %q: %w", errIdle, name, oneLine(string(body)), backends.ErrThrottled)
		}
		return fmt.Errorf("azurefunctions: %w: %s answers 503: %q", errBusyFront, name, oneLine(string(body)))
	case http.StatusUnauthorized:
		return fmt.Errorf("azurefunctions: the app %s does not take the function's key any more: it was changed; run again: %w", name, backends.ErrRefused)
	case http.StatusForbidden:
		return fmt.Errorf("azurefunctions: the app %s was stopped, or its access restrictions keep this machine out: %w", name, backends.ErrRefused)
	case http.StatusNotFound:
		return fmt.Errorf("azurefunctions: the app %s, or its function, is not there: it was deleted, or its host cannot load the package; run again, which deploys it anew: %w",
			name, backends.ErrInvalid)
	case http.StatusInternalServerError, http.StatusBadGateway:
		return fmt.Errorf("azurefunctions: the Functions host of %s answers %d: %q: its worker did not start, or ended; az webapp log tail --name %s shows its lines", name, status, oneLine(string(body)), name)
	case http.StatusGatewayTimeout:
		return fmt.Errorf("azurefunctions: the front of %s ended the request: %w", name, backends.ErrTimeout)
	}
	return nil
}

func (b *Backend) setClient(c *httpworker.Client) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.client != nil {
		b.client.Close()
	}
	b.client = c
}

// prepared is what Prepare has made, and another may make anew.
type prepared struct {
	client *httpworker.Client
	gate   *supervisor.Gate
	bucket storage.Bucket
	app    string
	call   supervisor.Call // without what an invocation adds
}

func (b *Backend) ready() (prepared, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.client == nil || b.gate == nil {
		return prepared{}, invalid("the backend was not prepared")
	}
	return prepared{b.client, b.gate, b.bucket, b.app, b.call}, nil
}

// Limits implements [backends.Backend].
func (b *Backend) Limits() backends.Limits {
	return backends.Limits{
		MaxRequest: min(maxRequest, wire.MaxFrame), MaxInline: maxInline, MaxDuration: longest - margin, Concurrency: b.concurrency, CPUs: b.config.cpus(),
		Isolates: true, Remote: !b.here(), Cancels: true, Streams: true, PricePerSecond: pricePerGBs * float64(b.config.MemoryMB) / 1024, PricePerRequest: pricePerRequest,
	}
}

// Prewarm implements [backends.Warmer]: n requests at once, which instances hold for a moment, make Azure start as many.
func (b *Backend) Prewarm(ctx context.Context, n int) error {
	p, err := b.ready()
	if err != nil {
		return err
	}
	errs := make([]error, min(n, b.config.Instances))
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() { _, errs[i] = p.client.Ping(ctx, time.Second) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// Close implements [backends.Backend]. The app stays: it costs nothing while nobody calls it.
func (b *Backend) Close() error {
	if b.gate != nil {
		b.gate.Close()
	}
	b.words.Close()
	b.transport.CloseIdleConnections()
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.client != nil {
		b.client.Close()
	}
	return nil
}
