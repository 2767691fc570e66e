package worker_test

import (
	"context"
	"crypto/rand"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gowren/gowren/internal/registry"
	"github.com/gowren/gowren/internal/worker"
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/memstore"
)

// TestSplitsShareABucket: the bucket that splits are read from stays open from task to task and request to request.
func TestSplitsShareABucket(t *testing.T) {
	var opened, closed atomic.Int64
	scheme := "once" + strings.ToLower(rand.Text())
	storage.Register(scheme, func(context.Context, *url.URL) (storage.Bucket, error) {
		opened.Add(1)
		b := memstore.New()
		return closing{b, &closed}, b.Put(context.Background(), "k", strings.NewReader("line\n"))
	})
	read := register("read a split", func(ctx context.Context, _ registry.Input) ([]byte, error) {
		for line, err := range storage.Lines(ctx, storage.Split{URL: scheme + "://b", Key: "k", Len: 5, Size: 5}) {
			return line, err
		}
		return nil, nil
	})
	w := worker.New(2, nil)
	for _, timeout := range []bool{false, true} { // which has contexts of another kind
		r := request(read, "", "", "", "")
		if timeout {
			r.Timeout = 1 << 40
		}
		if p := serve(t, w, r); len(p.results) != 4 || p.results[3] != "line" {
			t.Errorf("%+v", p)
		}
	}
	if opened.Load() != 1 || closed.Load() != 0 {
		t.Errorf("opened %d times, closed %d", opened.Load(), closed.Load())
	}
	w.Close()
	if closed.Load() != 1 {
		t.Error("the worker's end does not close it")
	}
}

type closing struct {
	*memstore.Bucket
	closed *atomic.Int64
}

func (b closing) Close() error {
	b.closed.Add(1)
	memstore.Delete(b.Name())
	return nil
}
