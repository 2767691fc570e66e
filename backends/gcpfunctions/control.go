package gcpfunctions

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"time"

	cloudfunctions "google.golang.org/api/cloudfunctions/v2"
	"google.golang.org/api/googleapi"
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
	config    Config
	pace      *pace
	functions *cloudfunctions.ProjectsLocationsFunctionsService
	locations *cloudfunctions.ProjectsLocationsService
	http      *http.Client
	plain     *http.Transport
}

func newControl(c Config, p *pace) (*control, error) {
	plain := &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: time.Minute, ForceAttemptHTTP2: true, IdleConnTimeout: 90 * time.Second,
	}
	ctl := &control{config: c, pace: p, plain: plain, http: &http.Client{
		Transport:     &authorized{plain, c.Tokens},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	opts := []option.ClientOption{option.WithHTTPClient(ctl.http)}
	if c.Endpoint != "" {
		opts = append(opts, option.WithEndpoint(c.Endpoint))
	}
	service, err := cloudfunctions.NewService(context.Background(), opts...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", scheme, err)
	}
	ctl.locations, ctl.functions = service.Projects.Locations, service.Projects.Locations.Functions
	return ctl, nil
}

func (c *control) close() { c.plain.CloseIdleConnections() }

// authorized adds access tokens to requests.
type authorized struct {
	base   http.RoundTripper
	tokens Tokens
}

func (a *authorized) RoundTrip(r *http.Request) (*http.Response, error) {
	token, err := a.tokens.Access(r.Context())
	if err != nil {
		if r.Body != nil {
			_ = r.Body.Close() // as a RoundTripper must
		}
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+token)
	return a.base.RoundTrip(r)
}

// do makes a request of the control plane, and again while the service is too busy for it.
func do[T any](ctx context.Context, c *control, doing string, f func(...googleapi.CallOption) (T, error)) (T, error) {
	pause := c.pace.pauses()
	for begun := time.Now(); ; {
		result, err := f()
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
func (c *control) get(ctx context.Context, name string) (*cloudfunctions.Function, error) {
	f, err := do(ctx, c, "look for "+name, c.functions.Get(name).Context(ctx).Do)
	if errors.Is(err, errNotFound) {
		return nil, nil
	}
	return f, err
}

// await returns when the operation is done.
func (c *control) await(ctx context.Context, doing string, op *cloudfunctions.Operation) error {
	pause := c.pace.pauses()
	for begun := time.Now(); !op.Done; {
		if time.Since(begun) > c.pace.deploy {
			return fmt.Errorf("%s: %s: the operation %s is not done after %v; see it in the console", scheme, doing, op.Name, c.pace.deploy)
		}
		if err := pause(ctx); err != nil {
			return err
		}
		var err error
		if op, err = do(ctx, c, doing, c.locations.Operations.Get(op.Name).Context(ctx).Do); err != nil {
			return err
		}
	}
	if op.Error != nil {
		return fmt.Errorf("%s: %s: %w", scheme, doing, failed(op.Error.Message))
	}
	return nil
}

// upload sends the source to where the service wants it, and returns the place. The URL is a credential of its own, and so
// no part of an error; nor is a token sent along.
func (c *control) upload(ctx context.Context, source *os.File) (*cloudfunctions.StorageSource, error) {
	place, err := do(ctx, c, "ask where to upload the source", c.functions.GenerateUploadUrl(c.config.parent(),
		&cloudfunctions.GenerateUploadUrlRequest{Environment: "GEN_2"}).Context(ctx).Do)
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
