package s3store_test

import (
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestTLS goes by https, to a store whose certificate AWS_CA_BUNDLE names. It sees what the store is sent then: no body
// in chunks, which not all stores take, and a checksum in the header.
func TestTLS(t *testing.T) {
	s := server(t)
	target, err := url.Parse(s.Endpoint)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	seen := map[string]http.Header{}
	transport := &http.Transport{DisableCompression: true}
	defer transport.CloseIdleConnections()
	front := httptest.NewTLSServer(&httputil.ReverseProxy{Transport: transport, Rewrite: func(r *httputil.ProxyRequest) {
		mu.Lock()
		defer mu.Unlock()
		seen[r.In.Method+" "+r.In.URL.Query().Get("partNumber")] = r.In.Header.Clone()
		r.SetURL(target)
		r.Out.Host = r.In.Host
	}})
	defer front.Close()
	bundle := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(bundle, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: front.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CA_BUNDLE", bundle)
	_, rawURL := newBucket(t, s, front.URL)
	b := open(t, rawURL)
	for _, size := range []int{0, short, long} {
		want := text(size)
		if err := b.Put(t.Context(), "k", strings.NewReader(want)); err != nil {
			t.Fatal(err)
		}
		if got, err := get(t.Context(), b, "k"); got != want || err != nil {
			t.Errorf("%d bytes, %v", len(got), err)
		}
	}
	if err := b.Delete(t.Context(), "k", "l"); err != nil {
		t.Error(err)
	}
	mu.Lock()
	defer mu.Unlock()
	for request, sum := range map[string]string{"PUT ": "X-Amz-Checksum-Crc32", "PUT 2": "X-Amz-Checksum-Crc64nvme"} {
		h := seen[request]
		if h.Get("X-Amz-Content-Sha256") != "UNSIGNED-PAYLOAD" || h.Get(sum) == "" || h.Get("Content-Encoding") != "" {
			t.Errorf("%q was sent with %v", request, h)
		}
	}
}
