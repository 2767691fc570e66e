package storagetest

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/gowren/gowren/storage"
)

var cancelCases = []testCase{
	{"cancel/before", func(t *testing.T, b storage.Bucket) {
		put(t, b, "there", "x")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := read(ctx, b, "there", 0, -1)
		wantError(t, err, "", "there", context.Canceled)
		_, err = b.Stat(ctx, "there")
		wantError(t, err, "stat", "there", context.Canceled)
		wantError(t, b.Put(ctx, "k", strings.NewReader("x")), "put", "k", context.Canceled)
		wantError(t, b.PutNew(ctx, "k", strings.NewReader("x")), "putnew", "k", context.Canceled)
		wantError(t, b.Delete(ctx, "there"), "delete", "there", context.Canceled)
		n := 0
		for _, err := range b.List(ctx, "") {
			wantError(t, err, "list", "", context.Canceled)
			n++
		}
		if n != 1 {
			t.Errorf("a canceled List yields %d times, want one error", n)
		}
		wantNothing(t, b, "k")
		wantObject(t, b, "there", "x")
	}},
	{"cancel/amid put", func(t *testing.T, b storage.Bucket) {
		for _, good := range []int{0, 1000, 9 << 20} {
			for _, op := range []string{"put", "putnew"} {
				ctx, cancel := context.WithCancel(t.Context())
				store := b.Put
				if op == "putnew" {
					store = b.PutNew
				}
				err := store(ctx, "k", io.MultiReader(strings.NewReader(pattern(good)), &canceler{cancel, 1000}))
				wantError(t, err, op, "k", context.Canceled)
				wantNothing(t, b, "k")
				cancel()
			}
		}
	}},
	{"cancel/amid put keeps the old object", func(t *testing.T, b storage.Bucket) {
		put(t, b, "k", "old")
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		wantError(t, b.Put(ctx, "k", &canceler{cancel, 1 << 20}), "put", "k", context.Canceled)
		wantObject(t, b, "k", "old")
	}},
	{"cancel/amid get", func(t *testing.T, b storage.Bucket) {
		put(t, b, "k", pattern(20<<20))
		o, err := b.Stat(t.Context(), "k")
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		r, err := b.Get(ctx, "k", 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		if _, err := io.CopyN(io.Discard, r, 10); err != nil {
			t.Fatal(err)
		}
		cancel()
		_, err = io.Copy(io.Discard, r)
		wantError(t, err, "", "k", context.Canceled)
		wantVersion(t, r, o, "failed")
		r.Close()
		wantVersion(t, r, o, "failed and closed")
	}},
	{"cancel/amid list", func(t *testing.T, b storage.Bucket) {
		for _, key := range []string{"a/1", "a/2", "b/1"} {
			put(t, b, key, "x")
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		// What was fetched already may still be yielded; nothing may follow the error.
		failed := false
		for _, err := range b.List(ctx, "") {
			cancel()
			if failed {
				t.Error("List goes on after its error")
			}
			if err != nil {
				failed = true
				wantError(t, err, "list", "", context.Canceled)
			}
		}
	}},
}

// canceler is data of n bytes during whose first Read the context ends.
type canceler struct {
	cancel context.CancelFunc
	n      int
}

func (c *canceler) Read(p []byte) (int, error) {
	c.cancel()
	if c.n == 0 {
		return 0, io.EOF
	}
	n := min(len(p), c.n)
	clear(p[:n])
	c.n -= n
	return n, nil
}
