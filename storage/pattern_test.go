package storage_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/filestore"
	"github.com/gowren/gowren/storage/memstore"
)

func TestPatterns(t *testing.T) {
	t.Parallel()
	files, err := filestore.Open(filepath.Join(t.TempDir(), "a*dir"))
	if err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	m := memstore.New()
	defer memstore.Delete(m.Name())
	for _, b := range []storage.Bucket{files, m} {
		for _, key := range []string{
			"in/a.csv", "in/b.csv", "in/b.txt", "in/c/a.csv", "in/c/d/a.csv", "in/c/d/e.csv", "in/star*.csv", "in/[x].csv", "in/w hat?.csv",
			"in/ä.csv", `in/back\slash.csv`, "log-1/x/y", "log-2/x/y", "log-2/z", "top.csv",
		} {
			if err := b.Put(t.Context(), key, strings.NewReader("x")); err != nil {
				t.Fatal(err)
			}
		}
		for pattern, want := range map[string][]string{
			"in/*.txt":             {"in/b.txt"},
			"in/[ab].csv":          {"in/a.csv", "in/b.csv"},
			"in/[^a-z].csv":        {"in/ä.csv"},
			"in/*/a.csv":           {"in/c/a.csv"},
			"in/**/a.csv":          {"in/a.csv", "in/c/a.csv", "in/c/d/a.csv"},
			"in/c/**":              {"in/c/a.csv", "in/c/d/a.csv", "in/c/d/e.csv"},
			"**/d/**/*.csv":        {"in/c/d/a.csv", "in/c/d/e.csv"},
			"**/c/**/a.csv":        {"in/c/a.csv", "in/c/d/a.csv"},
			"**/**/z":              {"log-2/z"},
			"*.csv":                {"top.csv"},
			"in/star%2A.csv":       {"in/star*.csv"},
			"in/%5Bx%5D.csv":       {"in/[x].csv"},
			"in/s*%2A.csv":         {"in/star*.csv"},
			"in/[%5B]x*":           {"in/[x].csv"},
			"in/w%20hat%3F*":       {"in/w hat?.csv"},
			"in/w hat*":            {"in/w hat?.csv"},
			"in/%C3%A4*":           {"in/ä.csv"},
			"in/ä*":                {"in/ä.csv"},
			`in/back%5Cslash*`:     {`in/back\slash.csv`},
			`in/back\slash*`:       {`in/back\slash.csv`},
			"log-*/":               {"log-1/x/y", "log-2/x/y", "log-2/z"},
			"log-*/**":             {"log-1/x/y", "log-2/x/y", "log-2/z"},
			"log-*/*":              {"log-2/z"},
			"log-[2-9]/x/y":        {"log-2/x/y"},
			"*/x/*":                {"log-1/x/y", "log-2/x/y"},
			"log-2":                {"log-2/x/y", "log-2/z"},
			"**/[d]/[^a-d]*.c[s]v": {"in/c/d/e.csv"},
		} {
			splits, err := storage.Splits(t.Context(), b.URL()+"/"+pattern, 0)
			if err != nil {
				t.Errorf("%s: %v", pattern, err)
				continue
			}
			var got []string
			for _, s := range splits {
				folder := strings.Trim(strings.TrimPrefix(s.URL, b.URL()), "/")
				got = append(got, strings.TrimPrefix(folder+"/"+s.Key, "/"))
				if lines, err := collect([]storage.Split{s}, readers(t)["lines"]); err != nil || len(lines) != 1 {
					t.Errorf("%s: the split %+v has %d lines, %v", pattern, s, len(lines), err)
				}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", pattern, diff)
			}
		}
		for _, pattern := range []string{"*.no", "in/*/no", "no/*", "in/**/no", "log-*", "no-*/"} {
			_, err := storage.Splits(t.Context(), b.URL()+"/"+pattern, 0)
			if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(fmt.Sprint(err), pattern) {
				t.Errorf("%s, which nothing matches: %v", pattern, err)
			}
		}
		for _, pattern := range []string{"[", "in/[a", "in/*/[]", "x/[a-]*", "*[%5D"} {
			_, err := storage.Splits(t.Context(), b.URL()+"/"+pattern, 0)
			if !errors.Is(err, fs.ErrInvalid) || !strings.Contains(fmt.Sprint(err), pattern) {
				t.Errorf("the malformed pattern %s: %v", pattern, err)
			}
		}
	}
}

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

// shaky opens buckets in which objects change, or go, between the listing and the look at their first bytes.
var shaky atomic.Pointer[func(b storage.Bucket, n int)]

func init() {
	storage.Register("shaky", func(context.Context, *url.URL) (storage.Bucket, error) {
		b := memstore.New()
		for i := range 50 {
			if err := b.Put(context.Background(), fmt.Sprintf("%03d", i), strings.NewReader("first")); err != nil {
				return nil, err
			}
		}
		var gets atomic.Int64
		return &changing{b, &gets}, nil
	})
}

type changing struct {
	*memstore.Bucket
	gets *atomic.Int64
}

func (c *changing) Get(ctx context.Context, key string, off, n int64) (io.ReadCloser, error) {
	(*shaky.Load())(c.Bucket, int(c.gets.Add(1)))
	return c.Bucket.Get(ctx, key, off, n)
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
		shaky.Store(&c.change)
		splits, err := storage.Splits(t.Context(), "shaky://x", 0)
		if !errors.Is(err, c.want) || !errors.As(err, new(*storage.Error)) || splits != nil {
			t.Errorf("%d splits, %v, want %v", len(splits), err, c.want)
		}
	}
}
