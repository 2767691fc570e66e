package httpworker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/supervisor"
	"github.com/gowren/gowren/internal/wire"
)

// ClientConfig says how workers are reached.
type ClientConfig struct {
	// URL of the worker, or of what spreads requests over workers.
	URL string
	// Authorize adds to each request what the platform in front of the workers asks for, such as a bearer token. It may
	// be nil. Its error becomes one of [ErrAuthorize], and nothing has been sent: one that is of no class of package backends
	// is taken for a passing one of whoever gives the tokens, and becomes [backends.ErrThrottled], too. Where no further
	// attempt can help, it should wrap [backends.ErrRefused].
	Authorize func(*http.Request) error
	// Transport carries the requests. Defaults to one of the client's own that verifies TLS, takes the proxy from the
	// environment, offers HTTP/2, and keeps as many idle connections as there are invocations.
	Transport http.RoundTripper
	// Connections is how many connections may stay open and idle. Defaults to 64.
	Connections int
	// Start bounds the time from a request to the first byte of its reply: Authorize, which gets it by the request's context,
	// a cold start, and the wait for a free worker.
	// Defaults to 5 minutes.
	Start time.Duration
	// Explain says more of an answer that is not a worker's, by its status and the first bytes of its body: an error of
	// one of the classes of package backends, or nil where there is nothing to add. It may be nil.
	Explain func(status int, header http.Header, body []byte) error
	// Broken is told of each reply whose connection broke, or went silent. It may be nil.
	Broken func()
}

// ErrUnreachable marks a request that got no connection: nothing of it was sent.
var ErrUnreachable = errors.New("no worker can be reached")

// ErrAuthorize marks a request that [ClientConfig.Authorize] failed for: nothing of it was sent, and no worker is known to be
// there, or busy.
var ErrAuthorize = errors.New("the request could not be authorized")

// Client speaks with workers behind one URL. Drivers of platforms that serve HTTP use it. It makes one attempt at
// everything, follows no redirects, and is safe for concurrent use.
type Client struct {
	config ClientConfig
	base   *url.URL
	http   *http.Client
	own    *http.Transport // where it made one
}

// silence is how long a reply may bring nothing: several of the heartbeats that a worker sends.
const silence = 4 * beat

// NewClient returns a client.
func NewClient(c ClientConfig) (*Client, error) {
	base, err := url.Parse(c.URL)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, fmt.Errorf("httpworker: %q is no URL of a worker, such as https://workers.example.com: %w", c.URL, backends.ErrInvalid)
	}
	if c.Connections == 0 {
		c.Connections = 64
	}
	if c.Start == 0 {
		c.Start = 5 * time.Minute
	}
	cl := &Client{config: c, base: base}
	carrier := c.Transport
	if carrier == nil {
		cl.own = transport(c)
		carrier = cl.own
	}
	cl.http = &http.Client{Transport: carrier, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return cl, nil
}

// Close closes idle connections.
func (c *Client) Close() {
	if c.own != nil {
		c.own.CloseIdleConnections()
	}
}

// Invoke sends a call. Done is called when its reply is closed, or was none. [Running] tells of its error, and of the
// reply's, whether the call may still be running.
func (c *Client) Invoke(ctx context.Context, call supervisor.Call, done func()) (io.ReadCloser, error) {
	begun := time.Now()
	a, err := c.send(ctx, http.MethodPost, "invoke", call.Body, http.Header{
		"Content-Type": {contentType}, headerInvocation: {call.ID}, headerProgram: {call.Program}, headerBucket: {call.Bucket},
	})
	told := false // how the call ended
	if err == nil && !a.holds(contentType) {
		// What is between may have passed the call on, and given its own answer; and a time-out of the platform's ends the
		// request, and not the work.
		told = a.StatusCode >= 400 && a.StatusCode != http.StatusGatewayTimeout
		err = c.foreign(a)
	}
	if err != nil {
		err = lose(ctx, err, told, c.base.Host, begun) // before done, which may end ctx
		if done != nil {
			done()
		}
		return nil, err
	}
	r := &reply{}
	r.ReadCloser = supervisor.NewReply(ctx, a, supervisor.ReplyOptions{
		Worker: a.Header.Get(headerWorker), Silence: silence, Done: done, Broken: func() {
			r.broken = true
			if c.config.Broken != nil {
				c.config.Broken()
			}
		},
	})
	return r, nil
}

// Status is what a worker says of itself.
type Status struct {
	Protocol int    `json:"protocol"`
	Worker   string `json:"worker"`
	Program  string `json:"program"` // SHA-256 of its own
	Bucket   string `json:"bucket"`  // the URL that it was started with
	Slots    int    `json:"slots"`   // invocations at once
	CPUs     int    `json:"cpus"`    // tasks that one invocation runs at once
	OS       string `json:"os"`      // what its programs must be for
	Arch     string `json:"arch"`
	// Problem is why it does not reach its bucket, where it was asked to; Refused says that the store refused.
	Problem string `json:"problem,omitempty"`
	Refused bool   `json:"refused,omitempty"`
}

// Ping asks a worker for its status, which it gives after holding the request for a while, so that several at once reach
// several workers.
func (c *Client) Ping(ctx context.Context, hold time.Duration) (Status, error) {
	return c.ping(ctx, http.Header{headerHold: {hold.String()}})
}

func (c *Client) ping(ctx context.Context, header http.Header) (Status, error) {
	var s Status
	a, err := c.send(ctx, http.MethodGet, "ping", nil, header)
	if err != nil {
		return s, err
	}
	if a.StatusCode != http.StatusOK || !a.holds("application/json") {
		return s, c.foreign(a)
	}
	defer a.Close()
	defer a.within(answerTime)()
	if err := json.NewDecoder(io.LimitReader(a, 64<<10)).Decode(&s); err != nil {
		return s, fmt.Errorf("httpworker: %s: the worker's status: %w", c.base.Host, err)
	}
	if s.Protocol != wire.Version {
		return s, fmt.Errorf("httpworker: the worker at %s speaks version %d of the protocol, and this program version %d: deploy workers of the same gowren: %w",
			c.base.Host, s.Protocol, wire.Version, backends.ErrInvalid)
	}
	return s, nil
}
