package storagetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/gowren/gowren/storage"
)

// Options adapts [RunWith] to a bucket.
type Options struct {
	// Skip gives, for the name of a case that cannot hold, the reason. A name that is no case fails the test.
	Skip map[string]string
	// Keys is the number of objects of the listing case. Defaults to 2500, which is three pages of most stores.
	Keys int
	// Refused are those of the suite's good keys that the store cannot hold, and that its bucket refuses for that reason.
	Refused []string
}

// Large names the cases whose objects have several MiB. They take most of the time under the race detector. Run leaves
// them out of its second pass, since a prefix has no part in how bytes travel.
var Large = []string{
	"get/large object", "put/failing data", "put/atomic", "putnew/taken, large", "putnew/failing data",
	"putnew/one winner, large", "cancel/amid put", "cancel/amid get",
}

// Run tests a bucket against every promise of [storage.Bucket], and then once more under [storage.Prefix]. Each call of
// open returns an empty bucket that no other test uses, and that Run closes. The cases run in parallel.
func Run(t *testing.T, open func(t *testing.T) storage.Bucket) { RunWith(t, open, Options{}) }

// RunWith is [Run] with options.
func RunWith(t *testing.T, open func(t *testing.T) storage.Bucket, o Options) {
	if o.Keys == 0 {
		o.Keys = 2500
	}
	all := slices.Concat(getCases, putCases, putNewCases, listCases(o.Keys), deleteCases, keyCases(o.Refused), cancelCases, urlCases)
	for name := range o.Skip {
		if !slices.ContainsFunc(all, func(c testCase) bool { return c.name == name }) {
			t.Errorf("Skip names %q, which is no case", name)
		}
	}
	for _, key := range o.Refused {
		if !slices.Contains(goodKeys(), key) {
			t.Errorf("Refused has %q, which is no key of the suite", key)
		}
	}
	run := func(t *testing.T, cases []testCase, open func(t *testing.T) storage.Bucket) {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				t.Parallel()
				if why, skip := o.Skip[c.name]; skip {
					t.Skip(why)
				}
				c.run(t, open(t))
			})
		}
	}
	opened := func(t *testing.T) storage.Bucket {
		b := open(t)
		t.Cleanup(func() {
			if err := b.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
		return b
	}
	t.Run("bare", func(t *testing.T) { run(t, all, opened) })
	t.Run("prefix", func(t *testing.T) {
		small := slices.DeleteFunc(slices.Clone(all), func(c testCase) bool { return slices.Contains(Large, c.name) })
		run(t, small, func(t *testing.T) storage.Bucket {
			parent := opened(t)
			// A neighbour whose key begins like the prefix, which is to stay out of sight.
			put(t, parent, "under a préfix-not/x", "neighbour")
			return storage.Prefix(parent, "under a préfix")
		})
	})
}

// testCase is one promise.
type testCase struct {
	name string
	run  func(t *testing.T, b storage.Bucket)
}

func put(t *testing.T, b storage.Bucket, key, data string) {
	t.Helper()
	if err := b.Put(t.Context(), key, strings.NewReader(data)); err != nil {
		t.Fatalf("Put %q: %v", key, err)
	}
}

// read returns n bytes of the object from off on.
func read(ctx context.Context, b storage.Bucket, key string, off, n int64) (string, error) {
	r, err := b.Get(ctx, key, off, n)
	if err != nil {
		return "", err
	}
	data, err := io.ReadAll(r)
	if e := r.Close(); err == nil {
		err = e
	}
	return string(data), err
}

// wantObject compares an object with what it should be, in pieces, since there are large ones.
func wantObject(t *testing.T, b storage.Bucket, key, want string) {
	t.Helper()
	r, err := b.Get(t.Context(), key, 0, -1)
	if err != nil {
		t.Errorf("object %q: %v, want %s", key, err, brief(want))
		return
	}
	defer r.Close()
	buf := make([]byte, min(64<<10, len(want)+1))
	for at := 0; ; {
		n, err := io.ReadFull(r, buf)
		if !strings.HasPrefix(want[at:], string(buf[:n])) {
			t.Errorf("object %q differs from %s: it has %s after %d bytes", key, brief(want), brief(string(buf[:n])), at)
			return
		}
		at += n
		if err == nil {
			continue
		}
		if at < len(want) || err != io.EOF && err != io.ErrUnexpectedEOF {
			t.Errorf("object %q ends after %d bytes, %v, want %s", key, at, err, brief(want))
		}
		return
	}
}

// wantVersion checks that a reader still knows which version it has read, where it knew it at all.
func wantVersion(t *testing.T, r io.Reader, o storage.Object, when string) {
	t.Helper()
	if tagged, ok := r.(storage.Tagged); ok && tagged.ETag() != o.ETag {
		t.Errorf("the ETag of a reader that was %s is %q, Stat's was %q", when, tagged.ETag(), o.ETag)
	}
}

// wantNothing checks that no object is at key, by all means of asking.
func wantNothing(t *testing.T, b storage.Bucket, key string) {
	t.Helper()
	_, err := read(t.Context(), b, key, 0, -1)
	wantError(t, err, "", key, fs.ErrNotExist)
	_, err = b.Stat(t.Context(), key)
	wantError(t, err, "stat", key, fs.ErrNotExist)
	if slices.Contains(list(t, b, key), key) {
		t.Errorf("List yields %q, which is not there", key)
	}
}

// wantError checks the error's kind and what it names. An empty op stands for the error of a read, which need not be a
// [storage.Error] where it came from the reader.
func wantError(t *testing.T, err error, op, key string, kind error) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Errorf("%s %q: error %v, want %v", op, brief(key), err, kind)
		return
	}
	if op == "" {
		return
	}
	var e *storage.Error
	if !errors.As(err, &e) {
		t.Errorf("%s %q: error %v is no *storage.Error", op, brief(key), err)
	} else if e.Op != op || e.Key != key {
		t.Errorf("error names %s %q, want %s %q", e.Op, brief(e.Key), op, brief(key))
	}
}

// list returns the keys with the prefix.
func list(t *testing.T, b storage.Bucket, prefix string) []string {
	t.Helper()
	var keys []string
	for o, err := range b.List(t.Context(), prefix) {
		if err != nil {
			t.Fatalf("List %q: %v", prefix, err)
		}
		keys = append(keys, o.Key)
	}
	return keys
}

// brief keeps megabytes out of a test's output.
func brief(s string) string {
	if len(s) <= 60 {
		return fmt.Sprintf("%q", s)
	}
	return fmt.Sprintf("%q… (%d bytes)", s[:40], len(s))
}

// pattern returns n bytes, 20 MiB at most, of which each place shows where it is.
func pattern(n int) string { return pattern20MiB()[:n] }

var pattern20MiB = sync.OnceValue(func() string {
	data := make([]byte, 0, 20<<20+64)
	for i := int64(0); len(data) < 20<<20; i += 8 {
		data = append(strconv.AppendInt(data, i, 10), "...................,"...)
	}
	return string(data)
})
