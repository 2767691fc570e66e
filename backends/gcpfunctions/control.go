package gcpfunctions

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	functions "cloud.google.com/go/functions/apiv2"
	"cloud.google.com/go/functions/apiv2/functionspb"
	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"github.com/googleapis/gax-go/v2"
	"google.golang.org/api/option"

	"github.com/gowren/gowren/backends"
)

// pace is how patient the control plane's use is.
type pace struct {
	pause    time.Duration // between looks at what takes long, and attempts; it doubles, up to sixteen times
	patience time.Duration // for a service that asks for fewer requests
	settle   time.Duration // for a function just deployed to be reachable everywhere
	deploy   time.Duration // for a deployment
	stop     time.Duration // for an invocation to stop
}

var defaultPace = pace{500 * time.Millisecond, 3 * time.Minute, time.Minute, 20 * time.Minute, 20 * time.Second}

// pauses returns a function that waits longer each time.
func (p pace) pauses() func(context.Context) error {
	d := p.pause
	return func(ctx context.Context) error {
		t := time.NewTimer(d/2 + rand.N(d/2+1))
		defer t.Stop()
		d = min(2*d, 16*p.pause)
		select {
		case <-t.C:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// control is the service's interface: functions and operations on them.
type control struct {
	config Config
	pace   *pace
	client *functions.FunctionClient
	plain  *http.Transport
}

func newControl(c Config, p *pace) (*control, error) {
	plain := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: time.Minute, ForceAttemptHTTP2: true, IdleConnTimeout: 90 * time.Second,
	}
	ctl := &control{config: c, pace: p, plain: plain}
	var err error
	ctl.client, err = ctl.connect(&authorized{plain, c.Tokens})
	return ctl, err
}

// connect returns a client of the service, which sends nothing yet. It repeats no request, which is for [do] to decide, and
// writes no log, which would have signed URLs in it.
func (c *control) connect(a *authorized) (*functions.FunctionClient, error) {
	opts := []option.ClientOption{option.WithLogger(slog.New(slog.DiscardHandler)), option.WithHTTPClient(&http.Client{
		Transport:     a,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	})}
	if c.config.Endpoint != "" {
		opts = append(opts, option.WithEndpoint(strings.TrimRight(c.config.Endpoint, "/")))
	}
	client, err := functions.NewFunctionRESTClient(context.Background(), opts...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", scheme, err)
	}
	return client, nil
}

func (c *control) close() error {
	err := c.client.Close()
	c.plain.CloseIdleConnections()
	return err
}

// authorized adds access tokens to requests, and bounds answers.
type authorized struct {
	base   http.RoundTripper
	tokens Tokens
}

// maxAnswer is what is read of an answer of the control plane, in bytes. A function takes some thousands in a listing.
const maxAnswer = 32 << 20

func (a *authorized) RoundTrip(r *http.Request) (*http.Response, error) {
	token, err := a.tokens.Access(r.Context())
	if err != nil {
		if r.Body != nil {
			_ = r.Body.Close() // as a RoundTripper must
		}
		return nil, &backends.AccountError{Err: err}
	}
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+token)
	resp, err := a.base.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	resp.Body = &bounded{resp.Body, maxAnswer}
	return resp, nil
}

// bounded is an answer of so many bytes at most.
type bounded struct {
	io.ReadCloser
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left == 0 && len(p) > 0 {
		return 0, fmt.Errorf("%w: the service's answer has %d MB or more", backends.ErrInvalid, maxAnswer>>20)
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

// do makes a request of the control plane, and again while the service is too busy for it.
func do[R, T any](ctx context.Context, c *control, doing string, call func(context.Context, R, ...gax.CallOption) (T, error), request R) (T, error) {
	pause := c.pace.pauses()
	for begun := time.Now(); ; {
		result, err := call(ctx, request)
		if err == nil {
			return result, nil
		}
		if ctx.Err() != nil {
			return result, context.Cause(ctx)
		}
		err = explain(err)
		if passing := errors.Is(err, backends.ErrThrottled) || errors.Is(err, errBusy); !passing || time.Since(begun) > c.pace.patience {
			return result, fmt.Errorf("%s: %s: %w", scheme, doing, err)
		}
		if err := pause(ctx); err != nil {
			return result, err
		}
	}
}

// get returns the function, or nil where there is none.
func (c *control) get(ctx context.Context, name string) (*functionspb.Function, error) {
	f, err := do(ctx, c, "look for "+name, c.client.GetFunction, &functionspb.GetFunctionRequest{Name: name})
	if errors.Is(err, errNotFound) {
		return nil, nil
	}
	return f, err
}

// await returns when the operation of a name is done. It asks at this driver's pace: what the client has for it knows no
// throttling.
func (c *control) await(ctx context.Context, doing, name string) error {
	pause := c.pace.pauses()
	for begun := time.Now(); ; {
		if err := pause(ctx); err != nil {
			return err
		}
		op, err := do(ctx, c, doing, c.client.GetOperation, &longrunningpb.GetOperationRequest{Name: name})
		switch {
		case err != nil:
			return err
		case op.GetError() != nil:
			return fmt.Errorf("%s: %s: %w", scheme, doing, failed(op.GetError().GetMessage()))
		case op.GetDone():
			return nil
		case time.Since(begun) > c.pace.deploy:
			return fmt.Errorf("%s: %s: the operation %s is not done after %v; see it in the console", scheme, doing, name, c.pace.deploy)
		}
	}
}

// upload sends the source to where the service wants it, and returns the place. The URL is a credential of its own, and so
// no part of an error; nor is a token sent along.
func (c *control) upload(ctx context.Context, source *os.File) (*functionspb.StorageSource, error) {
	place, err := do(ctx, c, "ask where to upload the source", c.client.GenerateUploadUrl,
		&functionspb.GenerateUploadUrlRequest{Parent: c.config.parent(), Environment: functionspb.Environment_GEN_2})
	if err != nil {
		return nil, err
	}
	info, err := source.Stat()
	if err != nil {
		return nil, fmt.Errorf("%s: read the source: %w", scheme, err)
	}
	pause := c.pace.pauses()
	for attempt := 1; ; attempt++ {
		err := c.put(ctx, place.UploadUrl, source, info.Size())
		if err == nil {
			return place.StorageSource, nil
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if errors.Is(err, backends.ErrInvalid) || attempt == 3 {
			return nil, fmt.Errorf("%s: upload the source (%d MB): %w", scheme, info.Size()>>20, err)
		}
		if err := pause(ctx); err != nil {
			return nil, err
		}
	}
}
