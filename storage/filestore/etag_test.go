package filestore

import (
	"strings"
	"testing"

	"github.com/gowren/gowren/storage"
)

// TestETagWhenAsked: a Get makes no ETag before somebody asks for it, behind retries neither.
func TestETagWhenAsked(t *testing.T) { // not parallel: all allocations of the process count
	b := storage.Retry(newBucket(t), storage.RetryPolicy{})
	if err := b.Put(t.Context(), "k", strings.NewReader("data")); err != nil {
		t.Fatal(err)
	}
	get := func(ask bool) func() {
		return func() {
			r, err := b.Get(t.Context(), "k", 0, -1)
			if err != nil {
				t.Fatal(err)
			}
			if ask && r.(storage.Tagged).ETag() == "" {
				t.Error("no ETag")
			}
			r.Close()
		}
	}
	if without, with := testing.AllocsPerRun(100, get(false)), testing.AllocsPerRun(100, get(true)); without >= with {
		t.Errorf("%v allocations, and %v with the ETag", without, with)
	}
}
