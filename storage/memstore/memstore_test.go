package memstore_test

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/memstore"
	"github.com/gowren/gowren/storage/storagetest"
)

func fresh(t *testing.T) storage.Bucket {
	b := memstore.New()
	t.Cleanup(func() { memstore.Delete(b.Name()) })
	return b
}

func TestConformance(t *testing.T) { storagetest.Run(t, fresh) }

func BenchmarkBucket(b *testing.B) {
	storagetest.Bench(b, func(b *testing.B) storage.Bucket { return memstore.New() })
}

func TestNames(t *testing.T) {
	t.Parallel()
	first, err := memstore.Open("names")
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := memstore.Open("names"); again != first {
		t.Error("one name gives two buckets")
	}
	if byURL, err := storage.Open(t.Context(), "mem://names"); err != nil || byURL != storage.Bucket(first) {
		t.Errorf("the URL gives another bucket: %v, %v", byURL, err)
	}
	memstore.Delete("names")
	if again, _ := memstore.Open("names"); again == first {
		t.Error("a deleted name gives the old bucket")
	}
	if a, b := memstore.New(), memstore.New(); a.URL() == b.URL() {
		t.Error("two new buckets have one URL")
	}
	for _, url := range []string{"mem://", "mem://a%20b", "mem:///path", "mem://user@x", "mem://x?y=z"} {
		if _, err := storage.Open(t.Context(), url); err == nil {
			t.Errorf("%s opens", url)
		}
	}
}

func TestNoKeyIsAnothersFolder(t *testing.T) {
	t.Parallel()
	b, ctx := fresh(t), t.Context()
	put := func(key string) error { return b.Put(ctx, key, strings.NewReader("x")) }
	for _, step := range []struct {
		key string
		ok  bool
	}{{"a/b/c", true}, {"a", false}, {"a/b", false}, {"a/b/c/d", false}, {"a/b/c", true}, {"a/b-", true}, {"a/bc", true}} {
		if err := put(step.key); (err == nil) != step.ok || err != nil && !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("Put %s: %v", step.key, err)
		}
	}
}
