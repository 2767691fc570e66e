package filestore_test

import (
	"testing"

	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/filestore"
	"github.com/gowren/gowren/storage/storagetest"
)

func TestConformance(t *testing.T) {
	storagetest.Run(t, func(t *testing.T) storage.Bucket { return open(t, t.TempDir()) })
}

func BenchmarkBucket(b *testing.B) {
	storagetest.Bench(b, func(b *testing.B) storage.Bucket {
		bucket, err := filestore.Open(b.TempDir())
		if err != nil {
			b.Fatal(err)
		}
		return bucket
	})
}

func open(t *testing.T, dir string) *filestore.Bucket {
	t.Helper()
	b, err := filestore.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}
