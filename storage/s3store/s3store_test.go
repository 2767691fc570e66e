package s3store_test

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"go.uber.org/goleak"

	"github.com/gowren/gowren/internal/servers"
	"github.com/gowren/gowren/storage"
	_ "github.com/gowren/gowren/storage/s3store"
	"github.com/gowren/gowren/storage/storagetest"
)

// TestMain takes away what the machine may say of AWS.
func TestMain(m *testing.M) {
	for _, name := range []string{
		"AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3",
		"AWS_REQUEST_CHECKSUM_CALCULATION", "AWS_RESPONSE_CHECKSUM_VALIDATION", "AWS_CA_BUNDLE",
	} {
		check(os.Unsetenv(name))
	}
	nowhere := filepath.Join(os.TempDir(), "no-such-file-of-aws")
	for name, value := range map[string]string{
		"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": nowhere, "AWS_SHARED_CREDENTIALS_FILE": nowhere,
		"AWS_ACCESS_KEY_ID": "anybody", "AWS_SECRET_ACCESS_KEY": "anything", // for fake stores, which take all
	} {
		check(os.Setenv(name, value))
	}
	goleak.VerifyTestMain(closing{m})
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// closing closes the tests' own connections before goleak looks.
type closing struct{ *testing.M }

func (c closing) Run() int {
	defer plain.CloseIdleConnections()
	return c.M.Run()
}

var plain = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}

// server returns the S3 server, whose credentials it puts into the environment: the same for all tests but those that
// have wrong ones, which do not run beside others.
func server(t testing.TB) servers.S3Server {
	t.Helper()
	s := servers.S3(t)
	check(os.Setenv("AWS_ACCESS_KEY_ID", s.AccessKey))     //nolint:usetesting // parallel tests have it alike
	check(os.Setenv("AWS_SECRET_ACCESS_KEY", s.SecretKey)) //nolint:usetesting // likewise
	return s
}

var made atomic.Int64

// newBucket makes a bucket at the server and returns its name, and the URL of it by way of endpoint.
func newBucket(t testing.TB, s servers.S3Server, endpoint string) (name, rawURL string) {
	t.Helper()
	name = fmt.Sprintf("bucket-%d", made.Add(1))
	if _, err := client(s).CreateBucket(context.Background(), &s3.CreateBucketInput{Bucket: &name}); err != nil {
		t.Fatal(err)
	}
	return name, "s3://" + name + "?" + url.Values{
		"endpoint": {endpoint}, "region": {s.Region}, "path-style": {"true"},
	}.Encode()
}

// client is the SDK's own, to look at what the driver does.
func client(s servers.S3Server) *s3.Client {
	return s3.New(s3.Options{
		BaseEndpoint: &s.Endpoint, Region: s.Region, UsePathStyle: true, HTTPClient: plain,
		Credentials: aws.NewCredentialsCache(credentials.NewStaticCredentialsProvider(s.AccessKey, s.SecretKey, "")),
	})
}

// fresh returns an empty bucket.
func fresh(t testing.TB) storage.Bucket {
	s := server(t)
	_, rawURL := newBucket(t, s, s.Endpoint)
	return open(t, rawURL)
}

func open(t testing.TB, rawURL string) storage.Bucket {
	t.Helper()
	b, err := storage.Open(context.Background(), rawURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// races are cases that versitygw loses.
var races = map[string]string{
	"delete/racing put": "the server takes away the folders that a delete leaves empty, while another put makes them",
}

func TestConformance(t *testing.T) {
	bare := maps.Clone(races)
	bare["putnew/one winner, large"] = "the server refuses before it reads the body, and resets the connection, which " +
		"may cost the client the answer: see TestConformanceRetried"
	storagetest.RunWith(t, func(t *testing.T) storage.Bucket { return fresh(t) }, storagetest.Options{Skip: bare})
}

// TestConformanceRetried is of what programs use.
func TestConformanceRetried(t *testing.T) {
	storagetest.RunWith(t, func(t *testing.T) storage.Bucket { return storage.Retry(fresh(t), storage.RetryPolicy{}) },
		storagetest.Options{Skip: races, Keys: 1200})
}
