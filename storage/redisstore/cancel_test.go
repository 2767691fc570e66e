package redisstore

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"testing"
)

// TestCanceledInOrder has what a caller does after a canceled operation come after it.
func TestCanceledInOrder(t *testing.T) {
	t.Parallel()
	b := whole(t)
	for i := range 300 {
		ctx, cancel := context.WithCancel(t.Context())
		begun := make(chan struct{})
		go func() {
			<-begun
			cancel()
		}()
		close(begun)
		err := b.Put(ctx, "k", strings.NewReader("canceled"))
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		put(t, b, "k", "next")
		for range 3 {
			if err := wantRead(t.Context(), b, "k", "next"); err != nil {
				t.Fatalf("round %d: %v", i, err)
			}
		}
		deleting, stop := context.WithCancel(t.Context())
		go stop()
		if err := b.Delete(deleting, "k"); err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if err := b.PutNew(t.Context(), "k", strings.NewReader("new")); err != nil && !errors.Is(err, fs.ErrExist) {
			t.Fatal(err)
		}
		if _, err := b.Stat(t.Context(), "k"); err != nil {
			t.Fatalf("round %d: a canceled Delete came late: %v", i, err)
		}
	}
}
