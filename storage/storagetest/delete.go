package storagetest

import (
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gowren/gowren/storage"
)

var deleteCases = []testCase{
	{"delete/there", func(t *testing.T, b storage.Bucket) {
		put(t, b, "a/b/c", "x")
		put(t, b, "a/d", "y")
		if err := b.Delete(t.Context(), "a/b/c"); err != nil {
			t.Fatal(err)
		}
		wantNothing(t, b, "a/b/c")
		wantObject(t, b, "a/d", "y")
	}},
	{"delete/missing", func(t *testing.T, b storage.Bucket) {
		put(t, b, "a/b", "x")
		for _, key := range []string{"gone", "a", "a/gone", "a/b/c", "no/such/folder"} {
			if err := b.Delete(t.Context(), key); err != nil {
				t.Errorf("Delete of the missing %q: %v", key, err)
			}
		}
		wantObject(t, b, "a/b", "x")
	}},
	{"delete/none", func(t *testing.T, b storage.Bucket) {
		if err := b.Delete(t.Context()); err != nil {
			t.Error(err)
		}
	}},
	{"delete/several", func(t *testing.T, b storage.Bucket) {
		for _, key := range []string{"a", "b/1", "b/2", "c"} {
			put(t, b, key, "x")
		}
		if err := b.Delete(t.Context(), "a", "gone", "b/1", "a", "c"); err != nil {
			t.Fatal(err)
		}
		if got := list(t, b, ""); !slices.Equal(got, []string{"b/2"}) {
			t.Errorf("left: %q, want b/2", got)
		}
	}},
	{"delete/the folder is free again", func(t *testing.T, b storage.Bucket) {
		put(t, b, "a/b/c", "x")
		if err := b.Delete(t.Context(), "a/b/c"); err != nil {
			t.Fatal(err)
		}
		put(t, b, "a", "now an object")
		wantObject(t, b, "a", "now an object")
	}},
	{"delete/racing put", func(t *testing.T, b storage.Bucket) {
		// Where folders are real, the last object that leaves one takes it away under a neighbour's feet.
		var wg sync.WaitGroup
		for _, name := range []string{"1", "2", "3", "4"} {
			wg.Go(func() {
				key := "deep/er/" + name
				for range 40 {
					if err := b.Put(t.Context(), key, strings.NewReader(name)); err != nil {
						t.Errorf("Put: %v", err)
					}
					if got, err := read(t.Context(), b, key, 0, -1); got != name || err != nil {
						t.Errorf("Get: %q, %v", got, err)
					}
					if err := b.Delete(t.Context(), key); err != nil {
						t.Errorf("Delete: %v", err)
					}
				}
			})
		}
		wg.Wait()
		if got := list(t, b, ""); len(got) > 0 {
			t.Errorf("left: %q", got)
		}
	}},
}
