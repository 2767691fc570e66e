package awslambda_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/awslambda"
	"github.com/gowren/gowren/backends/backendtest"
	"github.com/gowren/gowren/internal/program"
	"github.com/gowren/gowren/internal/servers"
	"github.com/gowren/gowren/internal/servers/lambda"
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/memstore"
)

// TestMain takes away what the machine may say of AWS, unless this is a function's worker.
func TestMain(m *testing.M) {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") == "" {
		isolate()
		beOutlived()
		check(flag.Set("test.parallel", "6")) // most of their time they wait
	}
	backendtest.Main(m)
}

func isolate() {
	backendtest.Itself()
	for _, name := range []string{
		"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3",
		"AWS_ENDPOINT_URL_LAMBDA", "AWS_CA_BUNDLE",
	} {
		check(os.Unsetenv(name))
	}
	nowhere := filepath.Join(os.TempDir(), "no-such-file-of-aws")
	for name, value := range map[string]string{
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": nowhere, "AWS_SHARED_CREDENTIALS_FILE": nowhere,
	} {
		check(os.Setenv(name, value))
	}
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// plain is for what tests ask the servers themselves.
var plain = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

// store returns the S3 server, whose credentials the driver's bucket has from the environment: the same in all tests.
func store(t testing.TB) servers.S3Server {
	t.Helper()
	s := servers.S3(t)
	check(os.Setenv("AWS_ACCESS_KEY_ID", s.AccessKey))     //nolint:usetesting // parallel tests have it alike
	check(os.Setenv("AWS_SECRET_ACCESS_KEY", s.SecretKey)) //nolint:usetesting // likewise
	return s
}

var made atomic.Int64

// newBucket makes a bucket and opens it.
func newBucket(t testing.TB) storage.Bucket {
	t.Helper()
	s := store(t)
	name := fmt.Sprintf("bucket-%d", made.Add(1))
	client := s3.New(s3.Options{
		BaseEndpoint: &s.Endpoint, Region: s.Region, UsePathStyle: true, HTTPClient: plain,
		Credentials: credentials.NewStaticCredentialsProvider(s.AccessKey, s.SecretKey, ""),
	})
	if _, err := client.CreateBucket(context.Background(), &s3.CreateBucketInput{Bucket: &name}); err != nil {
		t.Fatal(err)
	}
	b, err := storage.Open(context.Background(), "s3://"+name+"?"+url.Values{"endpoint": {s.Endpoint}, "region": {s.Region}, "path-style": {"true"}}.Encode())
	if err != nil {
		t.Fatal(err)
	}
	for key, data := range packed() {
		if err := b.Put(context.Background(), key, bytes.NewReader(data)); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// packed is this program as Prepare uploads it, which takes time: once for all tests.
var packed = sync.OnceValue(func() map[string][]byte {
	b := memstore.New()
	exe, err := program.Find(context.Background(), os.Getenv("GOWREN_PROGRAM"), nil, program.Platform{OS: "linux", Arch: runtime.GOARCH})
	check(err)
	check(exe.Upload(context.Background(), b))
	objects := map[string][]byte{}
	for o, err := range b.List(context.Background(), "") {
		check(err)
		r, err := b.Get(context.Background(), o.Key, 0, -1)
		check(err)
		objects[o.Key], err = io.ReadAll(r)
		check(err)
	}
	return objects
})

// cloud is a stand-in for Lambda and its driver's configuration.
type cloud struct {
	*lambda.Server
	aws aws.Config
}

// newCloud starts a stand-in whose functions reach the S3 server.
func newCloud(t testing.TB, o lambda.Options) *cloud {
	t.Helper()
	s := store(t)
	o.Credentials = &lambda.Credentials{AccessKey: s.AccessKey, SecretKey: s.SecretKey}
	// The race detector makes each process wait for a second before it ends. Bootstraps need not.
	o.Env = append(o.Env, "GORACE=atexit_sleep_ms=0", "AWS_EC2_METADATA_DISABLED=true", "GOWREN_PROGRAM="+os.Getenv("GOWREN_PROGRAM"))
	if o.Pending == 0 {
		o.Pending = 20 * time.Millisecond
	}
	l := lambda.Start(t, o)
	return &cloud{l, aws.Config{
		Region: l.Region, BaseEndpoint: &l.Endpoint,
		Credentials: credentials.NewStaticCredentialsProvider(l.Credentials.AccessKey, l.Credentials.SecretKey, l.Credentials.SessionToken),
	}}
}

// sdk is for what tests ask the stand-in themselves.
func (c *cloud) sdk() aws.Config {
	cfg := c.aws.Copy()
	cfg.HTTPClient = plain
	return cfg
}

// role makes a role for functions, and returns its ARN.
func (c *cloud) role(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("worker-%d", made.Add(1))
	r, err := iam.NewFromConfig(c.sdk()).CreateRole(t.Context(), &iam.CreateRoleInput{
		RoleName:                 &name,
		AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`),
	})
	if err != nil {
		t.Fatal(err)
	}
	return *r.Role.Arn
}

// backend makes a backend with few resources, whose function is removed at the end of the test.
func (c *cloud) backend(t testing.TB, config awslambda.Config) *awslambda.Backend {
	t.Helper()
	if config.AWS == nil {
		config.AWS = &c.aws
	}
	config.Tags = map[string]string{"test": t.Name()} // each test has functions of its own
	if config.MemoryMB == 0 {
		config.MemoryMB = 1024
	}
	b, err := awslambda.New(config)
	if err != nil {
		t.Fatal(err)
	}
	b.Forward()
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		if t.Failed() && b.Function() != "" {
			t.Logf("the function has printed:\n%s", c.Log(b.Function()))
		}
		if bucket := b.BucketURL(); bucket != "" {
			if err := b.Destroy(context.WithoutCancel(t.Context()), bucket); err != nil {
				t.Errorf("destroy: %v", err)
			}
		}
	})
	return b
}

// prepare prepares it for the bucket.
func prepare(t testing.TB, b *awslambda.Backend, bucket storage.Bucket) {
	t.Helper()
	if err := b.Prepare(t.Context(), backends.Deployment{Program: os.Getenv("GOWREN_PROGRAM"), Bucket: bucket}); err != nil {
		t.Fatal(err)
	}
}

func await(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// recorder is a client that notes the paths of requests, and the statuses of answers.
type recorder struct {
	aws.HTTPClient
	mu       sync.Mutex
	paths    []string
	statuses []int
}

func (r *recorder) Do(req *http.Request) (*http.Response, error) {
	r.mu.Lock()
	r.paths = append(r.paths, req.Method+" "+req.URL.Path)
	r.mu.Unlock()
	resp, err := r.HTTPClient.Do(req)
	if err == nil {
		r.mu.Lock()
		r.statuses = append(r.statuses, resp.StatusCode)
		r.mu.Unlock()
	}
	return resp, err
}

func (r *recorder) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.paths)
}

func (r *recorder) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.paths = nil
}

// answered counts the answers of a status.
func (r *recorder) answered(status int) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for _, s := range r.statuses {
		if s == status {
			n++
		}
	}
	return n
}

// control returns the requests that are no invocations.
func (r *recorder) control() []string {
	return slices.DeleteFunc(r.all(), func(p string) bool {
		return strings.HasSuffix(p, "-invocations") || strings.HasSuffix(p, "/invocations")
	})
}
