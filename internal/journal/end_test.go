package journal

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/memstore"
	"github.com/gowren/gowren/storage/storagetest"
)

// hanging returns a bucket that never answers where an object of results is to be written.
func hanging(b storage.Bucket) storage.Bucket {
	return storagetest.Faults(b, storagetest.Rule{Op: "putnew", Key: "resume/*/1-*/*", Stall: true})
}

// TestHangingStore: who wants to end is not kept waiting by a store that does not answer, and is told what was not kept.
func TestHangingStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		stopped := errors.New("stopped")
		ctx, cancel := context.WithCancelCause(t.Context())
		j := begin(t, hanging(memstore.New()), "n")
		began := time.Now()
		time.AfterFunc(time.Minute, func() { cancel(stopped) })
		var err error
		n := 0
		for ; err == nil; n++ {
			err = j.Record(ctx, id(n), make([]byte, 3<<20))
		}
		if took := time.Since(began); !errors.Is(err, stopped) || took != time.Minute {
			t.Errorf("%v after %v", err, took)
		}
		err = j.Flush(ctx)
		if took := time.Since(began); err == nil || !strings.Contains(err.Error(), "mem://") || took != time.Minute+patience {
			t.Errorf("%v after %v", err, took)
		}
		if again := j.Flush(t.Context()); again == nil || again.Error() != err.Error() {
			t.Error(again)
		}
		if again := j.Close(); again == nil || again.Error() != err.Error() {
			t.Error(again)
		}

		j = begin(t, hanging(memstore.New()), "n")
		record(t, j, 0, 3)
		began = time.Now()
		err = j.Close()
		if took := time.Since(began); err == nil || !strings.Contains(err.Error(), "3 results") || took != patience {
			t.Errorf("%v after %v", err, took)
		}
	})
}

// TestForgotten: a run that was forgotten while it was under way fails, and is nobody else's trouble.
func TestForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := memstore.New()
		do := func(j *Journal, from, to int) error {
			record(t, j, from, to)
			return j.Flush(t.Context())
		}
		old, other := begin(t, b, "n"), begin(t, b, "n")
		if err := errors.Join(do(old, 0, 2), do(other, 0, 1), Forget(t.Context(), b, "n"), do(old, 2, 3)); err != nil {
			t.Fatal(err)
		}
		fresh := begin(t, b, "n")
		holds(t, fresh, 0)
		if err := errors.Join(do(fresh, 0, 2), do(fresh, 2, 4)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(check)
		if err := do(old, 3, 4); !errors.Is(err, ErrForgotten) {
			t.Error(err)
		}
		for _, j := range []*Journal{old, other} {
			if err := j.Close(); !errors.Is(err, ErrForgotten) {
				t.Error(err)
			}
		}
		end(t, fresh)
		late := begin(t, b, "n")
		holds(t, late, 4)
		end(t, late)
	})
}

// TestClaim: a number that another driver took while the answer was lost is not taken for one's own, though the two tell the
// same of themselves.
func TestClaim(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := memstore.New()
		j := begin(t, storagetest.Faults(b, storagetest.Rule{Op: "putnew", Key: "resume/n/run-1", Nth: 1, Before: errors.New("connection reset")}), "n")
		other := begin(t, b, "n")
		record(t, j, 0, 1)
		time.Sleep(interval)
		synctest.Wait() // it is about to try again
		record(t, other, 1, 2)
		if err := other.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		end(t, other)
		end(t, j)
		late := begin(t, b, "n")
		holds(t, late, 2)
		if len(late.Runs()) != 2 {
			t.Errorf("%d runs", len(late.Runs()))
		}
		end(t, late)
	})
}

// TestNothingKept: a run that keeps nothing leaves nothing.
func TestNothingKept(t *testing.T) {
	t.Parallel()
	b := memstore.New()
	for range 3 {
		end(t, begin(t, b, "n"))
	}
	if n := count(t, b, ""); n > 0 {
		t.Errorf("%d objects", n)
	}
}

// TestLaterCounts: of two results of a task, that of the later run is recalled.
func TestLaterCounts(t *testing.T) {
	t.Parallel()
	b := memstore.New()
	for _, result := range []string{"a", "b", "c"} {
		j := begin(t, b, "n")
		if err := j.Record(t.Context(), id(0), []byte(result)); err != nil {
			t.Fatal(err)
		}
		end(t, j)
	}
	j := begin(t, b, "n")
	if got, _, err := j.Recall(id(0)); err != nil || string(got) != "c" {
		t.Errorf("%q, %v", got, err)
	}
	end(t, j)
}
