package storagetest

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gowren/gowren/storage"
)

var putNewCases = []testCase{
	{"putnew/first", func(t *testing.T, b storage.Bucket) {
		if err := b.PutNew(t.Context(), "a/new", strings.NewReader("data")); err != nil {
			t.Fatal(err)
		}
		wantObject(t, b, "a/new", "data")
	}},
	{"putnew/taken", func(t *testing.T, b storage.Bucket) {
		put(t, b, "k", "old")
		for range 2 {
			err := b.PutNew(t.Context(), "k", strings.NewReader("new"))
			wantError(t, err, "putnew", "k", fs.ErrExist)
			wantObject(t, b, "k", "old")
		}
	}},
	{"putnew/taken, large", func(t *testing.T, b storage.Bucket) {
		put(t, b, "k", "old")
		err := b.PutNew(t.Context(), "k", strings.NewReader(pattern(9<<20)))
		wantError(t, err, "putnew", "k", fs.ErrExist)
		wantObject(t, b, "k", "old")
	}},
	{"putnew/empty object", func(t *testing.T, b storage.Bucket) {
		if err := b.PutNew(t.Context(), "k", strings.NewReader("")); err != nil {
			t.Fatal(err)
		}
		wantError(t, b.PutNew(t.Context(), "k", strings.NewReader("x")), "putnew", "k", fs.ErrExist)
		wantObject(t, b, "k", "")
	}},
	{"putnew/after delete", func(t *testing.T, b storage.Bucket) {
		put(t, b, "k", "old")
		if err := b.Delete(t.Context(), "k"); err != nil {
			t.Fatal(err)
		}
		if err := b.PutNew(t.Context(), "k", strings.NewReader("new")); err != nil {
			t.Fatal(err)
		}
		wantObject(t, b, "k", "new")
	}},
	{"putnew/failing data", func(t *testing.T, b storage.Bucket) { failingData(t, b, "putnew") }},
	{"putnew/one winner", func(t *testing.T, b storage.Bucket) { oneWinner(t, b, 64, 100) }},
	{"putnew/one winner, large", func(t *testing.T, b storage.Bucket) { oneWinner(t, b, 4, 6<<20) }},
}

// oneWinner has n goroutines commit different bytes under one key.
func oneWinner(t *testing.T, b storage.Bucket, n, size int) {
	var wg sync.WaitGroup
	var won atomic.Pointer[string]
	start := make(chan struct{})
	body := pattern(size)
	for i := range n {
		wg.Go(func() {
			data := fmt.Sprintf("writer %d ", i) + body
			<-start
			err := b.PutNew(t.Context(), "commit/k", strings.NewReader(data))
			switch {
			case err == nil && !won.CompareAndSwap(nil, &data):
				t.Error("two calls have won")
			case err != nil && !errors.Is(err, fs.ErrExist):
				t.Error(err)
			}
		})
	}
	close(start)
	wg.Wait()
	if won.Load() == nil {
		t.Fatal("no call has won")
	}
	wantObject(t, b, "commit/k", *won.Load())
}
