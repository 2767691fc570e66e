package httpworker_test

import (
	"context"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"testing"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/httpworker"
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/filestore"
	"github.com/gowren/gowren/storage/storagetest"
)

// away is a bucket that serves who holds it, and that who opens its URL cannot use: a worker without permission, or without
// a network.
type away struct {
	storage.Bucket
	url string
}

func (a away) URL() string { return a.url }

func init() {
	for scheme, err := range map[string]error{"refusing": fs.ErrPermission, "mute": nil} {
		storage.Register(scheme, func(_ context.Context, u *url.URL) (storage.Bucket, error) {
			b, opened := filestore.Open(u.Path)
			return away{storagetest.Faults(b, storagetest.Rule{Before: err, Stall: err == nil}), u.String()}, opened
		})
	}
}

// TestWorkersReachTheBucket: that they do not is found before the first job.
func TestWorkersReachTheBucket(t *testing.T) {
	t.Parallel()
	for scheme, c := range map[string]struct {
		class error
		words []string
	}{
		"refusing": {backends.ErrRefused, []string{"permissions"}},
		"mute":     {nil, []string{"did not answer", "reachable"}},
	} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			folder, err := filestore.Open(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer folder.Close()
			bucket := away{folder, scheme + "://" + dir}
			worker, _ := startWorker(t, bucket)
			b, err := httpworker.New(httpworker.Config{URLs: []string{worker}, Token: token})
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			err = b.Prepare(t.Context(), backends.Deployment{Bucket: bucket, Program: os.Getenv("GOWREN_PROGRAM")})
			wantError(t, err, httpworker.ErrBucket, append(c.words, bucket.URL())...)
			if c.class != nil {
				wantError(t, err, c.class)
			}
			if scheme == "mute" {
				return // a look takes its time
			}
			other := newBucket(t) // says more than that the worker does not reach its own
			wantError(t, b.Prepare(t.Context(), backends.Deployment{Bucket: other, Program: os.Getenv("GOWREN_PROGRAM")}), backends.ErrInvalid, "GOWREN_STORAGE")
			client, err := httpworker.NewClient(httpworker.ClientConfig{URL: worker, Authorize: func(r *http.Request) error {
				r.Header.Set("Authorization", "Bearer "+token)
				return nil
			}})
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			if s, err := client.Ping(t.Context(), 0); err != nil || s.Problem != "" {
				t.Errorf("a ping that does not ask for it: %+v, %v", s, err)
			}
		})
	}
}
