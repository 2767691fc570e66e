package storagetest

import (
	"context"
	"io"
	"io/fs"
	"math"
	"strconv"
	"testing"

	"github.com/gowren/gowren/storage"
)

var getCases = []testCase{
	{"get/read after write", func(t *testing.T, b storage.Bucket) {
		put(t, b, "a", "one")
		wantObject(t, b, "a", "one")
		put(t, b, "a", "two, longer")
		wantObject(t, b, "a", "two, longer")
	}},
	{"get/ranges", func(t *testing.T, b storage.Bucket) {
		put(t, b, "a/range", "0123456789")
		for _, c := range []struct {
			off, n int64
			want   string
		}{
			{0, -1, "0123456789"}, {0, math.MinInt64, "0123456789"}, {0, 10, "0123456789"},
			{0, 1, "0"}, {0, 4, "0123"}, {3, 4, "3456"}, {9, 1, "9"}, {3, -1, "3456789"}, {9, -1, "9"},
			{6, 100, "6789"}, {0, math.MaxInt64, "0123456789"}, {4, math.MaxInt64, "456789"},
			{0, 0, ""}, {5, 0, ""}, {10, -1, ""}, {10, 1, ""}, {11, -1, ""}, {1000, 5, ""}, {1000, 0, ""},
		} {
			got, err := read(t.Context(), b, "a/range", c.off, c.n)
			if err != nil || got != c.want {
				t.Errorf("Get from %d, %d bytes: %q, %v, want %q", c.off, c.n, got, err, c.want)
			}
		}
	}},
	{"get/empty object", func(t *testing.T, b storage.Bucket) {
		put(t, b, "empty", "")
		wantObject(t, b, "empty", "")
		for _, n := range []int64{-1, 0, 1} {
			if got, err := read(t.Context(), b, "empty", 0, n); got != "" || err != nil {
				t.Errorf("Get of %d bytes of an empty object: %q, %v", n, got, err)
			}
		}
		if o, err := b.Stat(t.Context(), "empty"); err != nil || o.Size != 0 {
			t.Errorf("Stat of an empty object: %+v, %v", o, err)
		}
	}},
	{"get/large object", func(t *testing.T, b storage.Bucket) {
		want := pattern(20 << 20)
		put(t, b, "large", want)
		wantObject(t, b, "large", want)
		if got, err := read(t.Context(), b, "large", 12345678, 1000); err != nil || got != want[12345678:12346678] {
			t.Errorf("the middle of a large object: %s, %v", brief(got), err)
		}
	}},
	{"get/missing", func(t *testing.T, b storage.Bucket) {
		put(t, b, "folder/there", "x")
		for _, key := range []string{"gone", "folder", "folder/gone", "folder/there/below", "no/such/folder"} {
			r, err := b.Get(t.Context(), key, 0, -1)
			if err == nil {
				_, err = io.ReadAll(r)
				r.Close()
			}
			wantError(t, err, "get", key, fs.ErrNotExist)
			_, err = b.Stat(t.Context(), key)
			wantError(t, err, "stat", key, fs.ErrNotExist)
		}
	}},
	{"get/stat", func(t *testing.T, b storage.Bucket) {
		etags := map[string]bool{}
		for i := range 20 { // in quick succession, and of one size
			put(t, b, "a/b", "version "+strconv.Itoa(10+i))
			o, err := b.Stat(t.Context(), "a/b")
			if err != nil || o.Key != "a/b" || o.Size != 10 || o.Modified.IsZero() || o.ETag == "" {
				t.Fatalf("Stat: %+v, %v", o, err)
			}
			etags[o.ETag] = true
		}
		if len(etags) != 20 {
			t.Errorf("20 versions have %d ETags", len(etags))
		}
	}},
	{"get/reader knows its version", func(t *testing.T, b storage.Bucket) {
		put(t, b, "a", "first")
		first, err := b.Stat(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		r, err := b.Get(t.Context(), "a", 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		tagged, ok := r.(storage.Tagged)
		if !ok {
			t.Skip("the reader is not storage.Tagged, which is optional")
		}
		put(t, b, "a", "other")
		if tagged.ETag() != first.ETag {
			t.Errorf("the reader's ETag is %q, Stat's was %q", tagged.ETag(), first.ETag)
		}
	}},
	{"get/reader knows its version to the end", func(t *testing.T, b storage.Bucket) {
		put(t, b, "a", "first")
		first, err := b.Stat(t.Context(), "a")
		if err != nil {
			t.Fatal(err)
		}
		for _, cut := range []bool{false, true} {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			r, err := b.Get(ctx, "a", 0, -1)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			if _, err := io.CopyN(io.Discard, r, 2); err != nil {
				t.Fatal(err)
			}
			if cut {
				cancel()
			}
			if _, err := io.Copy(io.Discard, r); err != nil && !cut { // where all is there already, it need not fail
				t.Fatal(err)
			}
			wantVersion(t, r, first, "read to its end")
			if err := r.Close(); err != nil && !cut {
				t.Fatal(err)
			}
			wantVersion(t, r, first, "closed")
		}
	}},
	{"get/readers are independent", func(t *testing.T, b storage.Bucket) {
		put(t, b, "a", "0123456789")
		r1, err1 := b.Get(t.Context(), "a", 0, -1)
		r2, err2 := b.Get(t.Context(), "a", 5, -1)
		if err1 != nil || err2 != nil {
			t.Fatal(err1, err2)
		}
		defer r1.Close()
		defer r2.Close()
		x, y := make([]byte, 2), make([]byte, 2)
		for _, want := range []string{"0156", "2378"} {
			_, err1 = io.ReadFull(r1, x)
			_, err2 = io.ReadFull(r2, y)
			if string(x)+string(y) != want || err1 != nil || err2 != nil {
				t.Errorf("two readers give %s%s, %v, %v, want %s", x, y, err1, err2, want)
			}
		}
	}},
}
