package storage_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/memstore"
)

// wantLines cuts a text as a plain reader does.
func wantLines(text []byte) []string {
	lines := []string{}
	for r := bufio.NewReader(bytes.NewReader(text)); ; {
		line, err := r.ReadString('\n')
		if err == io.EOF && line == "" {
			return lines
		}
		if cut, ended := strings.CutSuffix(line, "\n"); ended {
			line = strings.TrimSuffix(cut, "\r")
		}
		lines = append(lines, line)
	}
}

// checkLines reads text in splits of size, and compares.
func checkLines(t *testing.T, text []byte, size int64) {
	t.Helper()
	b := memstore.New()
	defer memstore.Delete(b.Name())
	if err := b.Put(t.Context(), "text", bytes.NewReader(text)); err != nil {
		t.Fatal(err)
	}
	splits, err := storage.Splits(t.Context(), b.URL(), size)
	if err != nil {
		t.Fatal(err)
	}
	want := wantLines(text)
	n := 0
	for _, s := range splits {
		for line, err := range storage.Lines(t.Context(), s) {
			if err != nil {
				t.Fatal(err)
			}
			if n >= len(want) || string(line) != want[n] {
				t.Fatalf("splits of %d bytes: line %d of %d is %.60q", size, n, len(want), line)
			}
			n++
		}
	}
	if n != len(want) {
		t.Fatalf("splits of %d bytes give %d lines, want %d", size, n, len(want))
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "\n", "\n\n", "a", "a\n", "a\nb", "a\nb\n", "\na", "a\r\nb\r\n", "\r\n\r\n", "a\rb\r", "\r", "\n\r", "ab\n\ncd\n\n\nef", "äö\nü",
	} {
		for size := int64(1); size <= int64(len(text))+1; size++ {
			checkLines(t, []byte(text), size)
			same(t, []byte(text), wantLines([]byte(text)), few(uint8(size), uint8(size)%3), readLines(t))
		}
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 40 {
		text := make([]byte, random.IntN(400))
		for i := range text {
			text[i] = "ab\n\r"[random.IntN(4)]
		}
		for _, size := range []int64{1, 2, 3, 7, 64, 1 << 20} {
			checkLines(t, text, size)
		}
		same(t, text, wantLines(text), sizes(text, random), readLines(t))
	}
}

// TestLongLines have the buffer grow, and the read go on far beyond a split.
func TestLongLines(t *testing.T) {
	t.Parallel()
	var text []byte
	for _, n := range []int{10, 300_000, 0, 262_143, 262_144, 262_145, 3 << 20, 65_536, 1, 600_000} {
		text = append(append(text, bytes.Repeat([]byte{byte('a' + n%26)}, n)...), '\n')
	}
	for _, size := range []int64{50_000, 262_144, 1 << 20, 1 << 30} {
		checkLines(t, text, size)
	}
}

func FuzzLines(f *testing.F) {
	f.Add([]byte("one\ntwo\r\n\nthree"), uint8(3), uint8(2))
	f.Add([]byte("\n\n\n"), uint8(1), uint8(0))
	f.Add([]byte("a\rb\r"), uint8(0), uint8(0))
	f.Fuzz(func(t *testing.T, text []byte, size, buffer uint8) {
		if len(text) > longest {
			return
		}
		same(t, text, wantLines(text), few(size, buffer), readLines(t))
	})
}

func TestLinesOfChangedObject(t *testing.T) {
	t.Parallel()
	b := memstore.New()
	if err := b.Put(t.Context(), "k", strings.NewReader("one\ntwo\n")); err != nil {
		t.Fatal(err)
	}
	splits, err := storage.Splits(t.Context(), b.URL(), 0)
	if err != nil || len(splits) != 1 {
		t.Fatal(splits, err)
	}
	failure := func(s storage.Split) (lines int, err error) {
		for _, err := range storage.Lines(t.Context(), s) {
			if err != nil {
				return lines, err
			}
			lines++
		}
		return lines, nil
	}
	if err := b.Put(t.Context(), "k", strings.NewReader("two\none\n")); err != nil {
		t.Fatal(err)
	}
	if n, err := failure(splits[0]); n != 0 || !errors.Is(err, storage.ErrChanged) || !strings.Contains(err.Error(), `"k"`) {
		t.Errorf("a changed object: %d lines, %v", n, err)
	}
	bad := splits[0]
	bad.ETag, bad.Size, bad.Len = "", 100, 100 // a store without ETags, and an object that was longer
	if _, err := failure(bad); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a shorter object: %v", err)
	}
	bad.Off = 50
	if _, err := failure(bad); err == nil {
		t.Error("a split beyond its object")
	}
	if err := b.Delete(t.Context(), "k"); err != nil {
		t.Fatal(err)
	}
	if _, err := failure(splits[0]); err == nil {
		t.Error("a missing object")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range storage.Lines(ctx, splits[0]) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("a canceled context: %v", err)
		}
	}
}

func TestLinesStopEarly(t *testing.T) {
	t.Parallel()
	b := memstore.New()
	if err := b.Put(t.Context(), "k", strings.NewReader("one\ntwo\n")); err != nil {
		t.Fatal(err)
	}
	for _, err := range storage.Lines(t.Context(), storage.Split{URL: b.URL(), Key: "k", Len: 8, Size: 8}) {
		if err != nil {
			t.Error(err)
		}
		break
	}
}
