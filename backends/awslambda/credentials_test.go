package awslambda_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"sync"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"github.com/aws/smithy-go"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/awslambda"
	"github.com/gowren/gowren/internal/servers/lambda"
	"github.com/gowren/gowren/storage/memstore"
)

// TestRenewal has credentials fail to be renewed. Only where they are refused, or there are none, is there nothing to wait
// for.
func TestRenewal(t *testing.T) {
	t.Parallel()
	c := newCloud(t, lambda.Options{RoleDelay: -1, Unconfined: true})
	unreached := &url.Error{Op: "Put", URL: "http://169.254.169.254/", Err: &net.OpError{Op: "dial", Err: syscall.EHOSTUNREACH}}
	for what, x := range map[string]struct {
		status int // of their service
		code   string
		err    error // in place of an answer
		class  error
	}{
		"throttled":    {400, "ThrottlingException", nil, backends.ErrThrottled},
		"too many":     {429, "", nil, backends.ErrThrottled},
		"unavailable":  {503, "ServiceUnavailable", nil, backends.ErrThrottled},
		"failing":      {500, "InternalError", nil, backends.ErrThrottled},
		"unreached":    {0, "", &smithy.OperationError{ServiceID: "STS", OperationName: "AssumeRole", Err: unreached}, backends.ErrThrottled},
		"no such role": {404, "ResourceNotFoundException", nil, backends.ErrRefused},
		"denied":       {403, "AccessDenied", nil, backends.ErrRefused},
		"unauthorized": {401, "", nil, backends.ErrRefused},
		"none":         {0, "", &smithy.OperationError{ServiceID: "ec2imds", OperationName: "GetMetadata", Err: unreached}, backends.ErrRefused},
		"no file":      {0, "", errors.New("failed to read the shared configuration"), backends.ErrRefused},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				w.WriteHeader(x.status)
				_, _ = fmt.Fprintf(w, `{"code":%q,"message":"sorry"}`, x.code)
			}))
			t.Cleanup(s.Close)
			cfg := c.aws.Copy()
			cfg.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, x.err })
			if x.err == nil {
				cfg.Credentials = endpointcreds.New(s.URL, func(o *endpointcreds.Options) { o.Retryer, o.HTTPClient = aws.NopRetryer{}, plain })
			}
			b, err := awslambda.New(awslambda.Config{AWS: &cfg, Role: "arn:aws:iam::123456789012:role/worker", RetentionDays: -1})
			if err != nil {
				t.Fatal(err)
			}
			bucket := memstore.New()
			if err := b.Mislead(t.Context(), cfg, bucket); err != nil {
				t.Fatal(err)
			}
			_, err = b.Invoke(t.Context(), backends.Request{Body: []byte("x")})
			c.told(t, what, err, x.class, "credentials")
			if errors.As(err, new(*backends.LostError)) || x.class != backends.ErrRefused && errors.Is(err, backends.ErrRefused) {
				t.Errorf("nothing was sent, and the error is %v", err)
			}
			if err := b.Prepare(t.Context(), backends.Deployment{Program: os.Getenv("GOWREN_PROGRAM"), Bucket: bucket}); !errors.Is(err, x.class) {
				t.Errorf("Prepare: error %v, want %v", err, x.class)
			}
			if x.status == http.StatusNotFound { // which does not mean that there is nothing to destroy
				c.told(t, "destroy", b.Destroy(t.Context(), bucket.URL()), x.class, "credentials")
			}
			if err := b.Close(); err != nil {
				t.Error(err)
			}
			wantEmpty(t, bucket) // nothing began
		})
	}
}

// TestIdle has Close leave no connection, neither to the services nor to that of the credentials. It is not parallel, since
// credentials are found by the environment.
func TestIdle(t *testing.T) {
	c := newCloud(t, lambda.Options{RoleDelay: -1, Unconfined: true})
	var mu sync.Mutex
	open := map[string]bool{}
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/credentials" {
			_ = json.NewEncoder(w).Encode(map[string]string{"AccessKeyId": c.Credentials.AccessKey, "SecretAccessKey": c.Credentials.SecretKey, "Token": c.Credentials.SessionToken})
			return
		}
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, "<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>")
	}))
	s.Config.ConnState = func(conn net.Conn, state http.ConnState) {
		mu.Lock()
		defer mu.Unlock()
		open[conn.RemoteAddr().String()] = state != http.StateClosed
	}
	s.Start()
	t.Cleanup(s.Close)
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_REGION": c.Region, "AWS_ENDPOINT_URL": s.URL,
		"AWS_CONTAINER_CREDENTIALS_FULL_URI": s.URL + "/credentials",
	} {
		t.Setenv(name, value)
	}
	b, err := awslambda.New(awslambda.Config{Role: "arn:aws:iam::123456789012:role/worker"})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range b.Check(t.Context(), backends.Deployment{Bucket: memstore.New()}) {
		c.told(t, f.What, f.Err, backends.ErrRefused, "AccessDenied")
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	mu.Lock()
	seen := len(open)
	mu.Unlock()
	if seen == 0 {
		t.Error("nobody has connected")
	}
	await(t, "the end of connections", func() bool {
		mu.Lock()
		defer mu.Unlock()
		for _, o := range open {
			if o {
				return false
			}
		}
		return true
	})
}
