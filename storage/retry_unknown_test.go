package storage_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/gowren/gowren/storage"
)

// unproven delivers all bytes and then cannot tell whether they are right, the first time; a Get of what is then left
// finds nothing, and knows no version of it.
type unproven struct {
	storage.Bucket
	gets int
}

var errUnproven = errors.New("the checksum could not be asked for")

func (u *unproven) Get(ctx context.Context, key string, off, n int64) (io.ReadCloser, error) {
	u.gets++
	if off > 0 {
		return struct {
			io.Reader
			io.Closer
			storage.Tagged
		}{strings.NewReader(""), io.NopCloser(nil), tag("")}, nil
	}
	return struct {
		io.Reader
		io.Closer
		storage.Tagged
	}{io.MultiReader(strings.NewReader("abc"), failing{}), io.NopCloser(nil), tag("v1")}, nil
}

type tag string

func (t tag) ETag() string { return string(t) }

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errUnproven }

// TestRetryGetUnproven: bytes that nobody could prove are no success, nor an object that has changed.
func TestRetryGetUnproven(t *testing.T) {
	t.Parallel()
	for _, n := range []int64{-1, 100} {
		b := storage.Retry(&unproven{Bucket: fresh(t)}, storage.RetryPolicy{Base: time.Microsecond})
		r, err := b.Get(t.Context(), "k", 0, n)
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		r.Close()
		if string(data) != "abc" || !errors.Is(err, errUnproven) || errors.Is(err, storage.ErrChanged) {
			t.Errorf("%d bytes asked for: %q, %v", n, data, err)
		}
	}
}
