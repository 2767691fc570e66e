package httpworker

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"sync"
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
	// be nil. An error of it is the request's; it should wrap [backends.ErrRefused] where no further attempt can help.
	Authorize func(*http.Request) error
	// Transport carries the requests. Defaults to one of the client's own that verifies TLS, takes the proxy from the
	// environment, offers HTTP/2, and keeps as many idle connections as there are invocations.
	Transport http.RoundTripper
	// Connections is how many connections may stay open and idle. Defaults to 64.
	Connections int
	// Start bounds the time from a request to the first byte of its reply: a cold start, and the wait for a free worker.
	// Defaults to 5 minutes.
	Start time.Duration
	// Explain says more of an answer that is not a worker's, by its status and the first bytes of its body: an error of
	// one of the classes of package backends, or nil where there is nothing to add. It may be nil.
	Explain func(status int, header http.Header, body []byte) error
}

// ErrUnreachable marks a request that got no connection: nothing of it was sent.
var ErrUnreachable = errors.New("no worker can be reached")

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

func transport(c ClientConfig) *http.Transport {
	return &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		// Address translation on the way forgets a connection that is silent for minutes.
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: c.Start,
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          c.Connections,
		MaxIdleConnsPerHost:   c.Connections,
		IdleConnTimeout:       90 * time.Second,
		DisableCompression:    true,
		WriteBufferSize:       4 << 10,
		ReadBufferSize:        4 << 10,
	}
}

// Close closes idle connections.
func (c *Client) Close() {
	if c.own != nil {
		c.own.CloseIdleConnections()
	}
}

// Invoke sends a call. Done is called when its reply is closed, or was none.
func (c *Client) Invoke(ctx context.Context, call supervisor.Call, done func()) (io.ReadCloser, error) {
	var once sync.Once
	finish := func() {
		if done != nil {
			once.Do(done)
		}
	}
	begun := time.Now()
	resp, err := c.send(ctx, http.MethodPost, "invoke", call.Body, http.Header{
		"Content-Type": {contentType}, headerInvocation: {call.ID}, headerProgram: {call.Program}, headerBucket: {call.Bucket},
	})
	if err == nil && resp.Header.Get("Content-Type") != contentType {
		err = c.foreign(resp)
	}
	if err != nil {
		finish()
		return nil, lose(err, c.base.Host, begun)
	}
	worker := resp.Header.Get(headerWorker)
	return supervisor.NewReply(ctx, resp.Body, supervisor.ReplyOptions{Worker: worker, Silence: silence, Done: finish}), nil
}

// lose makes an error that has no class a lost worker's: something may have run.
func lose(err error, worker string, begun time.Time) error {
	for _, class := range []error{backends.ErrThrottled, backends.ErrRefused, backends.ErrInvalid, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, class) {
			return err
		}
	}
	return &backends.LostError{Worker: worker, Cause: err, Ran: time.Since(begun)}
}

// send makes a request.
func (c *Client) send(ctx context.Context, method, path string, body []byte, header http.Header) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base.JoinPath(path).String(), bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("httpworker: %w: %w", backends.ErrInvalid, err)
	}
	req.URL.RawQuery = c.base.RawQuery
	req.GetBody = nil // the body is sent once
	req.Header = header
	if c.config.Authorize != nil {
		if err := c.config.Authorize(req); err != nil {
			return nil, fmt.Errorf("httpworker: %s: authorize: %w", c.base.Host, err)
		}
	}
	resp, err := c.http.Do(req)
	if ctx.Err() != nil {
		if err == nil {
			_ = resp.Body.Close()
		}
		return nil, context.Cause(ctx)
	}
	if err != nil {
		var inside *url.Error
		if errors.As(err, &inside) { // it would repeat the URL, with what a platform's query holds
			err = inside.Err
		}
		var op *net.OpError
		if errors.As(err, &op) && op.Op == "dial" {
			err = fmt.Errorf("%w: %w", ErrUnreachable, err)
		}
		return nil, fmt.Errorf("httpworker: %s %s: %w", c.base.Host, path, err)
	}
	return resp, nil
}

// maxForeign is what is read of an answer that is not a worker's.
const maxForeign = 4 << 10

// foreign says what an answer means that holds no frames. It closes it.
func (c *Client) foreign(resp *http.Response) error {
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxForeign)) // what came of it is told
	if c.config.Explain != nil {
		if err := c.config.Explain(resp.StatusCode, resp.Header, body); err != nil {
			return err
		}
	}
	said := fmt.Sprintf("httpworker: %s answered %s: %s", c.base.Host, resp.Status, excerpt(resp.Header.Get("Content-Type"), body))
	switch s := resp.StatusCode; {
	case s == http.StatusTooManyRequests, s == http.StatusServiceUnavailable:
		return fmt.Errorf("%s: %w", said, backends.ErrThrottled)
	case s == http.StatusUnauthorized, s == http.StatusForbidden:
		return fmt.Errorf("%s: check the token (%s) and who may call the workers: %w", said, tokenVariable, backends.ErrRefused)
	case s == http.StatusRequestEntityTooLarge:
		return fmt.Errorf("%s: the request is too large for what is in front of the workers: %w", said, backends.ErrInvalid)
	case s == http.StatusNotFound, s == http.StatusMethodNotAllowed:
		return fmt.Errorf("%s: there is no gowren worker at this address: %w", said, backends.ErrInvalid)
	case s >= 300 && s < 400:
		return fmt.Errorf("%s: a redirect to %q is not followed, since the token would go along: %w", said, resp.Header.Get("Location"), backends.ErrInvalid)
	case s >= 200 && s < 300:
		return fmt.Errorf("%s: that is not a gowren worker's answer: a proxy or another service may be in between", said)
	}
	return errors.New(said)
}

// excerpt is what is shown of a foreign answer: its text's first line.
func excerpt(kind string, body []byte) string {
	text := bytes.TrimSpace(body)
	if line, _, cut := bytes.Cut(text, []byte("\n")); cut {
		text = line
	}
	return fmt.Sprintf("%.200q (%s)", text, kind)
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
}

// Ping asks a worker for its status, which it gives after holding the request for a while, so that several at once reach
// several workers.
func (c *Client) Ping(ctx context.Context, hold time.Duration) (Status, error) {
	var s Status
	resp, err := c.send(ctx, http.MethodGet, "ping", nil, http.Header{headerHold: {hold.String()}})
	if err != nil {
		return s, err
	}
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "application/json" {
		return s, c.foreign(resp)
	}
	defer resp.Body.Close()
	if err := json.NewDecoder(io.LimitReader(resp.Body, 64<<10)).Decode(&s); err != nil {
		return s, fmt.Errorf("httpworker: %s: the worker's status: %w", c.base.Host, err)
	}
	if s.Protocol != wire.Version {
		return s, fmt.Errorf("httpworker: the worker at %s speaks version %d of the protocol, and this program version %d: deploy workers of the same gowren: %w",
			c.base.Host, s.Protocol, wire.Version, backends.ErrInvalid)
	}
	return s, nil
}
