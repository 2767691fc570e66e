package awslambda

import (
	"context"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"

	"github.com/gowren/gowren/backends"
)

// clients are those of the services.
type clients struct {
	lambda    *lambda.Client // of the control plane: its calls may be made again
	invoke    *lambda.Client // of invocations, which are made once
	iam       *iam.Client
	sts       *sts.Client
	logs      *cloudwatchlogs.Client
	region    string
	transport *http.Transport // nil where it is not ours
}

// controlAttempts bounds those of one control call: the control plane takes some ten calls a second from an account.
const controlAttempts = 8

// connect returns the clients, by the SDK's default chain of configuration or the one that was given.
func (b *Backend) connect(ctx context.Context) (*clients, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.aws != nil {
		return b.aws, nil
	}
	var cfg aws.Config
	if b.config.AWS != nil {
		cfg = b.config.AWS.Copy()
	} else {
		var err error
		// Credentials are fetched by this client or by copies, whose idle connections nobody could close.
		once := awshttp.NewBuildableClient().WithTransportOptions(func(t *http.Transport) { t.DisableKeepAlives = true })
		endpoint := config.WithEndpointCredentialOptions(func(o *endpointcreds.Options) { o.HTTPClient = once })
		if cfg, err = config.LoadDefaultConfig(ctx, config.WithHTTPClient(once), endpoint, config.WithLogger(logging.Nop{})); err != nil {
			return nil, &backends.AccountError{Err: invalid("the configuration of AWS cannot be read: %w", err)}
		}
	}
	if b.config.Region != "" {
		cfg.Region = b.config.Region
	}
	if cfg.Region == "" {
		return nil, &backends.AccountError{Err: invalid("no region is known: write awslambda://REGION, or set AWS_REGION")}
	}
	if cfg.Credentials != nil {
		cfg.Credentials = named{cfg.Credentials}
	}
	c := &clients{region: cfg.Region}
	switch buildable, ok := cfg.HTTPClient.(*awshttp.BuildableClient); {
	case ok:
		c.transport = buildable.GetTransport() // with the certificates of AWS_CA_BUNDLE
	case cfg.HTTPClient == nil:
		c.transport = awshttp.NewBuildableClient().GetTransport()
	}
	if c.transport != nil {
		tune(c.transport)
		cfg.HTTPClient = &http.Client{
			Transport:     c.transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
	}
	cfg.HTTPClient = plainBodies{cfg.HTTPClient}
	cfg.Retryer = func() aws.Retryer {
		return retry.NewStandard(func(o *retry.StandardOptions) { o.MaxAttempts = controlAttempts; o.MaxBackoff = 5 * time.Second })
	}
	c.lambda, c.iam, c.sts, c.logs = lambda.NewFromConfig(cfg), iam.NewFromConfig(cfg), sts.NewFromConfig(cfg), cloudwatchlogs.NewFromConfig(cfg)
	// A second attempt would run the tasks again.
	c.invoke = lambda.NewFromConfig(cfg, func(o *lambda.Options) { o.Retryer = aws.NopRetryer{} })
	b.aws = c
	return c, nil
}

// plainBodies is a client whose requests' bodies can only be read. The SDK's have a WriteTo that fails once the response
// has begun, and net/http may call it after that for the end of the body: then it closes the connection in the middle of
// the reply.
type plainBodies struct{ aws.HTTPClient }

func (c plainBodies) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return c.HTTPClient.Do(r)
}

// tune fits a transport to invocations: one connection each, silent for as long as a function takes, and kept for the
// next. Nothing bounds the wait for an answer but its function's time-out.
func tune(t *http.Transport) {
	// Address translation on the way forgets a connection of which it has seen nothing for 350 seconds.
	t.DialContext = (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext
	t.ResponseHeaderTimeout = 0
	t.ForceAttemptHTTP2 = false // one connection for many invocations would lose all of them at once
	// The gate bounds invocations, and so what is left idle.
	t.MaxConnsPerHost, t.MaxIdleConns, t.MaxIdleConnsPerHost = 0, 0, 1<<16
	t.IdleConnTimeout = 90 * time.Second
	t.DisableCompression, t.DisableKeepAlives = true, false
}

func (c *clients) close() {
	if c.transport != nil {
		c.transport.CloseIdleConnections()
	}
}

// named are credentials whose failure can be told from that of a request.
type named struct{ aws.CredentialsProvider }

func (n named) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c, err := n.CredentialsProvider.Retrieve(ctx)
	if err != nil && ctx.Err() == nil {
		err = &credentialsError{err}
	}
	return c, err
}

// credentialsError reports that no credentials were found, or could be had.
type credentialsError struct{ error }

func (e *credentialsError) Unwrap() error { return e.error }
