package storage_test

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gowren/gowren/storage"
)

// located is a line and its offset, as the test of splits compares them.
type located struct{ storage.Line }

func (l located) String() string { return fmt.Sprintf("%d %q", l.Off, l.Text) }

func readLinesAt(t *testing.T) func(storage.Bucket, storage.Split, int) iter.Seq2[located, error] {
	return func(b storage.Bucket, s storage.Split, buffer int) iter.Seq2[located, error] {
		return func(yield func(located, error) bool) {
			for l, err := range storage.LinesAtFrom(t.Context(), b, s, buffer) {
				if !yield(located{l}, err) {
					return
				}
			}
		}
	}
}

// wantLinesAt cuts a text with the offsets.
func wantLinesAt(text []byte) []string {
	var all []string
	off := 0
	for line := range bytes.Lines(text) {
		cut, ended := bytes.CutSuffix(line, []byte("\n"))
		if ended {
			cut = bytes.TrimSuffix(cut, []byte("\r"))
		}
		all = append(all, fmt.Sprintf("%d %q", off, cut))
		off += len(line)
	}
	return all
}

func TestLinesAt(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	for range 60 {
		text := draw(random, []string{"a", "\n", "\r\n", "\r", "some words", "\n\n"})
		same(t, text, wantLinesAt(text), sizes(text, random), readLinesAt(t))
	}
}

func FuzzLinesAt(f *testing.F) {
	f.Add([]byte("one\ntwo\r\n\nthree"), uint8(3), uint8(2))
	f.Fuzz(func(t *testing.T, text []byte, size, buffer uint8) {
		if len(text) > longest {
			return
		}
		same(t, text, wantLinesAt(text), few(size, buffer), readLinesAt(t))
	})
}

// TestLineErrorf has every line of splits of every size tell its own number.
func TestLineErrorf(t *testing.T) {
	t.Parallel()
	text := "1\n2\r\n3\n\n5\n66666\n7"
	texts := map[string][]byte{"plain": []byte(text)}
	for name, data := range packed(t, []byte(text)) {
		texts[name] = data
	}
	for name, data := range texts {
		b := put(t, data)
		for size := int64(1); size < int64(len(data))+2; size++ {
			n := 0
			for _, s := range splitsOf(t, b, size) {
				for l, err := range storage.LinesAt(t.Context(), s) {
					if err != nil {
						t.Fatal(err)
					}
					n++
					err := l.Errorf("%q is bad", l.Text)
					want := fmt.Sprintf("line %d: %q is bad", n, l.Text)
					if located := (*storage.Error)(nil); !errors.As(err, &located) || located.Key != "k" || !strings.Contains(err.Error(), want) {
						t.Fatalf("%s in splits of %d bytes: %v, want %s", name, size, err, want)
					}
				}
			}
			if n != 7 {
				t.Fatalf("%s in splits of %d bytes: %d lines", name, size, n)
			}
		}
	}
	if err := (storage.Line{}).Errorf("bad"); err.Error() != "bad" {
		t.Error(err)
	}
}

// TestLineErrorfOnce holds that the lines before a split are counted once.
func TestLineErrorfOnce(t *testing.T) {
	t.Parallel()
	b := storage.Count(put(t, []byte(strings.Repeat("a line\n", 100))))
	gets := func() int64 {
		stats, _ := storage.StatsOf(b)
		return stats.Requests[storage.KindGet]
	}
	n := 0
	for l, err := range storage.LinesAtFrom(t.Context(), b, splitsOf(t, b, 350)[1], 1000) {
		if err != nil {
			t.Fatal(err)
		}
		n++
		before := gets()
		if err := l.Errorf("bad"); !strings.Contains(err.Error(), fmt.Sprintf("line %d: bad", 50+n)) {
			t.Error(err)
		}
		if got := gets() - before; (got > 0) != (n == 1) {
			t.Errorf("the error of line %d of the split took %d requests", n, got)
		}
	}
	if n != 50 {
		t.Errorf("%d lines", n)
	}
}

// TestLinesAtLong refuses to hold a line without an end.
func TestLinesAtLong(t *testing.T) {
	t.Parallel()
	text := append(append([]byte("a\n"), bytes.Repeat([]byte("x"), storage.LongestRow+2000)...), "\nb\n"...)
	b := put(t, text)
	n := 0
	for _, err := range storage.LinesAtFrom(t.Context(), b, splitsOf(t, b, 0)[0], 1000) {
		if n++; n == 2 && (err == nil || !strings.Contains(err.Error(), "longer than")) || n != 2 && err != nil {
			t.Errorf("line %d: %v", n, err)
		}
	}
	if n != 2 {
		t.Errorf("%d steps, want a line and an error", n)
	}
}

// TestLinesAtLongest: how long a line can be does not depend on the buffers.
func TestLinesAtLongest(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"\n", ""} {
		for _, more := range []int{0, 1} {
			b := put(t, append(bytes.Repeat([]byte("x"), storage.LongestRow+more), end...))
			for _, buffer := range []int{100, 999, storage.LongestRow, storage.LongestRow * 3} {
				lines, failed := 0, error(nil)
				for _, err := range storage.LinesAtFrom(t.Context(), b, splitsOf(t, b, 0)[0], buffer) {
					if failed = err; err == nil {
						lines++
					}
				}
				if lines != 1-more || (failed != nil) != (more > 0) {
					t.Errorf("%d bytes more, in buffers of %d: %d lines, %v", more, buffer, lines, failed)
				}
			}
		}
	}
}

// TestChunks holds that splits of any size make up the object.
func TestChunks(t *testing.T) {
	t.Parallel()
	text := []byte(strings.Repeat("0123456789", 30))
	b := put(t, text)
	for size := int64(1); size < 320; size += 7 {
		var got []byte
		for _, s := range splitsOf(t, b, size) {
			for data, err := range storage.ChunksFrom(t.Context(), b, s, 11) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, data...)
			}
		}
		if !bytes.Equal(got, text) {
			t.Fatalf("splits of %d bytes: %q", size, got)
		}
	}
	for name, data := range packed(t, text) {
		var got []byte
		for data, err := range storage.Chunks(t.Context(), splitsOf(t, put(t, data), 0)[0]) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, data...)
		}
		if !bytes.Equal(got, text) {
			t.Fatalf("%s: %q", name, got)
		}
	}
	for _, err := range storage.Chunks(t.Context(), splitsOf(t, b, 0)[0]) {
		if err != nil {
			t.Error(err)
		}
		break
	}
	for _, err := range storage.Chunks(t.Context(), storage.Split{URL: b.URL(), Key: "k", Len: 9, Size: 3}) {
		if err == nil {
			t.Error("a split beyond its object")
		}
	}
}

// TestRowEnd holds that the end of a row does not depend on the splits.
func TestRowEnd(t *testing.T) {
	t.Parallel()
	text := "\ufeffa,b\n1,2\r\n\n\n\"x\ny\",3\n4,\"5\"\n6,7"
	want := "[12 22 28 31]"
	b := put(t, []byte(text))
	for size := int64(1); size < int64(len(text))+2; size++ {
		var got []int64
		for _, s := range splitsOf(t, b, size) {
			for r, err := range storage.CSV(t.Context(), s, storage.CSVOptions{}) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, r.End())
			}
		}
		if fmt.Sprint(got) != want {
			t.Fatalf("splits of %d bytes: %v, want %s", size, got, want)
		}
	}
	if end := (storage.Row{Fields: []string{"1"}}).End(); end != 0 {
		t.Errorf("a row of no reader ends at %d", end)
	}
}
