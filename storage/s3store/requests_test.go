package s3store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/gowren/gowren/internal/servers"
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/s3store"
)

// TestRequests holds what operations cost.
func TestRequests(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	keys := make([]string, 2001)
	for i := range keys {
		keys[i] = fmt.Sprint("gone/", i)
	}
	size := int64(0)
	whole := func(b storage.Bucket) error {
		_, err := get(ctx, b, "k")
		return err
	}
	for name, c := range map[string]struct {
		size int
		do   func(b storage.Bucket) error
		want string // without what is zero
	}{
		"put": {0, func(b storage.Bucket) error { return b.Put(ctx, "k", strings.NewReader("data")) }, "put 1, up 4"},
		"put large": {0, func(b storage.Bucket) error {
			return b.Put(ctx, "k", io.LimitReader(zeros{}, long))
		}, "put 5, up 16789561"},
		"putnew": {0, func(b storage.Bucket) error {
			return b.PutNew(ctx, "new", strings.NewReader("data"))
		}, "put 1, up 4"},
		"putnew large": {0, func(b storage.Bucket) error {
			return b.PutNew(ctx, "new", io.LimitReader(zeros{}, long))
		}, "stat 1, put 5, up 16789561"},
		"putnew taken": {0, func(b storage.Bucket) error {
			if err := b.PutNew(ctx, "k", io.LimitReader(zeros{}, long)); !errors.Is(err, fs.ErrExist) {
				return err
			}
			return nil
		}, "stat 1"},
		"put empty": {0, func(b storage.Bucket) error { return b.Put(ctx, "k", strings.NewReader("")) }, "put 1"},
		"put a part": {0, func(b storage.Bucket) error {
			return b.Put(ctx, "k", io.LimitReader(zeros{}, s3store.PartSize))
		}, "put 1, up 8388608"},
		"get":          {short, whole, "get 1, down 5000"},
		"get a part":   {s3store.PartSize, whole, "get 1, down 8388608"},
		"get large":    {long, whole, "get 3, stat 1, down 16789561"},
		"get nothing":  {short, func(b storage.Bucket) error { return ranged(b, size, 0) }, "stat 1"},
		"get the end":  {long, func(b storage.Bucket) error { return ranged(b, long-100, -1) }, "get 1, down 100"},
		"get a range":  {long, func(b storage.Bucket) error { return ranged(b, 9, s3store.PartSize) }, "get 1, down 8388608"},
		"get a longer": {long, func(b storage.Bucket) error { return ranged(b, 9, s3store.PartSize+1) }, "get 2, down 8388609"},
		"get past":     {long, func(b storage.Bucket) error { return ranged(b, long, 5) }, "get 1"},
		"stat": {short, func(b storage.Bucket) error {
			_, err := b.Stat(ctx, "k")
			return err
		}, "stat 1"},
		"list": {short, func(b storage.Bucket) error {
			for _, err := range b.List(ctx, "") {
				return err
			}
			return errors.New("nothing")
		}, "list 1"},
		"delete":  {short, func(b storage.Bucket) error { return b.Delete(ctx, "k") }, "delete 1"},
		"deletes": {short, func(b storage.Bucket) error { return b.Delete(ctx, keys...) }, "delete 3"},
		"refused": {0, func(b storage.Bucket) error {
			if err := b.Put(ctx, "../k", strings.NewReader("data")); !errors.Is(err, fs.ErrInvalid) {
				return err
			}
			return nil
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, rawURL := newBucket(t, server(t), servers.S3(t).Endpoint)
			if err := open(t, rawURL).Put(ctx, "k", strings.NewReader(text(c.size))); err != nil {
				t.Fatal(err)
			}
			b := open(t, rawURL)
			if err := c.do(b); err != nil {
				t.Fatal(err)
			}
			s := stats(b)
			var got []string
			for kind, name := range []string{"get", "stat", "put", "list", "delete"} {
				if n := s.Requests[kind]; n > 0 {
					got = append(got, fmt.Sprint(name, " ", n))
				}
			}
			if s.Sent > 0 {
				got = append(got, fmt.Sprint("up ", s.Sent))
			}
			if s.Received > 0 {
				got = append(got, fmt.Sprint("down ", s.Received))
			}
			if s.Retries > 0 {
				t.Errorf("%d retries", s.Retries)
			}
			if got := strings.Join(got, ", "); got != c.want {
				t.Errorf("it takes %s, want %s", got, c.want)
			}
		})
	}
}

