package dataset

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"testing"

	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/memstore"
)

// thrifty is a bucket in memory whose Get allocates nothing.
type thrifty struct {
	storage.Bucket
	objects map[string][]byte
	readers chan *thriftyReader
}

type thriftyReader struct {
	bytes.Reader
	of *thrifty
}

func (r *thriftyReader) Close() error {
	r.of.readers <- r
	return nil
}

func (b *thrifty) Get(_ context.Context, key string, off, n int64) (io.ReadCloser, error) {
	r := <-b.readers
	r.Reset(b.objects[key][off : off+n])
	return r, nil
}

func newThrifty(t testing.TB, s *Set) *thrifty {
	b := &thrifty{s.bucket, map[string][]byte{}, make(chan *thriftyReader, 8)}
	for range cap(b.readers) {
		b.readers <- &thriftyReader{of: b}
	}
	for _, shard := range s.manifest.Shards {
		r, err := s.bucket.Get(t.Context(), shard.Key, 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		if b.objects[shard.Key], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
		r.Close()
	}
	return b
}

// TestNoAllocation has no allocation a batch, but for what the store does: in no goroutine, over many epochs.
func TestNoAllocation(t *testing.T) { // not parallel: all allocations of the process count
	for _, k := range []kind{{labels: true, width: 28}, {labels: true, weights: true, width: 300, sparse: true}} {
		for _, shuffle := range []bool{false, true} {
			for _, compress := range []bool{false, true} {
				if compress && raceDetector { // it makes pools forget, and the decompressor has some
					continue
				}
				t.Run(fmt.Sprintf("%s shuffle=%t compress=%t", k, shuffle, compress), func(t *testing.T) {
					s, _ := write(t, memstore.New(), k, 3000, WriterOptions{GroupRows: 64, ShardBytes: 50_000, Compress: compress})
					s = newSet(s.manifest, newThrifty(t, s))
					next, stop := iter.Pull2(s.Batches(t.Context(), BatchOptions{Size: 100, Shuffle: shuffle, Epochs: -1}))
					defer stop()
					take := func() {
						if b, err, _ := next(); err != nil || b.Rows != 100 {
							t.Fatal(b, err)
						}
					}
					for range 1000 + rand.IntN(100) { // until all buffers are as large as any batch needs
						take()
					}
					if n := testing.AllocsPerRun(1000, take); n != 0 {
						t.Errorf("%v allocations a batch", n)
					}
				})
			}
		}
	}
}
