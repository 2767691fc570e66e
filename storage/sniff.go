package storage

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"sync"
)

// requests is how many requests are under way at once when many objects are looked at.
const requests = 32

// magic are the first bytes of the compressed formats: gzip's two, and a third that names the one method it has.
var magic = []struct{ name, bytes string }{
	{"gzip", "\x1f\x8b\x08"},
	{"zstd", "\x28\xb5\x2f\xfd"},
}

// sniff tells from an object's first bytes how it is compressed. gate holds as many requests as may be under way.
func sniff(ctx context.Context, b Bucket, o Object, gate chan struct{}) (string, error) {
	if o.Size == 0 {
		return "", nil
	}
	select {
	case gate <- struct{}{}:
		defer func() { <-gate }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	r, err := b.Get(ctx, o.Key, 0, 4)
	if err != nil {
		return "", err
	}
	defer r.Close()
	head, err := io.ReadAll(io.LimitReader(r, 4))
	if tag := tagOf(r); err == nil && o.ETag != "" && tag != "" && tag != o.ETag {
		err = fmt.Errorf("%w since it was listed: its ETag was %s and is %s", ErrChanged, o.ETag, tag)
	}
	if err != nil {
		return "", wrap("get", b.URL(), o.Key, err)
	}
	for _, m := range magic {
		if bytes.HasPrefix(head, []byte(m.bytes)) {
			return m.name, nil
		}
	}
	return "", nil
}

// atOnce calls do for each i below n, for several at once. It returns the first error, after which it begins no more.
func atOnce(ctx context.Context, n int, do func(ctx context.Context, i int) error) error {
	caller := ctx
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var first error
	var once sync.Once
	var wg sync.WaitGroup
	next := make(chan int)
	for range min(n, requests) {
		wg.Go(func() {
			for i := range next {
				if ctx.Err() != nil {
					continue
				}
				if err := do(ctx, i); err != nil {
					once.Do(func() { first = err })
					cancel()
				}
			}
		})
	}
	for i := range n {
		next <- i
	}
	close(next)
	wg.Wait()
	if first == nil {
		return caller.Err()
	}
	return first
}
