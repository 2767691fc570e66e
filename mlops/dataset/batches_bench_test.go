package dataset

import (
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/gowren/gowren/storage/filestore"
)

// benchKinds are rows like those of Higgs, and of RCV1.
var benchKinds = []struct {
	name     string
	rows     int
	nonZeros int // of a sparse row
	kind     kind
}{
	{"dense", 500_000, 0, kind{labels: true, width: 28}},
	{"sparse", 100_000, 75, kind{labels: true, width: 47_236, sparse: true}},
}

// benchSet stores rows on disk.
func benchSet(b *testing.B, k kind, rows, nonZeros int, o WriterOptions) (*Set, string) {
	b.Helper()
	dir := b.TempDir()
	bucket, err := filestore.Open(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer bucket.Close()
	o.Schema = k.schema()
	w, err := NewWriter(b.Context(), bucket, "job", o)
	if err != nil {
		b.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	for from := 0; from < rows; from += 1000 {
		if err := w.Write(benchBatch(r, k, 1000, nonZeros)); err != nil {
			b.Fatal(err)
		}
	}
	shards, err := w.Close()
	if err != nil {
		b.Fatal(err)
	}
	if _, err := Commit(b.Context(), bucket.URL(), "job", o.Schema, shards); err != nil {
		b.Fatal(err)
	}
	s, err := Open(b.Context(), bucket.URL())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { s.Close() })
	return s, dir
}

func benchBatch(r *rand.Rand, k kind, rows, nonZeros int) *Batch {
	if !k.sparse {
		return k.make(r, 0, rows)
	}
	batch := &Batch{Rows: rows, Width: k.width, Ptr: []int{0}}
	for range rows {
		place := 0
		for range nonZeros/2 + r.IntN(nonZeros) {
			place += 1 + r.IntN(2*k.width/nonZeros/3)
			if place < k.width {
				batch.Idx, batch.Values = append(batch.Idx, uint32(place)), append(batch.Values, r.Float32())
			}
		}
		batch.Ptr = append(batch.Ptr, len(batch.Values))
		batch.Labels = append(batch.Labels, r.Float32())
	}
	return batch
}

// BenchmarkBatches reads minibatches of 1,000 rows from shards on local disk, which the system has in memory. The floor
// reads the same files with a checksum, and copies what it has read. An operation is a batch, of the floor as many bytes.
func BenchmarkBatches(b *testing.B) {
	for _, c := range benchKinds {
		b.Run(c.name, func(b *testing.B) {
			s, dir := benchSet(b, c.kind, c.rows, c.nonZeros, WriterOptions{})
			size := s.manifest.Size * 1000 / int64(c.rows)
			for _, o := range []BatchOptions{{}, {Shuffle: true}} {
				b.Run(fmt.Sprintf("shuffle=%t", o.Shuffle), func(b *testing.B) {
					o.Epochs = -1
					b.SetBytes(size)
					b.ReportAllocs()
					n := -500 // until all memory is there
					for _, err := range s.Batches(b.Context(), o) {
						if err != nil {
							b.Fatal(err)
						}
						if n++; n == 0 {
							b.ResetTimer()
						}
						if n == b.N {
							break
						}
					}
				})
			}
			b.Run("floor", func(b *testing.B) {
				b.SetBytes(size)
				files, err := filepath.Glob(dir + "/job/*")
				if err != nil || len(files) == 0 {
					b.Fatal(files, err)
				}
				buf, to := make([]byte, 1<<20), make([]byte, 1<<20)
				for left := int64(b.N) * size; ; {
					for _, name := range files {
						f, err := os.Open(name)
						if err != nil {
							b.Fatal(err)
						}
						for {
							n, err := io.ReadFull(f, buf)
							crc32.Checksum(buf[:n], castagnoli)
							if left -= int64(copy(to, buf[:n])); left <= 0 {
								f.Close()
								return
							}
							if err != nil {
								break
							}
						}
						f.Close()
					}
				}
			})
		})
	}
}

// BenchmarkWriter writes shards to local disk.
func BenchmarkWriter(b *testing.B) {
	for _, c := range benchKinds {
		for _, compress := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/compress=%t", c.name, compress), func(b *testing.B) {
				bucket, err := filestore.Open(b.TempDir())
				if err != nil {
					b.Fatal(err)
				}
				defer bucket.Close()
				batch := benchBatch(rand.New(rand.NewPCG(1, 2)), c.kind, 1000, c.nonZeros)
				w, err := NewWriter(b.Context(), bucket, "job", WriterOptions{Schema: c.kind.schema(), Compress: compress})
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(4 * (len(batch.Values) + len(batch.Idx) + len(batch.Labels))))
				b.ReportAllocs()
				for b.Loop() {
					if err := w.Write(batch); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
