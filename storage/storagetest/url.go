package storagetest

import (
	"testing"

	"github.com/gowren/gowren/storage"
)

var urlCases = []testCase{
	{"url/opens the same bucket", func(t *testing.T, b storage.Bucket) {
		put(t, b, "a/b", "from the first")
		again, err := storage.Open(t.Context(), b.URL())
		if err != nil {
			t.Fatalf("Open %s: %v", b.URL(), err)
		}
		wantObject(t, again, "a/b", "from the first")
		put(t, again, "c", "from the second")
		wantObject(t, b, "c", "from the second")
		if again.URL() != b.URL() {
			t.Errorf("opened again, the URL %s is %s", b.URL(), again.URL())
		}
		if err := again.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		wantObject(t, b, "a/b", "from the first") // Close leaves the objects, and the other handle
	}},
	{"url/of a folder", func(t *testing.T, b storage.Bucket) {
		put(t, b, "f%o ld#er/a?b", "x")
		sub := storage.Prefix(b, "f%o ld#er")
		again, err := storage.Open(t.Context(), sub.URL())
		if err != nil {
			t.Fatalf("Open %s: %v", sub.URL(), err)
		}
		defer again.Close()
		wantObject(t, again, "a?b", "x")
	}},
}
