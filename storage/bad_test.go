package storage_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net/url"
	"strings"
	"testing"

	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/memstore"
	"github.com/gowren/gowren/storage/storagetest"
)

func init() {
	// A bucket of memory whose gets are cut, refused, and lost.
	storage.Register("unsteady", func(_ context.Context, u *url.URL) (storage.Bucket, error) {
		b, err := memstore.Open(u.Host)
		if err != nil {
			return nil, err
		}
		return storagetest.Faults(b, storagetest.Rule{Op: "get", Nth: 1, Cut: errWire, At: 11},
			storagetest.Rule{Op: "get", Nth: 2, Cut: fmt.Errorf("gone: %w", io.EOF), At: 5},
			storagetest.Rule{Op: "get", Nth: 3, Before: storage.ErrThrottled},
			storagetest.Rule{Op: "get", Nth: 5, After: errWire}), nil
	})
}

// TestReadersTryAgain is that failing reads change nothing.
func TestReadersTryAgain(t *testing.T) {
	t.Parallel()
	text := eights(30)
	for name, data := range map[string][]byte{"plain": []byte(text), "gzip": packed(t, []byte(text))["gzip"]} {
		b := put(t, data)
		for reader, read := range readers(t) {
			splits := splitsOf(t, b, 100)
			want, err := collect(splits, read)
			if err != nil || len(want) == 0 {
				t.Fatalf("%s: %d records, %v", reader, len(want), err)
			}
			for i := range splits {
				splits[i].URL = "unsteady://" + b.Name()
			}
			got, err := collect(splits, read)
			if err != nil || strings.Join(got, "|") != strings.Join(want, "|") {
				t.Errorf("%s of %s with faults: %d records, %v, want %d", reader, name, len(got), err, len(want))
			}
		}
	}
}

func TestSplitOutsideItsObject(t *testing.T) {
	t.Parallel()
	b := put(t, []byte(eights(2)))
	for _, s := range []storage.Split{
		{Off: -1, Len: 2, Size: 16}, {Len: -1, Size: 16}, {Len: 17, Size: 16}, {Off: 17, Size: 16}, {Off: 8, Len: 9, Size: 16}, {Size: -8},
		{Off: math.MaxInt64, Len: math.MaxInt64, Size: 16},
	} {
		s.URL, s.Key = b.URL(), "k"
		for reader, read := range readers(t) {
			got, err := collect([]storage.Split{s}, read)
			if !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), `"k"`) || got != nil {
				t.Errorf("%s of %+v: %q, %v", reader, s, got, err)
			}
		}
	}
	// Those that think the object larger than it is.
	for _, s := range []storage.Split{
		{Len: 24, Size: 24}, {Off: 16, Len: 8, Size: 24}, {Off: 800, Len: 80, Size: 880}, {Len: math.MaxInt64 - 7, Size: math.MaxInt64 - 7},
	} {
		s.URL, s.Key = b.URL(), "k"
		for reader, read := range readers(t) {
			got, err := collect([]storage.Split{s}, read)
			if err == nil || !errors.As(err, new(*storage.Error)) {
				t.Errorf("%s of %+v: %q, %v", reader, s, got, err)
			}
		}
	}
	for reader, read := range readers(t) {
		got, err := collect([]storage.Split{{URL: b.URL(), Key: "k", Off: 8, Size: 16}}, read)
		if err != nil || got != nil {
			t.Errorf("%s of an empty split: %q, %v", reader, got, err)
		}
	}
}

func TestMissingAndChangedObject(t *testing.T) {
	t.Parallel()
	b := put(t, []byte(eights(40)))
	splits := splitsOf(t, b, 100)
	check := func(want error) {
		t.Helper()
		for reader, read := range readers(t) {
			for _, s := range splits[:2] {
				got, err := collect([]storage.Split{s}, read)
				if !errors.Is(err, want) || !errors.As(err, new(*storage.Error)) || !strings.Contains(err.Error(), `"k"`) || got != nil {
					t.Errorf("%s: %q, %v, want %v", reader, got, err, want)
				}
			}
		}
		if _, err := storage.CountQuotes(t.Context(), splits[1]); !errors.Is(err, want) {
			t.Errorf("CountQuotes: %v, want %v", err, want)
		}
	}
	if err := b.Put(t.Context(), "k", strings.NewReader(eights(40))); err != nil {
		t.Fatal(err)
	}
	check(storage.ErrChanged)
	if err := b.Delete(t.Context(), "k"); err != nil {
		t.Fatal(err)
	}
	check(fs.ErrNotExist)
	splits[0].URL = "nowhere://x"
	if _, err := storage.CountQuotes(t.Context(), splits[0]); err == nil {
		t.Error("a bucket that nobody opens")
	}
	if got, err := collect(splits[:1], readers(t)["csv"]); err == nil || got != nil {
		t.Errorf("a bucket that nobody opens: %q, %v", got, err)
	}
}

// hooked calls before ahead of each Get, with its number.
type hooked struct {
	storage.Bucket
	gets   int
	before func(n int)
}

func (h *hooked) Get(ctx context.Context, key string, off, n int64) (io.ReadCloser, error) {
	h.gets++
	h.before(h.gets)
	return h.Bucket.Get(ctx, key, off, n)
}

// TestChangedWhileRead replaces the object between two ranges of one split. The versions are told apart even where the
// split does not name one.
func TestChangedWhileRead(t *testing.T) {
	t.Parallel()
	text := "short\n" + strings.Repeat("long", 100_000) + "\n"
	for _, tag := range []bool{true, false} {
		b := put(t, []byte(text))
		s := splitsOf(t, b, 10)[0]
		if !tag {
			s.ETag = ""
		}
		h := &hooked{Bucket: b, before: func(n int) {
			if n == 2 {
				if err := b.Put(t.Context(), "k", strings.NewReader(strings.ToUpper(text))); err != nil {
					t.Error(err)
				}
			}
		}}
		got, err := collect([]storage.Split{s}, func(s storage.Split) seq { return storage.LinesFrom(t.Context(), h, s, 1<<10) })
		if !errors.Is(err, storage.ErrChanged) || len(got) != 1 || h.gets != 2 {
			t.Errorf("%d lines, %v after %d gets", len(got), err, h.gets)
		}
	}
}

// TestOneGet is what a split of usual lines costs.
func TestOneGet(t *testing.T) {
	t.Parallel()
	b := put(t, []byte(eights(50_000)))
	for _, s := range splitsOf(t, b, 200_000) {
		h := &hooked{Bucket: b, before: func(int) {}}
		if _, err := collect([]storage.Split{s}, func(s storage.Split) seq { return storage.LinesFrom(t.Context(), h, s, 1<<10) }); err != nil || h.gets != 1 {
			t.Errorf("lines: %d gets, %v", h.gets, err)
		}
		h.gets = 0
		if _, err := collect([]storage.Split{s}, func(s storage.Split) seq { return storage.RecordsFrom(t.Context(), h, s, 1<<10, 8) }); err != nil || h.gets != 1 {
			t.Errorf("records: %d gets, %v", h.gets, err)
		}
	}
}
