package storage_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"

	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/memstore"
	"github.com/gowren/gowren/storage/storagetest"
)

var errWire = errors.New("the connection was reset")

// retried puts rules below Retry, and counts the retries.
func retried(b storage.Bucket, rules ...storagetest.Rule) (storage.Bucket, *atomic.Int64) {
	n := new(atomic.Int64)
	return storage.Retry(storagetest.Faults(b, rules...), storage.RetryPolicy{
		Base: time.Millisecond, Max: time.Millisecond, OnRetry: func(string, string, int, error) { n.Add(1) },
	}), n
}

// fresh returns an empty bucket that is forgotten with the test.
func fresh(t *testing.T) storage.Bucket {
	b := memstore.New()
	t.Cleanup(func() { memstore.Delete(b.Name()) })
	return b
}

// TestRetryConformance passes the suite although operations fail all the time, in every way.
func TestRetryConformance(t *testing.T) {
	once := map[string]string{}
	for _, name := range []string{
		"put/any reader", "put/failing data", "put/failing data keeps the old object", "putnew/failing data",
		"cancel/amid put", "cancel/amid put keeps the old object",
	} {
		once[name] = "data that cannot be set back gets one attempt, which meets a fault here"
	}
	storagetest.RunWith(t, func(t *testing.T) storage.Bucket {
		return storage.Retry(storagetest.Faults(fresh(t),
			storagetest.Rule{Op: "putnew", Every: 3, After: errWire},
			storagetest.Rule{Op: "list", Every: 2, Cut: errWire, At: 2},
			storagetest.Rule{Op: "get", Every: 3, Cut: errWire, At: 3},
			storagetest.Rule{Op: "put", Every: 4, After: errWire},
			storagetest.Rule{Op: "delete", Every: 4, After: errWire},
			storagetest.Rule{Every: 5, Before: storage.ErrThrottled},
			storagetest.Rule{Every: 7, Before: errWire},
		), storage.RetryPolicy{Attempts: 100, Base: time.Microsecond, Max: time.Microsecond})
	}, storagetest.Options{Skip: once})
}

func TestFaultsConformance(t *testing.T) {
	skip := map[string]string{}
	for _, name := range storagetest.Large {
		skip[name] = "bytes pass through untouched"
	}
	storagetest.RunWith(t, func(t *testing.T) storage.Bucket { return storagetest.Faults(fresh(t)) }, storagetest.Options{Skip: skip})
}

func TestRetryBackOff(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var attempts []int
		b := storage.Retry(storagetest.Faults(memstore.New(), storagetest.Rule{Before: storage.ErrThrottled}), storage.RetryPolicy{
			Attempts: 6, Base: time.Second, Max: 3 * time.Second,
			OnRetry: func(op, key string, attempt int, err error) {
				if op != "stat" || key != "k" || !errors.Is(err, storage.ErrThrottled) {
					t.Errorf("OnRetry(%s, %s, %d, %v)", op, key, attempt, err)
				}
				attempts = append(attempts, attempt)
			},
		})
		start := time.Now()
		_, err := b.Stat(t.Context(), "k")
		if !errors.Is(err, storage.ErrThrottled) || len(attempts) != 5 || attempts[4] != 5 {
			t.Errorf("%v after attempts %v", err, attempts)
		}
		if took := time.Since(start); took <= 0 || took > (1+2+3+3+3)*time.Second {
			t.Errorf("the pauses add up to %v", took)
		}
	})
}

// TestRetryLongPauses takes the largest of all bounds.
func TestRetryLongPauses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		for _, p := range []storage.RetryPolicy{
			{Attempts: 100, Base: math.MaxInt64, Max: math.MaxInt64}, {Attempts: 100, Base: time.Hour, Max: math.MaxInt64},
		} {
			attempts := 0
			p.OnRetry = func(string, string, int, error) { attempts++ }
			ctx, cancel := context.WithTimeout(t.Context(), 24*365*time.Hour)
			_, err := storage.Retry(storagetest.Faults(memstore.New(), storagetest.Rule{Before: errWire}), p).Stat(ctx, "k")
			cancel()
			if !errors.Is(err, context.DeadlineExceeded) || attempts > 30 {
				t.Errorf("%v after %d attempts within a year", err, attempts)
			}
		}
	})
}

func TestRetryStopsWithContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := storage.Retry(storagetest.Faults(memstore.New(), storagetest.Rule{Before: errWire}),
			storage.RetryPolicy{Attempts: 1000, Base: time.Hour, Max: time.Hour})
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		err := b.Put(ctx, "k", strings.NewReader("x"))
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, errWire) {
			t.Errorf("error %v, want the deadline and the cause", err)
		}
		stalled := storage.Retry(storagetest.Faults(memstore.New(), storagetest.Rule{Stall: true}), storage.RetryPolicy{})
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := stalled.Stat(ctx, "k"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a store that does not answer: %v", err)
		}
	})
}

func TestRetryNotWorthIt(t *testing.T) {
	t.Parallel()
	for _, cause := range []error{fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, fs.ErrInvalid, fs.ErrClosed, context.Canceled} {
		b, n := retried(memstore.New(), storagetest.Rule{Before: cause})
		if _, err := b.Stat(t.Context(), "k"); !errors.Is(err, cause) || n.Load() != 0 {
			t.Errorf("%v: %v after %d retries", cause, err, n.Load())
		}
	}
	// The caller's own data is at fault, or cannot be set back.
	b, n := retried(memstore.New())
	data := struct {
		io.Reader
		io.Seeker
	}{iotest.ErrReader(errWire), strings.NewReader("")}
	if err := b.Put(t.Context(), "k", data); !errors.Is(err, errWire) || n.Load() != 0 {
		t.Errorf("broken data: %v after %d retries", err, n.Load())
	}
	// Data that is read from another store may be throttled there.
	b, n = retried(memstore.New())
	data.Reader = iotest.ErrReader(storage.ErrThrottled)
	if err := b.Put(t.Context(), "k", data); !errors.Is(err, storage.ErrThrottled) || n.Load() != 0 {
		t.Errorf("throttled data: %v after %d retries", err, n.Load())
	}
	b, n = retried(memstore.New(), storagetest.Rule{Nth: 1, Before: errWire})
	if err := b.Put(t.Context(), "k", io.MultiReader(strings.NewReader("x"))); !errors.Is(err, errWire) || n.Load() != 0 {
		t.Errorf("a pipe: %v after %d retries", err, n.Load())
	}
}

func TestRetryGetGoesOn(t *testing.T) {
	t.Parallel()
	m := memstore.New()
	want := strings.Repeat("0123456789", 10)
	if err := m.Put(t.Context(), "k", strings.NewReader(want)); err != nil {
		t.Fatal(err)
	}
	b, n := retried(m, storagetest.Rule{Op: "get", Cut: errWire, At: 7}) // each get is cut: progress starts the count anew
	for _, c := range []struct{ off, n int64 }{{0, -1}, {5, -1}, {5, 50}, {0, 7}, {0, 6}} {
		r, err := b.Get(t.Context(), "k", c.off, c.n)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		r.Close()
		end := int64(len(want))
		if c.n >= 0 {
			end = c.off + c.n
		}
		if string(got) != want[c.off:end] || err != nil {
			t.Errorf("Get from %d, %d bytes: %q, %v", c.off, c.n, got, err)
		}
	}
	if n.Load() == 0 {
		t.Error("nothing was tried again")
	}
	b, n = retried(m, storagetest.Rule{Op: "get", Cut: errWire, At: 0})
	if got, err := readAll(t.Context(), b, "k"); !errors.Is(err, errWire) || got != "" || n.Load() != 3 {
		t.Errorf("a store that never delivers: %q, %v after %d retries", got, err, n.Load())
	}
}

