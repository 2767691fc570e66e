package s3store_test

import (
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gowren/gowren/internal/servers"
	"github.com/gowren/gowren/storage"
)

// TestUnproven: where the checksum of an object that was read in ranges cannot be had, that is an error, with Retry too.
func TestUnproven(t *testing.T) {
	t.Parallel()
	s := server(t)
	p := servers.NewProxy(t, s.Endpoint)
	_, rawURL := newBucket(t, s, p.URL)
	b := storage.Retry(open(t, rawURL), storage.RetryPolicy{Base: time.Millisecond})
	const size = 9 << 20
	if err := b.Put(t.Context(), "k", strings.NewReader(strings.Repeat("x", size))); err != nil {
		t.Fatal(err)
	}
	p.Set(servers.Rule{Method: http.MethodHead, URL: regexp.MustCompile("/k"), Fault: servers.Answer, Status: http.StatusForbidden})
	for _, n := range []int64{-1, size} {
		r, err := b.Get(t.Context(), "k", 0, n)
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.Copy(io.Discard, r)
		r.Close()
		if !errors.Is(err, storage.ErrDamaged) || errors.Is(err, storage.ErrChanged) || !strings.Contains(err.Error(), "could not be asked for") {
			t.Errorf("%d bytes asked for: %v", n, err)
		}
	}
}
