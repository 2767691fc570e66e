package storage_test

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"testing"

	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/filestore"
)

// benchSize is large beside the caches of a processor, and small beside the memory that the system reads files into.
const benchSize = 256 << 20

// generate fills a file, and reads it once.
func generate(b *testing.B, line func(i int, buf []byte) []byte) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "data")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	var buf []byte
	for i, n := 0, 0; n < benchSize; i++ {
		buf = line(i, buf[:0])
		if n+len(buf) > benchSize {
			buf = append(bytes.Repeat([]byte{'x'}, benchSize-n-1), '\n')
		}
		n += len(buf)
		if _, err := w.Write(buf); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	return path
}

// benchSplits reads a file split by split.
func benchSplits[T any](b *testing.B, path string, read func(storage.Split) iter.Seq2[T, error]) {
	b.SetBytes(benchSize)
	b.ReportAllocs()
	for b.Loop() {
		splits, err := storage.Splits(b.Context(), filestore.URL(path), 0)
		if err != nil {
			b.Fatal(err)
		}
		for _, s := range splits {
			for _, err := range read(s) {
				if err != nil {
					b.Fatal(err)
				}
			}
		}
	}
}

// benchFloor reads a file with the bare loop.
func benchFloor(b *testing.B, path string, read func(*bufio.Reader) error) {
	b.SetBytes(benchSize)
	for b.Loop() {
		f, err := os.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		r := bufio.NewReaderSize(f, 256<<10)
		for err == nil {
			err = read(r)
		}
		if err != io.EOF {
			b.Fatal(err)
		}
		f.Close()
	}
}

func readSlice(r *bufio.Reader) error {
	_, err := r.ReadSlice('\n')
	return err
}

// BenchmarkLines reads lines of 10 to 110 bytes, beside bufio.Reader's ReadSlice.
func BenchmarkLines(b *testing.B) {
	path := generate(b, func(i int, buf []byte) []byte {
		buf = fmt.Appendf(buf, "%d ", i)
		for range i % 20 {
			buf = append(buf, "word "...)
		}
		return append(buf, '\n')
	})
	b.Run("lines", func(b *testing.B) {
		benchSplits(b, path, func(s storage.Split) seq { return storage.Lines(b.Context(), s) })
	})
	b.Run("delimited", func(b *testing.B) {
		benchSplits(b, path, func(s storage.Split) seq { return storage.Delimited(b.Context(), s, []byte(" \n")) })
	})
	b.Run("floor", func(b *testing.B) { benchFloor(b, path, readSlice) })
}

// BenchmarkRecords reads records of 100 bytes, beside bufio.Reader's Peek and Discard.
func BenchmarkRecords(b *testing.B) {
	const size = 128
	path := generate(b, func(i int, buf []byte) []byte { return fmt.Appendf(buf, "%0*d\n", size-1, i) })
	b.Run("records", func(b *testing.B) {
		benchSplits(b, path, func(s storage.Split) seq { return storage.Records(b.Context(), s, size) })
	})
	b.Run("floor", func(b *testing.B) {
		benchFloor(b, path, func(r *bufio.Reader) error {
			if _, err := r.Peek(size); err != nil {
				return err
			}
			_, err := r.Discard(size)
			return err
		})
	})
	b.Run("lines", func(b *testing.B) { benchFloor(b, path, readSlice) })
}

// BenchmarkCSV reads rows of six fields, one of them quoted, beside encoding/csv alone and beside ReadSlice.
func BenchmarkCSV(b *testing.B) {
	path := generate(b, func(i int, buf []byte) []byte {
		return fmt.Appendf(buf, "%d,2024-05-%02d,\"New York, %d\",%d.%02d,some words here,%d\n", i, i%28+1, i%97, i%1000, i%100, i*7)
	})
	options := storage.CSVOptions{SingleLine: true, NoHeader: true, Skip: func(error) {}} // the last line is filled up
	b.Run("csv", func(b *testing.B) {
		benchSplits(b, path, func(s storage.Split) iter.Seq2[storage.Row, error] { return storage.CSV(b.Context(), s, options) })
	})
	b.Run("floor", func(b *testing.B) {
		var last *csv.Reader
		var of *bufio.Reader
		benchFloor(b, path, func(r *bufio.Reader) error {
			if of != r {
				of, last = r, csv.NewReader(r)
				last.ReuseRecord, last.FieldsPerRecord = true, -1
			}
			_, err := last.Read()
			return err
		})
	})
	b.Run("lines", func(b *testing.B) { benchFloor(b, path, readSlice) })
}
