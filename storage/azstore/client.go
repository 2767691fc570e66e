package azstore

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blockblob"
)

// settings are what tests change.
type settings struct {
	retryDelay time.Duration // before the first retry of the SDK; defaults to 400 ms
	page       int           // objects in a listing's answer; defaults to the service's 5,000
	transport  func(*http.Transport)
}

// idle is how many connections are kept for the next requests: those of a worker's tasks.
const idle = 64

// newTransport returns one without a bound on how long a transfer may take: whoever waits has a context.
func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: 2 * time.Minute, // counted from when the request is sent; the service's own limits are lower
		ExpectContinueTimeout: time.Second,     // the SDK asks before it sends once it was told that the store is busy
		MaxIdleConnsPerHost:   idle,
		IdleConnTimeout:       90 * time.Second,
		DisableCompression:    true, // checksums are of the bytes as they are stored
	}
}

// newClient returns a client for all blobs of an account. The SDK's clients are for one blob each, with a pipeline and a
// cache of tokens of its own; its client for containers links the decoder of a columnar format. So there is one client
// for one place, and a policy sends each request where its call says.
func newClient(endpoint *url.URL, a access, s settings, send *sender) (*blockblob.Client, error) {
	o := blockblob.ClientOptions{ClientOptions: azcore.ClientOptions{
		Retry:           policy.RetryOptions{MaxRetries: 3, RetryDelay: 400 * time.Millisecond, MaxRetryDelay: 10 * time.Second},
		Telemetry:       policy.TelemetryOptions{ApplicationID: "gowren"},
		Transport:       send,
		PerCallPolicies: []policy.Policy{&aim{endpoint}},
	}}
	if s.retryDelay > 0 {
		o.Retry.RetryDelay = s.retryDelay
	}
	switch {
	case a.key != nil:
		return blockblob.NewClientWithSharedKeyCredential(endpoint.String(), a.key, &o)
	case a.token != nil:
		return blockblob.NewClient(endpoint.String(), a.token, &o)
	}
	return blockblob.NewClientWithNoCredential(endpoint.String(), &o)
}

// call is one operation of the client: one request, and those that repeat it.
type call struct {
	kind  kind
	path  string // below the endpoint
	query string // added to the SDK's
	sent  atomic.Int32
}

type callKey struct{}

// begin returns a context for one call of the client. An empty key stands for the container.
func (b *bucket) begin(ctx context.Context, k kind, key string) context.Context {
	c := &call{kind: k, path: "/" + b.place.container}
	if key != "" {
		c.path += "/" + key
	}
	return context.WithValue(ctx, callKey{}, c)
}

func callOf(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	return c
}

// aim is the policy that sends a request where its call says. It comes before the one that signs.
type aim struct{ endpoint *url.URL }

func (a *aim) Do(req *policy.Request) (*http.Response, error) {
	r := req.Raw()
	c := callOf(r.Context())
	u := *a.endpoint
	u.Path += c.path
	u.RawQuery = join(r.URL.RawQuery, c.query)
	r.URL = &u
	if c.kind == kindList {
		r.Header.Set("Accept", "application/xml")
	}
	return req.Next()
}

// join puts two queries together.
func join(a, b string) string {
	if a != "" && b != "" {
		return a + "&" + b
	}
	return a + b
}
