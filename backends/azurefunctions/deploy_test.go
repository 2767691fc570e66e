package azurefunctions_test

import (
	"context"
	"errors"
	"io/fs"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/azurefunctions"
	"github.com/gowren/gowren/backends/httpworker"
	"github.com/gowren/gowren/internal/servers/azfunc"
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/filestore"
	"github.com/gowren/gowren/storage/storagetest"
)

// TestFollow sends a package once, whatever becomes of its answer, of the looks at its deployment, and of calls before.
func TestFollow(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]struct {
		of                func(*azfunc.Faults) *atomic.Int32
		n, polls, loading int
	}{
		"looks that fail":         {func(f *azfunc.Faults) *atomic.Int32 { return &f.Looks }, 9, 2, 0},
		"unknown for a moment":    {func(f *azfunc.Faults) *atomic.Int32 { return &f.Unknown }, 2, 2, 0},
		"unknown, and in place":   {func(f *azfunc.Faults) *atomic.Int32 { return &f.Unknown }, 5, 2, 6},
		"answer of sending, lost": {func(f *azfunc.Faults) *atomic.Int32 { return &f.Sent }, 1, 0, 6},
		"looks without an answer": {func(f *azfunc.Faults) *atomic.Int32 { return &f.MuteLooks }, 1, 2, 0},
		"calls without an answer": {func(f *azfunc.Faults) *atomic.Int32 { return &f.MuteCalls }, 1, 0, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := azfunc.Start(t, azfunc.Options{Instances: azurefunctions.Instances, Polls: fault.polls, Loading: fault.loading, RetryAfter: "0"})
			n := fault.of(&s.Faults)
			n.Store(int32(fault.n))
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			if err := open(t, config(s)).Prepare(ctx, backends.Deployment{Program: program, Bucket: folder(t)}); err != nil {
				t.Fatal(err)
			}
			if sent, left := s.Deployments(), n.Load(); sent != 1 || left != 0 {
				t.Errorf("%d packages were sent, and %d faults met no look", sent, left)
			}
		})
	}
}

// TestOnePackage has the second of two drivers, which comes while the first one's package is deployed, wait for that, and
// for its host to load it.
func TestOnePackage(t *testing.T) {
	t.Parallel()
	s := azfunc.Start(t, azfunc.Options{Instances: 2 * azurefunctions.Instances, Polls: 3, Contended: true, Loading: 6, RetryAfter: "0"})
	bucket := folder(t)
	var both sync.WaitGroup
	for range 2 {
		b := open(t, config(s))
		both.Go(func() {
			if err := b.Prepare(t.Context(), backends.Deployment{Program: program, Bucket: bucket}); err != nil {
				t.Error(err)
			}
		})
	}
	both.Wait()
	if n := s.Deployments(); n != 1 {
		t.Errorf("%d packages were sent", n)
	}
}

// TestLoading waits for an app that is there and does not answer yet.
func TestLoading(t *testing.T) {
	t.Parallel()
	s := azfunc.Start(t, azfunc.Options{Instances: azurefunctions.Instances})
	bucket := folder(t)
	d := backends.Deployment{Program: program, Bucket: bucket}
	if err := open(t, config(s)).Prepare(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	s.Load(s.Apps()[0], 3)
	if err := open(t, config(s)).Prepare(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if n := s.Deployments(); n != 1 {
		t.Errorf("%d packages were sent", n)
	}
}

// TestBusy leaves an app as it is that has no time for a ping, or that this machine does not reach.
func TestBusy(t *testing.T) {
	t.Parallel()
	s := azfunc.Start(t, azfunc.Options{Instances: azurefunctions.Instances})
	d := backends.Deployment{Program: program, Bucket: folder(t)}
	if err := open(t, config(s)).Prepare(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		happen func() error
		want   error
	}{
		{"429", func() error { s.Faults.Throttled.Store(1000); return nil }, nil},
		{"503", func() error { s.Faults.Full.Store(1000); return nil }, nil},
		{"unreachable", func() error { return s.Hide(s.Apps()[0]) }, httpworker.ErrUnreachable},
	} {
		if err := c.happen(); err != nil {
			t.Fatal(err)
		}
		if err := open(t, config(s)).Prepare(t.Context(), d); !errors.Is(err, c.want) {
			t.Errorf("%s: Prepare: %v, want %v", c.name, err, c.want)
		}
		s.Faults.Throttled.Store(0)
		s.Faults.Full.Store(0)
		if sent, written := s.Deployments(), s.Calls("Microsoft.Web/sites/write"); sent != 1 || written != 1 {
			t.Errorf("%s: %d packages were sent, and the app was written %d times", c.name, sent, written)
		}
	}
}

// TestMute: an app that answers no ping is left as it is, since it may be at work, and its caller is told.
func TestMute(t *testing.T) {
	t.Parallel()
	s := azfunc.Start(t, azfunc.Options{Instances: azurefunctions.Instances})
	d := backends.Deployment{Program: program, Bucket: folder(t)}
	if err := open(t, config(s)).Prepare(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		pings int32
		words string
	}{{1 << 20, "az functionapp restart --name " + s.Apps()[0]}, {1, ""}} {
		s.Faults.Mute.Store(c.pings)
		b := open(t, config(s))
		azurefunctions.Restless(b)
		err := b.Prepare(t.Context(), d)
		if (err == nil) != (c.words == "") || err != nil && !strings.Contains(err.Error(), c.words) {
			t.Errorf("%d pings without an answer: Prepare: %v", c.pings, err)
		}
		if sent, written := s.Deployments(), s.Calls("Microsoft.Web/sites/write"); sent != 1 || written != 1 {
			t.Errorf("%d packages were sent, and the app was written %d times", sent, written)
		}
	}
}

// kept is a bucket that serves who holds it, and refuses who opens its URL: a worker without a role.
type kept struct {
	storage.Bucket
	url string
}

func (k kept) URL() string { return k.url }

func init() {
	storage.Register("kept", func(_ context.Context, u *url.URL) (storage.Bucket, error) {
		b, err := filestore.Open(u.Path)
		return kept{storagetest.Faults(b, storagetest.Rule{Before: fs.ErrPermission}), u.String()}, err
	})
}

// TestWorkersReachTheBucket: that they do not is found before the first job.
func TestWorkersReachTheBucket(t *testing.T) {
	t.Parallel()
	s := azfunc.Start(t, azfunc.Options{Instances: azurefunctions.Instances})
	d := backends.Deployment{Program: program, Bucket: keptFrom(t)}
	for range 2 { // by who makes the app, and by who finds it
		driver := open(t, config(s))
		azurefunctions.Hurry(driver)
		err := driver.Prepare(t.Context(), d)
		if !errors.Is(err, httpworker.ErrBucket) || !errors.Is(err, backends.ErrRefused) || !strings.Contains(err.Error(), "docs/azure.md") {
			t.Errorf("Prepare: %v", err)
		}
	}
	if n := s.Deployments(); n != 1 {
		t.Errorf("%d packages were sent", n)
	}
}
