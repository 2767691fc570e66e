package storagetest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gowren/gowren/storage"
)

func listCases(keys int) []testCase {
	return []testCase{
		{"list/empty", func(t *testing.T, b storage.Bucket) {
			for _, prefix := range []string{"", "a", "a/", "a/b/c", "/", "../", "a//", "é"} {
				if got := list(t, b, prefix); len(got) > 0 {
					t.Errorf("List %q of an empty bucket: %q", prefix, got)
				}
			}
		}},
		{"list/after write and delete", func(t *testing.T, b storage.Bucket) {
			wantList := func(want ...string) {
				t.Helper()
				if got := list(t, b, ""); !slices.Equal(got, want) {
					t.Errorf("List: %q, want %q", got, want)
				}
			}
			put(t, b, "x/1", "a")
			wantList("x/1")
			put(t, b, "x/0", "b")
			wantList("x/0", "x/1")
			if err := b.Delete(t.Context(), "x/1"); err != nil {
				t.Fatal(err)
			}
			wantList("x/0")
		}},
		{"list/describes", func(t *testing.T, b storage.Bucket) {
			put(t, b, "a/b", "12345")
			for o, err := range b.List(t.Context(), "a") {
				s, e := b.Stat(t.Context(), "a/b")
				if err != nil || e != nil {
					t.Fatal(err, e)
				}
				if o.Key != s.Key || o.Size != 5 || s.Size != 5 || o.ETag != s.ETag || o.Modified.IsZero() {
					t.Errorf("List says %+v, Stat %+v", o, s)
				}
			}
		}},
		{"list/order and prefixes", orderAndPrefixes},
		{"list/many", func(t *testing.T, b storage.Bucket) { manyKeys(t, b, keys) }},
		{"list/stops when asked", func(t *testing.T, b storage.Bucket) {
			for _, key := range []string{"a/1", "a/2", "b/1", "c"} {
				put(t, b, key, "x")
			}
			for stop := 1; stop <= 4; stop++ {
				n := 0
				for _, err := range b.List(t.Context(), "") {
					if err != nil {
						t.Fatal(err)
					}
					if n++; n == stop {
						break
					}
				}
				if n != stop {
					t.Errorf("%d objects, want %d", n, stop)
				}
			}
		}},
		{"list/deleting what is listed", func(t *testing.T, b storage.Bucket) {
			for i := range 50 {
				put(t, b, fmt.Sprintf("d%d/k", i), "x")
			}
			n := 0
			for o, err := range b.List(t.Context(), "") {
				if err == nil {
					err = b.Delete(t.Context(), o.Key)
				}
				if err != nil {
					t.Fatal(err)
				}
				n++
			}
			if left := list(t, b, ""); n != 50 || len(left) > 0 {
				t.Errorf("%d objects listed, want 50; left: %q", n, left)
			}
		}},
	}
}

func orderAndPrefixes(t *testing.T, b storage.Bucket) {
	// Byte order of whole keys: what lies in the folder "a" comes after "a-b" and before "a0".
	keys := []string{
		"!", "A/b", "a b", "a+b", "a-b", "a-b.txt", "a.b/c", "a/b", "a/b-c/d", "a/c/x", "a/c/y", "a/é", "a0/b", "aa",
		"b/c/d/e/f", "b/c/d/e0", "z", "~", "é/x", "日本",
	}
	shuffled := slices.Clone(keys)
	for i := range shuffled {
		j := i * 7 % len(shuffled)
		shuffled[i], shuffled[j] = shuffled[j], shuffled[i]
	}
	for _, key := range shuffled {
		put(t, b, key, key)
	}
	if !slices.IsSorted(keys) {
		t.Fatal("the test's keys are not in order")
	}
	for _, prefix := range []string{
		"", "a", "a/", "a-", "a/b", "a/b-", "a/c", "a/c/", "a/c/x", "a/c/xx", "a/é", "A", "b/c/d/e", "b/c/d/e/", "é", "nothing", "a//",
	} {
		var want []string
		for _, key := range keys {
			if strings.HasPrefix(key, prefix) {
				want = append(want, key)
			}
		}
		if got := list(t, b, prefix); !slices.Equal(got, want) {
			t.Errorf("List %q:\n got %q\nwant %q", prefix, got, want)
		}
	}
}

func manyKeys(t *testing.T, b storage.Bucket, n int) {
	want := make([]string, n)
	for i := range want {
		want[i] = fmt.Sprintf("m/%d/%d", i%7, i)
	}
	var wg sync.WaitGroup
	for w := range 16 {
		wg.Go(func() {
			for i := w; i < n; i += 16 {
				if err := b.Put(t.Context(), want[i], strings.NewReader("x")); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	slices.Sort(want)
	if got := list(t, b, ""); !slices.Equal(got, want) {
		t.Fatalf("%d keys, want %d, all in order", len(got), n)
	}
	for chunk := range slices.Chunk(want, 1500) { // more than one request's worth, where requests have a limit
		if err := b.Delete(t.Context(), chunk...); err != nil {
			t.Fatal(err)
		}
	}
	if got := list(t, b, ""); len(got) > 0 {
		t.Errorf("%d keys are left after Delete", len(got))
	}
}
