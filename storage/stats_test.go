package storage_test

import (
	"context"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"

	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/memstore"
)

// TestStats counts each kind of request, and bytes, through wrappers too.
func TestStats(t *testing.T) {
	t.Parallel()
	m := memstore.New()
	t.Cleanup(func() { memstore.Delete(m.Name()) })
	if _, ok := storage.StatsOf(storage.Prefix(m, "x")); ok {
		t.Error("a bucket that does not count has stats")
	}
	counted := storage.Count(m)
	if storage.Count(storage.Retry(counted, storage.RetryPolicy{})) == nil || storage.Count(counted) != counted {
		t.Error("what counts is counted again")
	}
	b := storage.Prefix(storage.Retry(counted, storage.RetryPolicy{}), "below")
	for i := range 1001 {
		if err := b.Put(t.Context(), fmt.Sprintf("k/%04d", i), strings.NewReader("abc")); err != nil {
			t.Fatal(err)
		}
	}
	before, ok := storage.StatsOf(b)
	if !ok || before.Requests[storage.KindPut] != 1001 || before.Sent != 3003 {
		t.Fatalf("%+v, %v", before, ok)
	}
	if err := b.PutNew(t.Context(), "new", strings.NewReader("abcd")); err != nil {
		t.Fatal(err)
	}
	r, err := b.Get(t.Context(), "k/0007", 1, -1)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := r.(storage.Tagged); !ok {
		t.Error("a counted reader does not know its version")
	}
	if data, err := io.ReadAll(r); err != nil || string(data) != "bc" {
		t.Fatal(data, err)
	}
	r.Close()
	if _, err := b.Stat(t.Context(), "new"); err != nil {
		t.Fatal(err)
	}
	for _, err := range b.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Delete(t.Context(), "new", "k/0000"); err != nil {
		t.Fatal(err)
	}
	after, _ := storage.StatsOf(b)
	got := after.Sub(before)
	want := storage.Stats{Sent: 4, Received: 2}
	want.Requests[storage.KindPut], want.Requests[storage.KindGet], want.Requests[storage.KindStat] = 1, 1, 1
	want.Requests[storage.KindList], want.Requests[storage.KindDelete] = 2, 1
	if got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// asked counts who wants to know a reader's version.
type asked struct {
	storage.Bucket
	n int
}

func (a *asked) Get(ctx context.Context, key string, off, n int64) (io.ReadCloser, error) {
	r, err := a.Bucket.Get(ctx, key, off, n)
	return &askedReader{r, a}, err
}

type askedReader struct {
	io.ReadCloser
	of *asked
}

func (r *askedReader) ETag() string {
	r.of.n++
	return r.ReadCloser.(storage.Tagged).ETag()
}

// TestCountAsksNothing: a reader that is counted makes its ETag for those alone who ask for it.
func TestCountAsksNothing(t *testing.T) {
	t.Parallel()
	b := &asked{Bucket: fresh(t)}
	if err := b.Put(t.Context(), "k", strings.NewReader("abc")); err != nil {
		t.Fatal(err)
	}
	want, err := b.Stat(t.Context(), "k")
	if err != nil {
		t.Fatal(err)
	}
	r, err := storage.Count(b).Get(t.Context(), "k", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(r); err != nil {
		t.Fatal(err)
	}
	r.Close()
	if b.n != 0 {
		t.Errorf("asked %d times", b.n)
	}
	if got := r.(storage.Tagged).ETag(); got != want.ETag || b.n != 1 {
		t.Errorf("%q, want %q; asked %d times", got, want.ETag, b.n)
	}
}

// TestCost: requests cost what the lists say, and nothing where nothing is charged.
func TestCost(t *testing.T) {
	t.Parallel()
	var s storage.Stats
	s.Requests[storage.KindPut], s.Requests[storage.KindGet], s.Requests[storage.KindDelete] = 1000, 10_000, 50
	for url, want := range map[string]float64{
		"s3://bucket/prefix?region=eu-west-1": 0.005 + 0.004,
		"gs://bucket":                         0.005 + 0.004,
		"az://account/container":              0.005 + 0.004,
		"file:///tmp":                         0,
		"redis://host/0":                      0,
		"no URL":                              0,
	} {
		if got := s.Cost(url); math.Abs(got-want) > 1e-9 {
			t.Errorf("%s: %v, want %v", url, got, want)
		}
	}
}
