package leftover

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/gowren/gowren/storage/memstore"
	"github.com/gowren/gowren/storage/storagetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestDelete deletes what is told to go, of any number, also after ctx has ended.
func TestDelete(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 1000, 2001} {
		b := memstore.New()
		for i := range n {
			if err := b.Put(t.Context(), fmt.Sprintf("job/%05d", i), strings.NewReader("x")); err != nil {
				t.Fatal(err)
			}
		}
		for _, key := range []string{"job/kept", "other"} {
			if err := b.Put(t.Context(), key, strings.NewReader("x")); err != nil {
				t.Fatal(err)
			}
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := Delete(ctx, b, "job/", func(key string) bool { return key != "job/kept" }); err != nil {
			t.Fatal(err)
		}
		var keys []string
		for o, err := range b.List(t.Context(), "") {
			if err != nil {
				t.Fatal(err)
			}
			keys = append(keys, o.Key)
		}
		if !slices.Equal(keys, []string{"job/kept", "other"}) {
			t.Errorf("of %d: %v is left", n, keys)
		}
	}
}

// TestSilent: a store that does not answer is not waited for without end.
func TestSilent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		err := Delete(t.Context(), storagetest.Faults(memstore.New(), storagetest.Rule{Op: "list", Stall: true}), "", func(string) bool { return true })
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) != limit {
			t.Errorf("%v after %v", err, time.Since(begun))
		}
	})
}

// TestFaults: what cannot be listed or deleted is an error.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, op := range []string{"list", "delete"} {
		for _, n := range []int{1, 1000} {
			b, bad := memstore.New(), errors.New("torn")
			for i := range n {
				if err := b.Put(t.Context(), fmt.Sprintf("job/%05d", i), strings.NewReader("x")); err != nil {
					t.Fatal(err)
				}
			}
			faulty := storagetest.Faults(b, storagetest.Rule{Op: op, Before: bad})
			if err := Delete(t.Context(), faulty, "job/", func(string) bool { return true }); !errors.Is(err, bad) {
				t.Errorf("%s of %d: %v", op, n, err)
			}
		}
	}
}
