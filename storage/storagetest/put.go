package storagetest

import (
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"

	"github.com/gowren/gowren/storage"
)

var putCases = []testCase{
	{"put/replaces", func(t *testing.T, b storage.Bucket) {
		put(t, b, "k", "a long first version")
		put(t, b, "k", "short")
		wantObject(t, b, "k", "short")
		if got := list(t, b, ""); len(got) != 1 {
			t.Errorf("the bucket holds %q, want one key", got)
		}
	}},
	{"put/any reader", func(t *testing.T, b storage.Bucket) {
		want := pattern(3000)
		for name, r := range map[string]io.Reader{
			"one byte at a time": iotest.OneByteReader(strings.NewReader(want)),
			"halves":             iotest.HalfReader(strings.NewReader(want)),
			"data with EOF":      iotest.DataErrReader(strings.NewReader(want)),
			"pipe":               io.MultiReader(strings.NewReader(want[:7]), strings.NewReader(want[7:])),
		} {
			if err := b.Put(t.Context(), name, r); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			wantObject(t, b, name, want)
		}
	}},
	{"put/data begins where the reader stands", func(t *testing.T, b storage.Bucket) {
		r := strings.NewReader("0123456789")
		if _, err := r.Seek(4, io.SeekStart); err != nil {
			t.Fatal(err)
		}
		if err := b.Put(t.Context(), "k", r); err != nil {
			t.Fatal(err)
		}
		wantObject(t, b, "k", "456789")
	}},
	{"put/failing data", func(t *testing.T, b storage.Bucket) { failingData(t, b, "put") }},
	{"put/failing data keeps the old object", func(t *testing.T, b storage.Bucket) {
		put(t, b, "k", "old")
		broken := errors.New("the data broke")
		err := b.Put(t.Context(), "k", io.MultiReader(strings.NewReader("new"), iotest.ErrReader(broken)))
		wantError(t, err, "put", "k", broken)
		wantObject(t, b, "k", "old")
	}},
	{"put/atomic", func(t *testing.T, b storage.Bucket) {
		const size = 1 << 20
		version := func(c string) string { return strings.Repeat(c, size) }
		put(t, b, "k", version("a"))
		var writers, readers sync.WaitGroup
		done := make(chan struct{})
		for range 2 {
			readers.Go(func() {
				for {
					got, err := read(t.Context(), b, "k", 0, -1)
					if errors.Is(err, storage.ErrChanged) {
						err, got = nil, version("d") // of several requests, and it says that they met two versions
					}
					if err != nil || len(got) != size || strings.Count(got, got[:1]) != size {
						t.Errorf("a reader saw %s, %v: neither version", brief(got), err)
						return
					}
					select {
					case <-done:
						return
					default:
					}
				}
			})
		}
		for _, c := range []string{"b", "c"} {
			writers.Go(func() {
				for range 10 {
					if err := b.Put(t.Context(), "k", strings.NewReader(version(c))); err != nil {
						t.Error(err)
					}
				}
			})
		}
		writers.Wait()
		close(done)
		readers.Wait()
	}},
	{"put/concurrent, many keys", func(t *testing.T, b storage.Bucket) {
		var wg sync.WaitGroup
		for i := range 16 {
			wg.Go(func() {
				for j := range 8 {
					key := "f" + string(rune('a'+j)) + "/" + string(rune('a'+i))
					if err := b.Put(t.Context(), key, strings.NewReader(key)); err != nil {
						t.Error(err)
					}
					if got, err := read(t.Context(), b, key, 0, -1); got != key || err != nil {
						t.Errorf("%s holds %q, %v", key, got, err)
					}
				}
			})
		}
		wg.Wait()
		if got := list(t, b, ""); len(got) != 128 {
			t.Errorf("%d keys, want 128", len(got))
		}
	}},
}

// failingData stores data whose Read fails, at once and after more than one part of a large upload.
func failingData(t *testing.T, b storage.Bucket, op string) {
	t.Helper()
	broken := errors.New("the data broke")
	store := b.Put
	if op == "putnew" {
		store = b.PutNew
	}
	for _, good := range []int{0, 1, 9 << 20} {
		err := store(t.Context(), "k", io.MultiReader(strings.NewReader(pattern(good)), iotest.ErrReader(broken)))
		wantError(t, err, op, "k", broken)
		wantNothing(t, b, "k")
	}
}
