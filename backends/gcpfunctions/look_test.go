package gcpfunctions

import (
	"context"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"testing"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/httpworker"
	"github.com/gowren/gowren/internal/servers/gcf"
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/filestore"
	"github.com/gowren/gowren/storage/storagetest"
)

// refusing is a bucket that refuses whoever opens its URL: a worker whose account lacks the store's role.
type refusing struct{ storage.Bucket }

const refusingScheme = "refusing"

func (r refusing) URL() string { return refusingScheme + r.Bucket.URL()[len("file"):] }

func init() {
	storage.Register(refusingScheme, func(_ context.Context, u *url.URL) (storage.Bucket, error) {
		b, err := filestore.Open(u.Path)
		return refusing{storagetest.Faults(b, storagetest.Rule{Before: fs.ErrPermission})}, err
	})
}

// TestWorkersAreRefusedTheBucket: it is found before the first job, and no deployment is tried against it.
func TestWorkersAreRefusedTheBucket(t *testing.T) {
	t.Parallel()
	s := gcf.New(t, gcf.Options{})
	on := refusing{bucket(t)}
	b := newBackend(t, config(s))
	b.pace.settle = 0
	wantError(t, s, prepare(t, b, on), backends.ErrRefused, on.URL(), "permissions")
	if n := count(s, "UpdateFunction"); n != 0 {
		t.Errorf("it was deployed again: %v", s.Calls())
	}
	found := b.Check(t.Context(), backends.Deployment{Bucket: on, Program: os.Getenv("GOWREN_PROGRAM")})
	if last := found[len(found)-1]; last.Err == nil || last.Remedy == "" {
		t.Errorf("Check says %+v", last)
	}
}

// mute gives no identity for a while.
type mute struct {
	tokens
	left *int // how often it still fails
}

func (m mute) Identity(ctx context.Context, audience string) (string, error) {
	if *m.left > 0 {
		*m.left--
		return "", errors.New("the token server does not answer")
	}
	return m.tokens.Identity(ctx, audience)
}

// TestNoIdentity: a function that nobody could ask is not taken for one that is busy, and is not deployed again.
func TestNoIdentity(t *testing.T) {
	t.Parallel()
	s := gcf.New(t, gcf.Options{})
	on := bucket(t)
	failures := 3
	c := config(s)
	c.Tokens = mute{tokens{s: s}, &failures}
	if err := prepare(t, newBackend(t, c), on); err != nil || failures != 0 {
		t.Errorf("a token server that comes back: %v; %d failures were left", err, failures)
	}
	failures = 1e9
	b := newBackend(t, c)
	b.pace.settle = 0
	err := prepare(t, b, on)
	wantError(t, s, err, httpworker.ErrAuthorize, "was not called", "the token server does not answer")
	wantError(t, s, err, backends.ErrThrottled)
	if n := count(s, "UpdateFunction"); n != 0 {
		t.Errorf("it was deployed again: %v", s.Calls())
	}
}
