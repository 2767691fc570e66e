package storage_test

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/gowren/gowren/storage"
)

// readers are all of them, over a text that suits each: a header, and lines of eight bytes.
func readers(t *testing.T) map[string]func(storage.Split) seq {
	return map[string]func(storage.Split) seq{
		"lines":     func(s storage.Split) seq { return storage.Lines(t.Context(), s) },
		"delimited": func(s storage.Split) seq { return storage.Delimited(t.Context(), s, []byte("\n")) },
		"overlaps":  func(s storage.Split) seq { return storage.Delimited(t.Context(), s, []byte("\n\n")) },
		"records":   func(s storage.Split) seq { return storage.Records(t.Context(), s, 8) },
		"csv": func(s storage.Split) seq {
			return func(yield func([]byte, error) bool) {
				for row, err := range storage.CSV(t.Context(), s, storage.CSVOptions{}) {
					if !yield([]byte(strings.Join(row.Fields, ",")), err) {
						return
					}
				}
			}
		},
		"jsonlines": func(s storage.Split) seq {
			return func(yield func([]byte, error) bool) {
				for v, err := range storage.JSONLines[string](t.Context(), s) {
					if !yield([]byte(v), err) {
						return
					}
				}
			}
		},
	}
}

// eights is such a text.
func eights(n int) string { return quoted(n, 8) }

// quoted has lines of any width. It hardly compresses, so that faults have much to hit.
func quoted(n, width int) string {
	text := make([]byte, 0, width*n)
	x := uint32(1)
	for range n {
		text = append(text, '"')
		for range width - 3 {
			x = x*1664525 + 1013904223
			text = append(text, "abcdefghijklmnopqrstuvwxyz"[x>>24%26])
		}
		text = append(text, '"', '\n')
	}
	return string(text)
}

// TestCutPacked cuts compressed objects anywhere: it is always an error, and never fewer records. Between two streams
// nothing can tell.
func TestCutPacked(t *testing.T) {
	t.Parallel()
	text := []byte(eights(100))
	for name, data := range packed(t, text) {
		half := len(packed(t, text[:len(text)/2])[name]) / 2
		between := 0
		for n := 1; n < len(data); n++ {
			b := put(t, data[:n])
			s := storage.Split{URL: b.URL(), Key: "k", Len: int64(n), Size: int64(n), Compression: name}
			got, err := collect([]storage.Split{s}, readers(t)["lines"])
			if err == nil && len(got) == 50 && n > half {
				between++
				continue
			}
			if err == nil || !strings.Contains(err.Error(), `"k"`) || !errors.As(err, new(*storage.Error)) {
				t.Errorf("%s cut after %d of %d bytes: %d lines, %v", name, n, len(data), len(got), err)
			}
		}
		if between != 1 {
			t.Errorf("%s: %d cuts went by unnoticed, want the one between the streams", name, between)
		}
	}
}

// TestCorruptPacked turns over each bit: either that is an error, or the bit does not matter.
func TestCorruptPacked(t *testing.T) {
	t.Parallel()
	text := []byte(eights(20))
	want := wantLines(text)
	for name, data := range packed(t, text) {
		for i := range data {
			for bit := range 8 {
				data := slices.Clone(data)
				data[i] ^= 1 << bit
				b := put(t, data)
				s := storage.Split{URL: b.URL(), Key: "k", Len: int64(len(data)), Size: int64(len(data)), Compression: name}
				got, err := collect([]storage.Split{s}, readers(t)["lines"])
				if err == nil && !slices.Equal(got, want) || err != nil && !strings.Contains(err.Error(), `"k"`) {
					t.Errorf("%s with bit %d of byte %d turned over: %d lines, %v", name, bit, i, len(got), err)
				}
			}
		}
	}
}

// TestCorruptPackedReaders is that each reader tells.
func TestCorruptPackedReaders(t *testing.T) {
	t.Parallel()
	for name, data := range packed(t, []byte(eights(50))) {
		data[len(data)/3] ^= 0xff
		splits := splitsOf(t, put(t, data), 0)
		for reader, read := range readers(t) {
			if got, err := collect(splits, read); err == nil || !strings.Contains(err.Error(), `"k"`) {
				t.Errorf("%s of corrupt %s: %d records, %v", reader, name, len(got), err)
			}
		}
	}
}

func TestPackedSplitThatIsNone(t *testing.T) {
	t.Parallel()
	b := put(t, []byte("plain text"))
	for _, s := range []storage.Split{
		{Off: 1, Len: 9, Size: 10, Compression: "gzip"}, {Len: 9, Size: 10, Compression: "zstd"}, {Len: 10, Size: 10, Compression: "rar"},
	} {
		s.URL, s.Key = b.URL(), "k"
		for reader, read := range readers(t) {
			if _, err := collect([]storage.Split{s}, read); !errors.Is(err, fs.ErrInvalid) {
				t.Errorf("%s of %+v: %v", reader, s, err)
			}
		}
	}
	s := storage.Split{URL: b.URL(), Key: "k", Len: 10, Size: 10, Compression: "gzip"}
	if _, err := collect([]storage.Split{s}, readers(t)["lines"]); err == nil {
		t.Error("plain text was unpacked")
	}
}
