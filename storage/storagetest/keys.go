package storagetest

import (
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/gowren/gowren/storage"
)

// keyCases are about which keys there are; a store cannot hold the refused ones.
func keyCases(refused []string) []testCase {
	good := func() []string {
		return slices.DeleteFunc(goodKeys(), func(key string) bool { return slices.Contains(refused, key) })
	}
	return []testCase{
		{"keys/good", func(t *testing.T, b storage.Bucket) {
			for _, key := range good() {
				put(t, b, key, key)
				wantObject(t, b, key, key)
				if o, err := b.Stat(t.Context(), key); err != nil || o.Key != key {
					t.Errorf("Stat %q: %+v, %v", key, o, err)
				}
				if got := list(t, b, key); !slices.Contains(got, key) {
					t.Errorf("List %q: %q", key, got)
				}
				if err := b.PutNew(t.Context(), key, strings.NewReader("")); err == nil {
					t.Errorf("PutNew %q: the key was free", key)
				}
				if err := b.Delete(t.Context(), key); err != nil {
					t.Errorf("Delete %q: %v", key, err)
				}
				wantNothing(t, b, key)
			}
		}},
		{"keys/good, together", func(t *testing.T, b storage.Bucket) {
			keys := good()
			for _, key := range keys {
				put(t, b, key, key)
			}
			for _, key := range keys {
				wantObject(t, b, key, key)
			}
			slices.Sort(keys)
			if got := list(t, b, ""); !slices.Equal(got, keys) {
				t.Errorf("List:\n got %q\nwant %q", got, keys)
			}
			if err := b.Delete(t.Context(), keys...); err != nil {
				t.Fatal(err)
			}
			if got := list(t, b, ""); len(got) > 0 {
				t.Errorf("left: %q", got)
			}
		}},
		{"keys/refused", func(t *testing.T, b storage.Bucket) {
			keys := []string{
				"", ".", "..", "../x", "/x", "/", "a/../b", "a/..", "a/./b", "./a", "nul\x00", "line\nbreak", "bell\a", "del\x7f",
				"half \xc3", "\xff\xfe", strings.Repeat("x/", storage.MaxKey/2) + "x",
			}
			for _, key := range append(keys, refused...) {
				ctx := t.Context()
				_, err := b.Get(ctx, key, 0, -1)
				wantError(t, err, "get", key, fs.ErrInvalid)
				_, err = b.Stat(ctx, key)
				wantError(t, err, "stat", key, fs.ErrInvalid)
				wantError(t, b.Put(ctx, key, strings.NewReader("x")), "put", key, fs.ErrInvalid)
				wantError(t, b.PutNew(ctx, key, strings.NewReader("x")), "putnew", key, fs.ErrInvalid)
				put(t, b, "stays", "x")
				wantError(t, b.Delete(ctx, "stays", key), "delete", key, fs.ErrInvalid)
				wantObject(t, b, "stays", "x")
			}
		}},
		{"keys/a negative offset is refused", func(t *testing.T, b storage.Bucket) {
			put(t, b, "k", "data")
			_, err := b.Get(t.Context(), "k", -1, 2)
			wantError(t, err, "get", "k", fs.ErrInvalid)
		}},
	}
}

// goodKeys holds what quoting in URLs, headers, XML and file systems commonly gets wrong.
func goodKeys() []string {
	long := strings.Repeat(strings.Repeat("s", 199)+"/", 4) // 800 bytes
	return []string{
		"a b", " leading and trailing ", "ünï/cödé", "日本語/キー", "emoji 🐦", "per%cent", "per%20cent", "%", "%2F", "%2e%2e/x",
		"plus+plus", "question?x=y", "hash#tag", "amp&er", "semi;colon", "eq=ual", "com,ma", "colon:colon", "at@sign",
		"single'quote", `double"quote`, `back\slash`, `..\x`, "<angle>", "{brace}", "[bracket]", "pipe|", "caret^", "tick`", "tilde~",
		"dollar$", "star*", "excl!", "(paren)", "dot.", ".hidden", "..twodots", "...", "a/...b/c", "-dash", "e\u0301 combining",
		"\u00a0nbsp", "x/" + long + strings.Repeat("e", 198), // 1,000 bytes with room for the prefix of the second pass
	}
}
