package azstore

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/blob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"go.uber.org/goleak"

	"github.com/gowren/gowren/internal/servers"
	"github.com/gowren/gowren/storage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// containers numbers those of this process.
var containers atomic.Int64

// newContainer makes a container in the server, and returns its name.
func newContainer(t testing.TB, s servers.AzureServer) string {
	t.Helper()
	name := fmt.Sprintf("test-%d", containers.Add(1))
	c := containerClient(t, s, name)
	if _, err := c.Create(context.Background(), nil); err != nil {
		t.Fatal(err)
	}
	return name
}

// containerClient is the SDK's own client.
func containerClient(t testing.TB, s servers.AzureServer, name string) *container.Client {
	t.Helper()
	key, err := blob.NewSharedKeyCredential(s.Account, s.Key)
	if err != nil {
		t.Fatal(err)
	}
	transport := newTransport()
	t.Cleanup(transport.CloseIdleConnections)
	c, err := container.NewClientWithSharedKeyCredential(s.Endpoint+"/"+name, key, &container.ClientOptions{
		ClientOptions: azcore.ClientOptions{Transport: plain{transport}, Retry: policy.RetryOptions{MaxRetries: -1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// address is the URL of a bucket through an endpoint.
func address(s servers.AzureServer, endpoint, path string) string {
	return "az://" + s.Account + "/" + path + "?endpoint=" + url.QueryEscape(endpoint)
}

// variables are an environment, in pairs.
func variables(pairs ...string) surroundings {
	return surroundings{
		getenv: func(name string) string {
			for i := 0; i < len(pairs); i += 2 {
				if pairs[i] == name {
					return pairs[i+1]
				}
			}
			return ""
		},
		client: settings{retryDelay: time.Millisecond, page: 100},
	}
}

// below opens a URL in an environment, for as long as the test.
func below(t testing.TB, rawURL string, env surroundings) storage.Bucket {
	t.Helper()
	u, err := url.Parse(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	b, err := openWith(u, env)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// opened is below for a URL without a prefix.
func opened(t testing.TB, rawURL string, env surroundings) *bucket {
	t.Helper()
	return below(t, rawURL, env).(*bucket)
}

// fresh is a bucket in a container of its own, through a proxy with rules, and the key in its environment.
func fresh(t testing.TB, rules ...servers.Rule) (*bucket, *servers.Proxy) {
	t.Helper()
	s := servers.Azure(t)
	p := servers.NewProxy(t, s.Endpoint, rules...)
	return opened(t, address(s, p.URL, newContainer(t, s)), variables(keyVariable, s.Key)), p
}

// pattern returns n bytes, 48 MiB at most, of which each place shows where it is.
func pattern(n int) string { return pattern48MiB()[:n] }

var pattern48MiB = sync.OnceValue(func() string {
	data := make([]byte, 0, 48<<20+64)
	for i := int64(0); len(data) < 48<<20; i += 64 {
		data = append(strconv.AppendInt(data, i, 10), "......................................................,"...)
	}
	return string(data)
})

// plain is a transporter for the SDK that is no http.Client.
type plain struct{ *http.Transport }

func (p plain) Do(r *http.Request) (*http.Response, error) { return p.RoundTrip(r) }
