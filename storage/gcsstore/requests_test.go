package gcsstore

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gowren/gowren/internal/servers"
	"github.com/gowren/gowren/storage"
)

// TestRequests holds what operations cost.
func TestRequests(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	b.part = smallPart
	ctx := t.Context()
	read := func(off, n int64) func() error {
		return func() error {
			r, err := b.Get(ctx, "large", off, n)
			if err != nil {
				return err
			}
			defer r.Close()
			_, err = io.Copy(io.Discard, r)
			return err
		}
	}
	put := func(key string, r io.Reader) func() error { return func() error { return b.Put(ctx, key, r) } }
	many := make([]string, 40)
	for i := range many {
		many[i] = fmt.Sprintf("many/%d", i)
	}
	for _, step := range []struct {
		name string
		do   func() error

		kind           storage.Kind
		n              int64
		sent, received int64
	}{
		{"put nothing", put("k", strings.NewReader("")), storage.KindPut, 1, 0, 0},
		{"put a step of memory", put("k", bytes.NewReader(data(headSize))), storage.KindPut, 1, headSize, 0},
		{"put just under a part", put("k", bytes.NewReader(data(smallPart-1))), storage.KindPut, 1, smallPart - 1, 0},
		{"stream just under a part", put("k", stream(data(smallPart-1))), storage.KindPut, 1, smallPart - 1, 0},
		{"put three parts", put("large", bytes.NewReader(data(large))), storage.KindPut, 4, large, 0},
		{"stream three parts", put("large", stream(data(large))), storage.KindPut, 4, large, 0},
		{"get all", read(0, -1), storage.KindGet, 3, 0, large},
		{"get a part", read(1000, smallPart), storage.KindGet, 1, 0, smallPart},
		{"get the end", read(large-5, -1), storage.KindGet, 1, 0, 5},
		{"get nothing", read(3, 0), storage.KindStat, 1, 0, 0},
		{"get past the end", read(large, -1), storage.KindGet, 1, 0, 0},
		{"stat", func() error { _, err := b.Stat(ctx, "k"); return err }, storage.KindStat, 1, 0, 0},
		{"delete", func() error { return b.Delete(ctx, many...) }, storage.KindDelete, 40, 0, 0},
		{"look at the beginning", func() error {
			r, err := b.Get(ctx, "large", 0, -1)
			if err != nil {
				return err
			}
			defer r.Close()
			_, err = io.ReadFull(r, make([]byte, 4096))
			return err
		}, storage.KindGet, 1, 0, -1},
	} {
		before := b.Stats()
		if err := step.do(); err != nil {
			t.Errorf("%s: %v", step.name, err)
		}
		got := b.Stats().Sub(before)
		want := storage.Stats{Sent: step.sent, Received: step.received}
		want.Requests[step.kind] = step.n
		if step.received < 0 { // how much of a body arrives before it is closed is left to chance
			got.Received, want.Received = 0, 0
		}
		if got != want {
			t.Errorf("%s: %+v, want %+v", step.name, got, want)
		}
	}
	if through, ok := storage.StatsOf(storage.OwnedPrefix(retried(b), "x")); !ok || through != b.Stats() {
		t.Errorf("through wrappers: %+v, %v", through, ok)
	}
}

// asked is the number of requests of a kind.
func asked(b *Bucket, k storage.Kind) int64 { return b.Stats().Requests[k] }

// TestKeys has keys refused before anything is sent.
func TestKeys(t *testing.T) {
	t.Parallel()
	b := openAt(t, "http://127.0.0.1:1", "bucket")
	under := storage.Prefix(b, strings.Repeat("p", 100))
	for _, c := range []struct {
		b   storage.Bucket
		key string
	}{
		{b, ".well-known/acme-challenge/x"}, {b, "."}, {b, ".."}, {b, "a\rb"}, {b, "a\nb"}, {b, strings.Repeat("x", 1025)},
		{under, strings.Repeat("x", 1000)}, {storage.Prefix(b, ".well-known/acme-challenge"), "x"},
	} {
		_, err := c.b.Get(t.Context(), c.key, 0, -1)
		_, err2 := c.b.Stat(t.Context(), c.key)
		for _, err := range []error{
			err, err2, c.b.Put(t.Context(), c.key, strings.NewReader("")), c.b.PutNew(t.Context(), c.key, strings.NewReader("")),
			c.b.Delete(t.Context(), "good", c.key),
		} {
			if !errors.Is(err, fs.ErrInvalid) {
				t.Errorf("%.40q: %v", c.key, err)
			}
		}
	}
	if n := b.Stats(); n != (storage.Stats{}) {
		t.Errorf("sent: %+v", n)
	}
}

// TestForeignObjects has objects that other programs have made: with a name that is no key, and compressed.
func TestForeignObjects(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	if _, err := z.Write(data(300_000)); err != nil || z.Close() != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"logs/packed": packed.Bytes(), "logs/../x": []byte("x"), "logs//": []byte("y")} {
		w := b.handle.Object(name).NewWriter(t.Context())
		if name == "logs/packed" {
			w.ContentEncoding, w.ContentType = "gzip", "text/plain"
		}
		if _, err := w.Write(content); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
	var keys []string
	for o, err := range storage.Prefix(b, "logs").List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, o.Key)
	}
	if !slices.Equal(keys, []string{"../x", "/", "packed"}) { // what is there is seen, valid or not
		t.Errorf("listed: %q", keys)
	}
	wantBytes(t, b, "logs/packed", packed.Bytes())
	r, err := b.Get(t.Context(), "logs/packed", 100, 50)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, packed.Bytes()[100:150]) {
		t.Errorf("a range: %d bytes, %v", len(got), err)
	}
	if err := b.handle.Object("logs/../x").Delete(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestDeleteFailures has the service refuse some of many keys.
func TestDeleteFailures(t *testing.T) {
	t.Parallel()
	b, direct, p := proxied(t)
	keys := make([]string, 60)
	for i := range keys {
		keys[i] = fmt.Sprintf("d/%02d", i)
		if err := direct.Put(t.Context(), keys[i], strings.NewReader("x")); err != nil {
			t.Fatal(err)
		}
	}
	p.Set(servers.Rule{Method: "DELETE", URL: regexp.MustCompile(`d%2F[3]7|d/37`), Fault: servers.Answer, Status: 403})
	err := b.Delete(t.Context(), keys...)
	var e *storage.Error
	if !errors.As(err, &e) || e.Key != "d/37" || !errors.Is(err, fs.ErrPermission) {
		t.Errorf("one: %v", err)
	}
	if got := left(t, direct); !slices.Equal(got, []string{"d/37"}) {
		t.Errorf("left: %q", got)
	}
	p.Set(servers.Rule{Method: "DELETE", Fault: servers.Answer, Status: 403})
	before := asked(b, storage.KindDelete)
	err = b.Delete(t.Context(), keys...)
	if !errors.As(err, &e) || !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "more") {
		t.Errorf("all: %v", err)
	}
	if n := asked(b, storage.KindDelete) - before; n < enough || n > enough+deletes {
		t.Errorf("%d requests of 60 before it gave up", n)
	}
}

func left(t *testing.T, b storage.Bucket) (keys []string) {
	for o, err := range b.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, o.Key)
	}
	return keys
}
