package storage_test

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/memstore"
)

// put stores one object in a bucket of its own.
func put(t testing.TB, data []byte) *memstore.Bucket {
	t.Helper()
	b := memstore.New()
	t.Cleanup(func() { memstore.Delete(b.Name()) })
	if err := b.Put(t.Context(), "k", bytes.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	return b
}

// splitsOf cuts the bucket's objects.
func splitsOf(t testing.TB, b storage.Bucket, size int64) []storage.Split {
	t.Helper()
	splits, err := storage.Splits(t.Context(), b.URL(), size)
	if err != nil {
		t.Fatal(err)
	}
	return splits
}

// collect joins what all splits hold, up to the first error.
func collect[T any](splits []storage.Split, read func(storage.Split) iter.Seq2[T, error]) (all []string, err error) {
	for _, s := range splits {
		for v, err := range read(s) {
			if err != nil {
				return all, err
			}
			switch v := any(v).(type) {
			case []byte:
				all = append(all, string(v))
			case storage.Row:
				all = append(all, fmt.Sprintf("%q %q", v.Header, v.Fields))
			default:
				all = append(all, fmt.Sprint(v))
			}
		}
	}
	return all, nil
}

// packed is data in each of the compressions, in two streams each.
func packed(t testing.TB, data []byte) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	half := len(data) / 2
	var gz, zs bytes.Buffer
	for _, part := range [][]byte{data[:half], data[half:]} {
		e, err := zstd.NewWriter(&zs, zstd.WithEncoderConcurrency(1), zstd.WithZeroFrames(true), zstd.WithEncoderLevel(zstd.SpeedFastest))
		if err != nil {
			t.Fatal(err)
		}
		g, err := gzip.NewWriterLevel(&gz, gzip.BestSpeed)
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range []io.WriteCloser{g, e} {
			if _, err := w.Write(part); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	all["gzip"], all["zstd"] = gz.Bytes(), zs.Bytes()
	return all
}

// sizes are those of splits, and of buffers, that a text is read in: all small ones, and some at random.
func sizes(text []byte, random *rand.Rand) [][2]int {
	all := [][2]int{{len(text) + 1, 1 << 10}, {1 << 30, 1}}
	for size := 1; size <= min(len(text), 12); size++ {
		all = append(all, [2]int{size, 1 + random.IntN(9)})
	}
	for range 6 {
		all = append(all, [2]int{1 + random.IntN(len(text)+2), 1 + random.IntN(40)})
	}
	return all
}

// draw makes a text of pieces.
func draw(random *rand.Rand, pieces []string) []byte {
	var text []byte
	for range random.IntN(40) {
		piece := pieces[random.IntN(len(pieces))]
		if random.IntN(8) == 0 {
			piece = string(bytes.Repeat([]byte(piece), random.IntN(20)))
		}
		text = append(text, piece...)
	}
	return text
}

// same holds that splits of any size, compressed or not, give what a plain reader of the whole gives.
func same[T any](t *testing.T, text []byte, want []string, splits [][2]int,
	read func(storage.Bucket, storage.Split, int) iter.Seq2[T, error],
) {
	t.Helper()
	b := put(t, text)
	for _, size := range splits {
		got, err := collect(splitsOf(t, b, int64(size[0])), func(s storage.Split) iter.Seq2[T, error] { return read(b, s, size[1]) })
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("%q in splits of %d bytes and buffers of %d: %v (-want +got):\n%s", text, size[0], size[1], err, cmp.Diff(want, got))
		}
	}
	for name, data := range packed(t, text) {
		b := put(t, data)
		splits := splitsOf(t, b, 1)
		if len(splits) != 1 || splits[0].Compression != name {
			t.Fatalf("%s: the splits are %+v", name, splits)
		}
		got, err := collect(splits, func(s storage.Split) iter.Seq2[T, error] { return read(b, s, 7) })
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("%q in %s: %v (-want +got):\n%s", text, name, err, cmp.Diff(want, got))
		}
	}
}

// few splits of a fuzzed text: with size 0 as many as bytes.
func few(size, buffer uint8) [][2]int { return [][2]int{{int(size) + 1, int(buffer) + 1}} }

const longest = 2000 // fuzzed text

func readLines(t *testing.T) func(storage.Bucket, storage.Split, int) iter.Seq2[[]byte, error] {
	return func(b storage.Bucket, s storage.Split, buffer int) iter.Seq2[[]byte, error] {
		return storage.LinesFrom(t.Context(), b, s, buffer)
	}
}

func readDelimited(t *testing.T, sep []byte) func(storage.Bucket, storage.Split, int) iter.Seq2[[]byte, error] {
	return func(b storage.Bucket, s storage.Split, buffer int) iter.Seq2[[]byte, error] {
		return storage.DelimitedFrom(t.Context(), b, s, buffer, sep)
	}
}

func readRecords(t *testing.T, size int) func(storage.Bucket, storage.Split, int) iter.Seq2[[]byte, error] {
	return func(b storage.Bucket, s storage.Split, buffer int) iter.Seq2[[]byte, error] {
		return storage.RecordsFrom(t.Context(), b, s, buffer, size)
	}
}

func readCSV(t *testing.T, o storage.CSVOptions) func(storage.Bucket, storage.Split, int) iter.Seq2[storage.Row, error] {
	return func(b storage.Bucket, s storage.Split, buffer int) iter.Seq2[storage.Row, error] {
		return storage.CSVFrom(t.Context(), b, s, buffer, o)
	}
}
