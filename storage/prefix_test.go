package storage_test

import (
	"errors"
	"io/fs"
	"net/url"
	"strings"
	"testing"

	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/memstore"
)

func TestPrefixEdges(t *testing.T) {
	t.Parallel()
	parent := memstore.New()
	if storage.Prefix(parent, "") != storage.Bucket(parent) {
		t.Error("an empty prefix gives another bucket")
	}
	b := storage.Prefix(storage.Prefix(parent, "a"), "b/")
	if err := b.Put(t.Context(), "k", strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := parent.Stat(t.Context(), "a/b/k"); err != nil {
		t.Error(err)
	}
	if u := b.(interface{ Unwrap() storage.Bucket }).Unwrap().URL(); u != parent.URL()+"/a" {
		t.Errorf("Unwrap gives %s", u)
	}
	if err := b.Put(t.Context(), "../escape", strings.NewReader("x")); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("an escape from the prefix: %v", err)
	}
	for _, prefix := range []string{"/x", "..", "a/../../b"} {
		if err := storage.Prefix(parent, prefix).Put(t.Context(), "k", strings.NewReader("")); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("Put under the prefix %q: %v", prefix, err)
		}
	}
	if err := parent.Put(t.Context(), "m/", strings.NewReader("")); err != nil { // a folder marker
		t.Fatal(err)
	}
	for o, err := range storage.Prefix(parent, "m").List(t.Context(), "") {
		t.Errorf("a folder marker is listed as %q, %v", o.Key, err)
	}
}

// elsewhere is a bucket with a URL of its own.
type elsewhere struct {
	storage.Bucket
	url string
}

func (e elsewhere) URL() string { return e.url }

func TestPrefixURL(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ parent, prefix, want string }{
		{"s3://b?region=eu", "x", "s3://b/x?region=eu"},
		{"s3://b/p/?region=eu&z=1", "x/y z", "s3://b/p/x/y%20z?region=eu&z=1"},
		{"s3://b/a%20b", "50%", "s3://b/a%20b/50%25"},
		{"file:///", "x", "file:///x"},
	} {
		got := storage.Prefix(elsewhere{memstore.New(), c.parent}, c.prefix).URL()
		if got != c.want {
			t.Errorf("Prefix of %s and %s: %s, want %s", c.parent, c.prefix, got, c.want)
		}
		if _, err := url.Parse(got); err != nil {
			t.Error(err)
		}
	}
}

// closed counts how often a bucket was closed.
type closed struct {
	storage.Bucket
	n int
}

func (c *closed) Close() error { c.n++; return c.Bucket.Close() }

// TestOwnedPrefix: what opened a bucket for one prefix closes it; a Prefix of it does not.
func TestOwnedPrefix(t *testing.T) {
	t.Parallel()
	for _, prefix := range []string{"", "a", "a/b/"} {
		c := &closed{Bucket: fresh(t)}
		b := storage.OwnedPrefix(c, prefix)
		if err := storage.Prefix(b, "x").Close(); err != nil || c.n != 0 {
			t.Errorf("%q: a part of it closes it: %v", prefix, err)
		}
		if err := b.Close(); err != nil || c.n != 1 {
			t.Errorf("%q: closed %d times: %v", prefix, c.n, err)
		}
	}
}
