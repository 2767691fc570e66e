package httpworker_test

import (
	"context"
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"sync/atomic"
	"testing"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/httpworker"
	"github.com/gowren/gowren/internal/servers"
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
	var opens atomic.Int64
	storage.Register("ailing", func(_ context.Context, u *url.URL) (storage.Bucket, error) {
		n := opens.Add(1) // the first is that of a worker that starts
		if s := os.Getenv(ailment); n > 1 && s == "always" || n > 1 && n < 4 && s == "at first" {
			return nil, errors.New("the store is out of order")
		}
		b, err := filestore.Open(u.Path)
		return away{b, u.String()}, err
	})
}

// ailment is a variable that says when a worker cannot open a bucket.
const ailment = "GOWREN_TEST_AILMENT"

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

// TestStoreHiccups: a worker that does not reach its bucket for a moment is asked again, and is as good as away if that does
// not help. That all are so is an error.
func TestStoreHiccups(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	folder, err := filestore.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	bucket := away{folder, "ailing://" + dir}
	well, _ := startWorker(t, bucket)
	ill, _ := startWorker(t, bucket, ailment+"=always")
	better, _ := startWorker(t, bucket, ailment+"=at first")
	for name, c := range map[string]struct {
		urls  []string
		slots int // of 2 each
	}{
		"better":    {[]string{better}, 2},
		"one":       {[]string{ill, well}, 2},
		"none":      {[]string{ill, "http://" + freeAddr(t)}, 0},
		"forbidden": {[]string{well, servers.NewProxy(t, well, servers.Rule{URL: regexp.MustCompile("/ping"), Status: 403}).URL}, 0},
	} {
		b, err := httpworker.New(httpworker.Config{URLs: c.urls, Token: token})
		if err != nil {
			t.Fatal(err)
		}
		err = b.Prepare(t.Context(), backends.Deployment{Bucket: bucket, Program: os.Getenv("GOWREN_PROGRAM")})
		switch name {
		case "none":
			wantError(t, err, httpworker.ErrBucket, "out of order")
			wantError(t, err, httpworker.ErrUnreachable)
		case "forbidden":
			wantError(t, err, backends.ErrRefused)
		default:
			if got := b.Limits().Concurrency; err != nil || got != c.slots {
				t.Errorf("%s: %v; %d invocations at once, want %d", name, err, got, c.slots)
			}
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}
