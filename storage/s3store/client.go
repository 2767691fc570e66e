package s3store

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"

	"github.com/gowren/gowren/storage"
)

const (
	// attempts bounds those of one request, the first included.
	attempts = 4
	// idleConns is how many connections wait for work: as many as a worker's tasks and their parts ask for at once.
	idleConns = 64
)

// maxBackoff bounds the pause before another attempt. It is a variable for the tests, which have no time.
var maxBackoff = 5 * time.Second

// connect makes a client by the SDK's default chain of configuration: environment, shared files, the roles of Lambda,
// containers and instances.
func connect(ctx context.Context, p place, m *storage.Meter) (*s3.Client, *http.Transport, error) {
	// Of this client the SDK takes a copy, to which it adds the certificates of AWS_CA_BUNDLE.
	base := awshttp.NewBuildableClient().WithDialerOptions(func(d *net.Dialer) { d.Timeout = 10 * time.Second })
	cfg, err := config.LoadDefaultConfig(ctx, config.WithHTTPClient(base), config.WithLogger(logging.Nop{}),
		config.WithRetryer(func() aws.Retryer { return newRetryer() }))
	if err != nil {
		return nil, nil, fmt.Errorf("s3store: the configuration of AWS cannot be read: %w", err)
	}
	transport := base.GetTransport()
	if with, ok := cfg.HTTPClient.(*awshttp.BuildableClient); ok {
		transport = with.GetTransport()
	}
	tune(transport)
	cfg.Credentials = named{cfg.Credentials}
	var unsettled error
	client := s3.NewFromConfig(cfg, func(o *s3.Options) {
		// A client of our own, so that Close can close its connections. Redirects lead to other regions, whose
		// signatures would not be these.
		o.HTTPClient = &http.Client{
			Transport:     transport,
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		}
		o.DisableLogOutputChecksumValidationSkipped = true // it is known of ranges
		o.APIOptions = append(o.APIOptions, func(s *middleware.Stack) error { return errors.Join(watch(s, m), distrust(s)) })
		unsettled = p.settle(o)
	})
	return client, transport, unsettled
}

// tune fits the pool and the time-outs to long transfers and many at once. There is none for a whole request: a transfer
// may take hours. One that stalls is ended by its context.
func tune(t *http.Transport) {
	t.MaxIdleConns, t.MaxIdleConnsPerHost = 2*idleConns, idleConns
	t.MaxConnsPerHost = 0
	t.ForceAttemptHTTP2 = false // one connection for all parts would be slower than one for each
	// The header of an answer: S3 sends that of the slowest, of CompleteMultipartUpload, before it begins. Others send it
	// when all parts are put together.
	t.ResponseHeaderTimeout = 5 * time.Minute
	t.ReadBufferSize, t.WriteBufferSize = 64<<10, 64<<10
}

// newRetryer is the SDK's, bounded, and also for what reveals itself only in the body.
func newRetryer() aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = attempts
		o.MaxBackoff = maxBackoff
		o.Retryables = append(o.Retryables, retry.RetryableErrorCode{Codes: damaged})
	})
}

// damaged are the answers to bytes that were changed on the way: S3's and MinIO's.
var damaged = map[string]struct{}{
	"BadDigest": {}, "XAmzContentSHA256Mismatch": {}, "XAmzContentChecksumMismatch": {}, "IncompleteBody": {},
}

// once makes a request that is not repeated by the SDK, whatever its outcome, but for the one answer that leaves no
// doubt that nothing was stored, and asks for another try: a conflict with a concurrent request.
func once(codes ...string) func(*s3.Options) {
	again := map[string]struct{}{}
	for _, code := range codes {
		again[code] = struct{}{}
	}
	return func(o *s3.Options) {
		o.Retryer = retry.NewStandard(func(r *retry.StandardOptions) {
			r.MaxAttempts, r.MaxBackoff = attempts, maxBackoff
			r.Retryables = []retry.IsErrorRetryable{retry.RetryableErrorCode{Codes: again}}
		})
	}
}

// named are credentials whose failure can be told from that of a request.
type named struct{ aws.CredentialsProvider }

func (n named) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c, err := n.CredentialsProvider.Retrieve(ctx)
	if err != nil {
		err = &credentialsError{err}
	}
	return c, err
}

// credentialsError reports that no credentials were found, or could be had.
type credentialsError struct{ error }

func (e *credentialsError) Unwrap() error { return e.error }
