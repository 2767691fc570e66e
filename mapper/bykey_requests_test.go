package mapper_test

import (
	"context"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/storage"
)

// counted is a bucket that notes what it is asked.
type counted struct {
	storage.Bucket
	mu   sync.Mutex
	asks []request
}

type request struct {
	op, key string
	n       int64 // of a get
}

func (c *counted) note(op, key string, n int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asks = append(c.asks, request{op, key, n})
}

// count is how often it was asked, of keys that have the part.
func (c *counted) count(op, part string) (n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, a := range c.asks {
		if (op == "" || a.op == op) && strings.Contains(a.key, part) {
			n++
		}
	}
	return n
}

func (c *counted) Get(ctx context.Context, key string, off, n int64) (io.ReadCloser, error) {
	c.note("get", key, n)
	return c.Bucket.Get(ctx, key, off, n)
}

func (c *counted) Put(ctx context.Context, key string, data io.Reader) error {
	c.note("put", key, 0)
	return c.Bucket.Put(ctx, key, data)
}

func (c *counted) PutNew(ctx context.Context, key string, data io.Reader) error {
	c.note("putnew", key, 0)
	return c.Bucket.PutNew(ctx, key, data)
}

func (c *counted) Stat(ctx context.Context, key string) (storage.Object, error) {
	c.note("stat", key, 0)
	return c.Bucket.Stat(ctx, key)
}

func (c *counted) List(ctx context.Context, prefix string) iter.Seq2[storage.Object, error] {
	c.note("list", prefix, 0)
	return c.Bucket.List(ctx, prefix)
}

func (c *counted) Delete(ctx context.Context, keys ...string) error {
	c.note("delete", keys[0], 0)
	return c.Bucket.Delete(ctx, keys...)
}

// counting returns an executor and its bucket, which counts.
func counting(t *testing.T) (*mapper.Executor, *counted) {
	t.Helper()
	c := new(counted)
	ex := over(t, func(b storage.Bucket) storage.Bucket {
		c.Bucket = b
		return c
	})
	return ex, c
}

// TestByKeyRequests: M map tasks make M objects, however often their buffers were full, and R reduce tasks make M times R
// ranged reads of what was not. Nothing is listed before all is done.
func TestByKeyRequests(t *testing.T) {
	t.Parallel()
	const maps, reducers = 5, 3
	inputs := slices.Repeat([]int{1000}, maps) // some 300 KB each
	for _, buffer := range []int{0, 100 << 10} {
		ex, c := counting(t)
		if _, err := mapper.MapReduceByKey(t.Context(), ex.With(mapper.Options{Buffer: buffer}), faultEmit, faultReduce, inputs); err != nil {
			t.Fatal(err)
		}
		runs := 1
		if buffer > 0 {
			runs = 4 // 300 KB, and a little beside each record
		}
		if puts, gets := c.count("put", "/shuffle/"), c.count("get", "/shuffle/"); puts != maps || gets > runs*maps*reducers || gets < maps*reducers {
			t.Errorf("%d writes and %d reads", puts, gets)
		}
		for _, a := range c.asks {
			if a.op == "get" && a.n <= 0 {
				t.Errorf("%s is read to its end", a.key)
			}
		}
		// The sweep is all that comes besides.
		swept := []string{c.asks[len(c.asks)-2].op, c.asks[len(c.asks)-1].op}
		if n := c.count("", "") - c.count("put", "/shuffle/") - c.count("get", "/shuffle/"); n != 2 || !slices.Equal(swept, []string{"list", "delete"}) {
			t.Errorf("%d other requests; the last are %q", n, swept)
		}
	}
}

// TestSortRequests likewise.
func TestSortRequests(t *testing.T) {
	t.Parallel()
	const maps, reducers = 6, 4
	for _, kind := range []string{"uniform", "sorted", "much"} {
		ex, c := counting(t)
		url, _ := toBucket(t)
		if _, err := mapper.Sort(t.Context(), ex.With(mapper.Options{Partitions: reducers}), sortEmit, sortInputs(kind, maps, 700, 1000), url); err != nil {
			t.Fatal(err)
		}
		if puts, gets := c.count("put", "/shuffle/"), c.count("get", "/shuffle/"); puts != maps || gets > maps*reducers || gets < maps {
			t.Errorf("%s: %d writes and %d reads, want %d and at most %d", kind, puts, gets, maps, maps*reducers)
		}
	}
}

// TestByKeyInline: what is small travels with the tasks, and the bucket is not asked at all.
func TestByKeyInline(t *testing.T) {
	t.Parallel()
	ex, c := counting(t)
	got, err := mapper.MapReduceByKey(t.Context(), ex, faultEmit, faultReduce, slices.Repeat([]int{10}, 20))
	if err != nil || len(got) != faultKeys {
		t.Fatal(len(got), err)
	}
	if len(c.asks) > 0 {
		t.Error(fmt.Sprint("requests: ", c.asks))
	}
}
