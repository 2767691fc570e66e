package gcpfunctions

import (
	"context"
	"io/fs"
	"net/url"
	"os"
	"testing"

	"github.com/gowren/gowren/backends"
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
