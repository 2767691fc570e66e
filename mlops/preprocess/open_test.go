package preprocess

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"net/url"
	"strings"
	"testing"

	"github.com/gowren/gowren/mapper/mappertest"
	"github.com/gowren/gowren/mlops/dataset"
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/memstore"
	"github.com/gowren/gowren/storage/storagetest"
)

func init() {
	// A bucket in memory that refuses to store what was fitted.
	storage.Register("unfitted", func(_ context.Context, u *url.URL) (storage.Bucket, error) {
		b, err := memstore.Open(u.Host)
		return storagetest.Faults(storage.Prefix(b, strings.Trim(u.Path, "/")), storagetest.Rule{Op: "put", Key: "*/fitted.json", Before: fs.ErrPermission}), err
	})
}

// TestOpen: a set that Transform or Shuffle has written has what made its rows, and nothing that was in its place is changed.
func TestOpen(t *testing.T) {
	t.Parallel()
	ex := mappertest.New(t)
	src := csvOf(t, ex, "in", 50, rand.New(rand.NewPCG(7, 8)))
	f, err := Pipeline{Drop{Columns: []string{"word"}}, StandardScore{Columns: []string{"b"}}}.Fit(t.Context(), ex, src)
	if err != nil {
		t.Fatal(err)
	}
	f.KeepMissing = true
	place := ex.Bucket().URL() + "/out"
	if err := ex.Bucket().Put(t.Context(), "out/fitted.json", strings.NewReader("another's")); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), place); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no set: %v", err)
	}
	before := keysOf(t, ex.Bucket())
	torn := "unfitted" + strings.TrimPrefix(place, "mem")
	if _, err := f.Transform(t.Context(), ex, src, torn, TransformOptions{}); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("it could not be stored: %v", err)
	}
	if after := keysOf(t, ex.Bucket()); strings.Join(after, " ") != strings.Join(before, " ") {
		t.Errorf("the bucket had %q, and has %q", before, after)
	}
	if _, err := f.Transform(t.Context(), ex, src, place, TransformOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := Shuffle(t.Context(), ex, place, place+"/shuffled", ShuffleOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, at := range []string{place, place + "/shuffled"} {
		got, err := Open(t.Context(), at)
		if err != nil || textOf(t, got) != textOf(t, f) {
			t.Errorf("%s: %v", at, err)
		}
	}
	other := setOf(t, ex, "other", false, 9, 0)
	if _, err := Open(t.Context(), other); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "not written by Transform") {
		t.Errorf("another's: %v", err)
	}
	if _, err := Shuffle(t.Context(), ex, other, other+"/shuffled", ShuffleOptions{}); err != nil {
		t.Error(err)
	}
	if data, err := fetch(t.Context(), place, "fitted.json"); err != nil || string(data) != "another's" {
		t.Errorf("%q, %v", data, err)
	}
}

// TestOpenOther: what is no pipeline is named.
func TestOpenOther(t *testing.T) {
	t.Parallel()
	ex := mappertest.New(t)
	s := dataset.Schema{Columns: []dataset.Column{{Name: "a", Kind: dataset.Number}}}
	key := "job" + fittedName
	err := keep(t.Context(), ex.Bucket().URL(), key, []byte(`{"version":2}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := dataset.Commit(t.Context(), ex.Bucket().URL(), "job", s, nil, key); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), ex.Bucket().URL()); !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), "job/fitted.json") {
		t.Error(err)
	}
}
