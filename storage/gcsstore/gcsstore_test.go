package gcsstore

import (
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/gowren/gowren/internal/servers"
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/storagetest"
)

// newName makes a bucket at the server and returns its name.
func newName(t testing.TB, server servers.GCSServer) string {
	t.Helper()
	name := "b-" + strings.ToLower(rand.Text())
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	r, err := client.Post(server.Endpoint+"/storage/v1/b?project=p", "application/json", strings.NewReader(`{"name":"`+name+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	if text, err := io.ReadAll(r.Body); err != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("making a bucket: %s, %s, %v", r.Status, text, err)
	}
	t.Cleanup(func() {
		b, err := Open(context.Background(), name, Options{Endpoint: server.Endpoint})
		if err != nil {
			t.Error(err)
			return
		}
		defer b.Close()
		for o, err := range b.List(context.Background(), "") { // the server is one for all tests, and has all in memory
			if err == nil {
				err = b.Delete(context.Background(), o.Key)
			}
			if err != nil {
				t.Error(err)
			}
		}
	})
	return name
}

// openAt opens a bucket at an endpoint. It is closed with the test.
func openAt(t testing.TB, endpoint, name string) *Bucket {
	t.Helper()
	b, err := Open(t.Context(), name, Options{Endpoint: endpoint})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// fresh opens a bucket of its own.
func fresh(t testing.TB) *Bucket {
	t.Helper()
	server := servers.GCS(t)
	return openAt(t, server.Endpoint, newName(t, server))
}

func TestConformance(t *testing.T) {
	// Two pages: the server takes few hundred objects a second.
	storagetest.RunWith(t, func(t *testing.T) storage.Bucket { return fresh(t) }, storagetest.Options{Keys: 1100})
}

func BenchmarkBucket(b *testing.B) {
	storagetest.Bench(b, func(b *testing.B) storage.Bucket { return fresh(b) })
}