func readAll(ctx context.Context, b storage.Bucket, key string) (string, error) {
	r, err := b.Get(ctx, key, 0, -1)
	if err != nil {
		return "", err
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	return string(data), err
}

// untagged hides what version a reader reads.
type untagged struct{ storage.Bucket }

func (u untagged) Get(ctx context.Context, key string, off, n int64) (io.ReadCloser, error) {
	r, err := u.Bucket.Get(ctx, key, off, n)
	return struct{ io.ReadCloser }{r}, err
}

// TestRetryGetNeverSplices replaces the object between the cut and the second Get.
func TestRetryGetNeverSplices(t *testing.T) {
	t.Parallel()
	m := memstore.New()
	for _, c := range []struct {
		b    storage.Bucket
		at   int64
		want error
	}{{m, 4, storage.ErrChanged}, {untagged{m}, 4, errWire}, {m, 0, nil}} {
		if err := m.Put(t.Context(), "k", strings.NewReader("old old old")); err != nil {
			t.Fatal(err)
		}
		b := storage.Retry(storagetest.Faults(c.b, storagetest.Rule{Op: "get", Nth: 1, Cut: errWire, At: c.at}), storage.RetryPolicy{Base: 1})
		r, err := b.Get(t.Context(), "k", 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(r, make([]byte, c.at)); err != nil {
			t.Fatal(err)
		}
		if err := m.Put(t.Context(), "k", strings.NewReader("new new new")); err != nil {
			t.Fatal(err)
		}
		rest, err := io.ReadAll(r)
		if c.want == nil && (err != nil || string(rest) != "new new new") || c.want != nil && (!errors.Is(err, c.want) || len(rest) > 0) {
			t.Errorf("after %d bytes of the old version: %q, %v, want %v", c.at, rest, err, c.want)
		}
		r.Close()
	}
}

func TestRetryPutNewLostReply(t *testing.T) {
	t.Parallel()
	data := strings.Repeat("0123456789", 20_000) // more than one piece of the comparison
	lost := storagetest.Rule{Op: "putnew", Nth: 1, After: errWire}
	m := memstore.New()
	b, n := retried(m, lost)
	r := strings.NewReader("head" + data)
	if _, err := r.Seek(4, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if err := b.PutNew(t.Context(), "k", r); err != nil || n.Load() != 1 {
		t.Errorf("its own object: %v after %d retries", err, n.Load())
	}
	if got, err := readAll(t.Context(), m, "k"); got != data || err != nil {
		t.Errorf("stored: %d bytes, %v", len(got), err)
	}
	for _, other := range []string{"", data[1:], data + "x", data[:len(data)-1] + "x", data[:64<<10]} {
		// The request was lost, not the reply, and another was quicker.
		b, _ := retried(m, storagetest.Rule{Op: "putnew", Nth: 1, Before: errWire})
		if err := m.Put(t.Context(), "k", strings.NewReader(other)); err != nil {
			t.Fatal(err)
		}
		if err := b.PutNew(t.Context(), "k", strings.NewReader(data)); !errors.Is(err, fs.ErrExist) {
			t.Errorf("another's object: %v", err)
		}
	}
	// Who was only throttled cannot meet an object of its own.
	b, _ = retried(m, storagetest.Rule{Op: "putnew", Nth: 1, Before: storage.ErrThrottled})
	if err := m.Put(t.Context(), "k", strings.NewReader(data)); err != nil {
		t.Fatal(err)
	}
	if err := b.PutNew(t.Context(), "k", strings.NewReader(data)); !errors.Is(err, fs.ErrExist) {
		t.Errorf("another's equal object: %v", err)
	}
	// It stays unknown where the object cannot be read back.
	for _, cause := range []error{errWire, storage.ErrThrottled, fmt.Errorf("the connection is gone: %w", io.EOF)} {
		b, n = retried(memstore.New(), lost, storagetest.Rule{Op: "get", Before: cause})
		err := b.PutNew(t.Context(), "k", strings.NewReader(data))
		if !errors.Is(err, cause) || errors.Is(err, fs.ErrExist) || n.Load() != 1+3 {
			t.Errorf("an object that cannot be read back: %v after %d retries", err, n.Load())
		}
	}
}

func TestRetryListGoesOn(t *testing.T) {
	t.Parallel()
	m := memstore.New()
	for i := range 10 {
		if err := m.Put(t.Context(), strconv.Itoa(i), bytes.NewReader(nil)); err != nil {
			t.Fatal(err)
		}
	}
	b, n := retried(m,
		storagetest.Rule{Op: "list", Nth: 1, Cut: errWire, At: 3}, storagetest.Rule{Op: "list", Nth: 2, Before: errWire},
		storagetest.Rule{Op: "list", Nth: 3, Cut: errWire, At: 9})
	got := ""
	for o, err := range b.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		got += o.Key
	}
	if got != "0123456789" || n.Load() != 3 {
		t.Errorf("listed %s after %d retries", got, n.Load())
	}
}

// TestRetryGetDamaged has a checksum fail when all bytes are delivered: going on behind them would hide it.
func TestRetryGetDamaged(t *testing.T) {
	t.Parallel()
	m := memstore.New()
	if err := m.Put(t.Context(), "k", strings.NewReader("data")); err != nil {
		t.Fatal(err)
	}
	b, n := retried(m, storagetest.Rule{Op: "get", Nth: 1, Cut: storage.ErrDamaged, At: 3})
	if got, err := readAll(t.Context(), b, "k"); !errors.Is(err, storage.ErrDamaged) || n.Load() != 0 {
		t.Errorf("%q, %v after %d retries", got, err, n.Load())
	}
}
