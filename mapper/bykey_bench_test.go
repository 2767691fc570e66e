package mapper_test

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gowren/gowren/backends/inproc"
	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/filestore"
)

var benchWords = mapper.Emit("bench-words", func(ctx context.Context, s storage.Split, emit func(string, int)) error {
	for line, err := range storage.Lines(ctx, s) {
		if err != nil {
			return err
		}
		for word := range strings.FieldsSeq(string(line)) {
			emit(word, 1)
		}
	}
	return nil
})

var benchSum = mapper.ReduceByKey("bench-sum", func(_ context.Context, _ string, counts iter.Seq[int]) (int, error) {
	total := 0
	for n := range counts {
		total += n
	}
	return total, nil
}).Combine(func(a, b int) int { return a + b })

const benchWordBytes = 64 << 20

// benchText writes a text of words that are distributed by Zipf's law, as many distinct ones as a large book has a dozen
// times, and returns its folder.
func benchText(b *testing.B) string {
	b.Helper()
	dir := b.TempDir()
	f, err := os.Create(filepath.Join(dir, "text"))
	if err != nil {
		b.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 1))
	zipf := rand.NewZipf(r, 1.07, 1, 200_000-1)
	w := bufio.NewWriter(f)
	for size, column := 0, 0; size < benchWordBytes; {
		n, err := fmt.Fprintf(w, "w%x", zipf.Uint64()*2654435761%(1<<32))
		if err != nil {
			b.Fatal(err)
		}
		size, column = size+n+1, column+1
		if err := w.WriteByte(" \n"[min(column/12, 1)]); err != nil {
			b.Fatal(err)
		}
		column %= 12
	}
	if err := cmp.Or(w.Flush(), f.Close()); err != nil {
		b.Fatal(err)
	}
	return dir
}

// BenchmarkWordCount counts words on two worker processes. The floor is two goroutines with a map each.
func BenchmarkWordCount(b *testing.B) {
	dir := benchText(b)
	splits, err := storage.Splits(b.Context(), filestore.URL(dir), 8<<20)
	if err != nil {
		b.Fatal(err)
	}
	want := 0
	b.Run("floor-maps", func(b *testing.B) {
		b.SetBytes(benchWordBytes)
		for b.Loop() {
			want = len(floorWords(b, filepath.Join(dir, "text")))
		}
	})
	b.Run("local", func(b *testing.B) {
		ex := openBench(b, benchBackends["local"])
		b.SetBytes(benchWordBytes)
		for b.Loop() {
			pairs, err := mapper.MapReduceByKey(b.Context(), ex, benchWords, benchSum, splits)
			if err != nil || len(pairs) != want {
				b.Fatalf("%d words, want %d: %v", len(pairs), want, err)
			}
		}
	})
	b.Run("shuffle", func(b *testing.B) {
		bucket, err := filestore.Open(b.TempDir())
		if err != nil {
			b.Fatal(err)
		}
		counting := &countedBytes{Bucket: bucket}
		ex, err := mapper.New(b.Context(), inproc.New(2), counting, mapper.Options{})
		if err != nil {
			b.Fatal(err)
		}
		defer ex.Close()
		for b.Loop() {
			if _, err := mapper.MapReduceByKey(b.Context(), ex, benchWords, benchSum, splits); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(counting.put.Load())/float64(b.N)/benchWordBytes, "of-input")
	})
}

// countedBytes counts what is written.
type countedBytes struct {
	storage.Bucket
	put atomic.Int64
}

func (c *countedBytes) Put(ctx context.Context, key string, data io.Reader) error {
	return c.Bucket.Put(ctx, key, io.TeeReader(data, writerFunc(func(p []byte) { c.put.Add(int64(len(p))) })))
}

type writerFunc func(p []byte)

func (f writerFunc) Write(p []byte) (int, error) { f(p); return len(p), nil }

// floorWords counts the words of a file with a map a goroutine.
func floorWords(b *testing.B, path string) map[string]*int {
	data, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	half := bytes.LastIndexByte(data[:len(data)/2], '\n')
	counts := []map[string]*int{{}, {}}
	var wg sync.WaitGroup
	for i, part := range [][]byte{data[:half], data[half:]} {
		wg.Go(func() {
			for word := range bytes.FieldsSeq(part) {
				if n := counts[i][string(word)]; n != nil {
					*n++
					continue
				}
				one := 1
				counts[i][string(word)] = &one
			}
		})
	}
	wg.Wait()
	for word, n := range counts[1] {
		if m := counts[0][word]; m != nil {
			*m += *n
		} else {
			counts[0][word] = n
		}
	}
	slices.Sort(slices.Collect(maps.Keys(counts[0])))
	return counts[0]
}

var benchRecords = mapper.Emit("bench-records", func(ctx context.Context, s storage.Split, emit func(string, []byte)) error {
	for record, err := range storage.Records(ctx, s, 100) {
		if err != nil {
			return err
		}
		emit(string(record[:10]), record)
	}
	return nil
})

// BenchmarkSort sorts 100 MB of records on two worker processes. The floor reads, sorts and writes them in memory, in one
// goroutine.
func BenchmarkSort(b *testing.B) {
	const records = 1_000_000
	dir := b.TempDir()
	path := filepath.Join(dir, "records")
	data := make([]byte, records*100)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range data {
		data[i] = 'a' + byte(r.Uint32N(26))
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		b.Fatal(err)
	}
	b.Run("floor-memory", func(b *testing.B) {
		b.SetBytes(records * 100)
		for b.Loop() {
			data, err := os.ReadFile(path)
			if err != nil {
				b.Fatal(err)
			}
			order := slices.Collect(slices.Chunk(data, 100))
			slices.SortFunc(order, func(x, y []byte) int { return bytes.Compare(x[:10], y[:10]) })
			if err := os.WriteFile(filepath.Join(b.TempDir(), "sorted"), slices.Concat(order...), 0o600); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("local", func(b *testing.B) {
		ex := openBench(b, benchBackends["local"])
		splits, err := storage.Splits(b.Context(), filestore.URL(dir), 16<<20)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(records * 100)
		for b.Loop() {
			m, err := mapper.Sort(b.Context(), ex, benchRecords, splits, filestore.URL(b.TempDir()))
			if err != nil || len(m.Parts) == 0 {
				b.Fatal(err)
			}
		}
	})
}
