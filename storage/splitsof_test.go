package storage_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/memstore"
)

func TestSplitsOf(t *testing.T) {
	t.Parallel()
	a, b := put(t, []byte("12345678")), put(t, []byte("123"))
	urls := []string{b.URL(), a.URL() + "/k", b.URL() + "/*"}
	for range 60 { // more than at once
		urls = append(urls, a.URL())
	}
	splits, err := storage.SplitsOf(t.Context(), urls, 5)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range splits {
		got = append(got, fmt.Sprintf("%s %d+%d", s.URL, s.Off, s.Len))
	}
	want := []string{b.URL() + " 0+3", a.URL() + " 0+5", a.URL() + " 5+3", b.URL() + " 0+3"}
	for range 60 {
		want = append(want, a.URL()+" 0+5", a.URL()+" 5+3")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if splits, err := storage.SplitsOf(t.Context(), []string{a.URL(), b.URL() + "/gone", a.URL()}, 5); !errors.Is(err, fs.ErrNotExist) ||
		!strings.Contains(err.Error(), b.URL()+"/gone") || splits != nil {
		t.Errorf("a URL that matches nothing: %d splits, %v", len(splits), err)
	}
	if _, err := storage.SplitsOf(t.Context(), nil, 5); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("no URLs: %v", err)
	}
	if _, err := storage.SplitsOf(t.Context(), urls, -5); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("a negative size: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := storage.SplitsOf(ctx, urls, 5); !errors.Is(err, context.Canceled) {
		t.Errorf("a canceled context: %v", err)
	}
}

// TestSplitsOfPackedObjects mixes them with plain ones, and with such as only begin alike.
func TestSplitsOfPackedObjects(t *testing.T) {
	t.Parallel()
	b := memstore.New()
	defer memstore.Delete(b.Name())
	text := []byte(eights(100))
	var want []string
	for i := range 100 {
		key, data, compression := fmt.Sprintf("%03d", i), text, ""
		switch i % 5 {
		case 0, 1:
			compression = []string{"gzip", "zstd"}[i%5]
			data = packed(t, text)[compression]
		case 2:
			data = []byte("\x1f\x8b")
		case 3:
			data = nil
		}
		if err := b.Put(t.Context(), key, strings.NewReader(string(data))); err != nil {
			t.Fatal(err)
		}
		for off := 0; off < len(data); off += 500 {
			want = append(want, fmt.Sprintf("%s %d+%d %s", key, off, min(500, len(data)-off), compression))
			if compression != "" {
				want[len(want)-1] = fmt.Sprintf("%s %d+%d %s", key, 0, len(data), compression)
				break
			}
		}
	}
	var got []string
	for _, s := range splitsOf(t, b, 500) {
		got = append(got, fmt.Sprintf("%s %d+%d %s", s.Key, s.Off, s.Len, s.Compression))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// beforeGet is what the host of a watched:// URL asks for ahead of each Get, which has a number. Each opening is a bucket
// of its own, of 50 objects.
var beforeGet sync.Map // of func(b storage.Bucket, n int)

func init() {
	storage.Register("watched", func(_ context.Context, u *url.URL) (storage.Bucket, error) {
		b := memstore.New()
		for i := range 50 {
			if err := b.Put(context.Background(), fmt.Sprintf("%03d", i), strings.NewReader("first")); err != nil {
				return nil, err
			}
		}
		do, _ := beforeGet.Load(u.Host)
		return &watched{Bucket: b, do: do.(func(storage.Bucket, int))}, nil
	})
}

type watched struct {
	*memstore.Bucket
	do   func(b storage.Bucket, n int)
	gets atomic.Int64
}

func (w *watched) Get(ctx context.Context, key string, off, n int64) (io.ReadCloser, error) {
	w.do(w.Bucket, int(w.gets.Add(1)))
	return w.Bucket.Get(ctx, key, off, n)
}

func (w *watched) Close() error {
	memstore.Delete(w.Name())
	return nil
}

// TestSplitsAtOnce is that requests are under way at once, but not too many, however many URLs and objects there are.
func TestSplitsAtOnce(t *testing.T) {
	t.Parallel()
	var now, most atomic.Int64
	beforeGet.Store("at-once", func(storage.Bucket, int) {
		n := now.Add(1)
		defer now.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		time.Sleep(time.Millisecond)
	})
	urls := make([]string, 20)
	for i := range urls {
		urls[i] = "watched://at-once"
	}
	splits, err := storage.SplitsOf(t.Context(), urls, 0)
	if err != nil || len(splits) != 20*50 || most.Load() < 2 || most.Load() > 32 {
		t.Errorf("%d splits, %v, with %d requests at once", len(splits), err, most.Load())
	}
}

func TestSplitsOfChangingObjects(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		want   error
		change func(b storage.Bucket, n int)
	}{
		{storage.ErrChanged, func(b storage.Bucket, n int) {
			if n == 1 {
				for i := range 50 {
					_ = b.Put(t.Context(), fmt.Sprintf("%03d", i), strings.NewReader("again"))
				}
			}
		}},
		{fs.ErrNotExist, func(b storage.Bucket, n int) {
			if n == 20 {
				for i := range 50 {
					_ = b.Delete(t.Context(), fmt.Sprintf("%03d", i))
				}
			}
		}},
	} {
		beforeGet.Store("changing", c.change)
		splits, err := storage.Splits(t.Context(), "watched://changing", 0)
		if !errors.Is(err, c.want) || !errors.As(err, new(*storage.Error)) || splits != nil {
			t.Errorf("%d splits, %v, want %v", len(splits), err, c.want)
		}
	}
}