func ranged(b storage.Bucket, off, n int64) error {
	r, err := b.Get(context.Background(), "k", off, n)
	if err != nil {
		return err
	}
	defer r.Close()
	_, err = io.Copy(io.Discard, r)
	return err
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestSizes stores and reads what is on the borders of parts, of known and of unknown length, whole and by ranges.
func TestSizes(t *testing.T) {
	t.Parallel()
	b := fresh(t)
	const part = s3store.PartSize
	data := text(3*part + 1)
	for _, size := range []int{0, 1, 16 << 10, 16<<10 + 1, part - 1, part, part + 1, 2 * part, 3*part + 1} {
		for _, data := range []io.Reader{strings.NewReader(data[:size]), io.MultiReader(strings.NewReader(data[:size]))} {
			if err := b.Put(t.Context(), "k", data); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := get(t.Context(), b, "k"); got != data[:size] || err != nil {
			t.Errorf("of %d bytes: %d, %v", size, len(got), err)
		}
		for _, c := range [][2]int64{{part - 1, 2}, {1, part}, {part, -1}, {5, 2*part + 9}, {2 * part, part}} {
			r, err := b.Get(t.Context(), "k", c[0], c[1])
			if err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(r)
			r.Close()
			from := min(int(c[0]), size)
			to := size
			if c[1] >= 0 {
				to = min(from+int(c[1]), size)
			}
			if err != nil || string(got) != data[from:to] {
				t.Errorf("of %d bytes, %v: %d bytes, %v", size, c, len(got), err)
			}
		}
	}
}

// TestWithoutMemory reads while other readers hold all the buffers: as the bytes come then. A checksum that fails is
// found at the end.
func TestWithoutMemory(t *testing.T) {
	p, flipped, b, _ := behind(t)
	want := text(long)
	if err := b.Put(t.Context(), "k", strings.NewReader(want)); err != nil {
		t.Fatal(err)
	}
	var holders []io.ReadCloser
	for range 20 {
		r, err := b.Get(t.Context(), "k", 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(r, make([]byte, 9)); err != nil {
			t.Fatal(err)
		}
		holders = append(holders, r)
	}
	if n := s3store.SparesInUse(); n != 16 {
		t.Errorf("%d buffers are in use", n)
	}
	if got, err := get(t.Context(), b, "k"); got != want || err != nil {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if err := b.Put(t.Context(), "l", bytes.NewReader([]byte(want))); err != nil {
		t.Error(err)
	}
	if err := b.Put(t.Context(), "m", strings.NewReader(want[:s3store.PartSize])); err != nil {
		t.Error(err)
	}
	p.Set(on("GET", "", 1, servers.Rule{Fault: servers.FlipAnswer, At: 54321}))
	if got, err := get(t.Context(), retried(flipped), "m"); !errors.Is(err, storage.ErrDamaged) {
		t.Errorf("a flipped byte: %d bytes, %v", len(got), err)
	}
	for _, r := range holders {
		rest, err := io.ReadAll(r)
		if string(rest) != want[9:] || err != nil {
			t.Errorf("%d bytes, %v", len(rest), err)
		}
	}
	for _, r := range holders {
		r.Close()
	}
	if n := s3store.SparesInUse(); n != 0 {
		t.Errorf("%d buffers are left", n)
	}
}
