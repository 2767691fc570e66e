package redisstore

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gowren/gowren/storage"
)

// small opens an empty bucket that cuts objects early: over 10 bytes, into parts of 16.
func small(t *testing.T) *bucket {
	b := whole(t)
	b.inline, b.part = 10, 16
	return b
}

func put(t *testing.T, b storage.Bucket, key, data string) {
	t.Helper()
	if err := b.Put(t.Context(), key, strings.NewReader(data)); err != nil {
		t.Fatal(err)
	}
}

func read(ctx context.Context, b storage.Bucket, key string, off, n int64) (string, error) {
	r, err := b.Get(ctx, key, off, n)
	if err != nil {
		return "", err
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	return string(data), err
}

func text(n int) string { return strings.Repeat("0123456789abcdefg", n/17+1)[:n] }

// names returns the names in the server that match a pattern.
func names(t *testing.T, b *bucket, pattern string) []string {
	t.Helper()
	found, err := b.client.Keys(context.WithoutCancel(t.Context()), pattern).Result()
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(found)
	return found
}

// wantEmpty checks that the server holds nothing at all.
func wantEmpty(t *testing.T, b *bucket) {
	t.Helper()
	if left := names(t, b, "*"); len(left) > 0 {
		t.Errorf("left in the server: %q", left)
	}
}

// TestSizes reads all ranges of objects with sizes about the borders.
func TestSizes(t *testing.T) {
	t.Parallel()
	b, ctx := small(t), t.Context()
	for size := range 50 {
		want := text(size)
		put(t, b, "k", want)
		if o, err := b.Stat(ctx, "k"); err != nil || o.Size != int64(size) {
			t.Fatalf("size %d: Stat %+v, %v", size, o, err)
		}
		parts := 0
		if size > b.inline {
			parts = (size + b.part - 1) / b.part
		}
		h, _, err := b.find(ctx, "k", maxHeader)
		if err != nil || h.parts() != int64(parts) {
			t.Fatalf("size %d: %d parts, %v, want %d", size, h.parts(), err, parts)
		}
		for off := 0; off <= size; off += 3 {
			for n := 0; n <= size-off+1; n += 4 {
				end := min(off+n, size)
				if got, err := read(ctx, b, "k", int64(off), int64(n)); got != want[off:end] || err != nil {
					t.Fatalf("size %d, from %d, %d bytes: %q, %v", size, off, n, got, err)
				}
			}
		}
	}
	for _, name := range names(t, b, partName+"*") { // those of the last object stay, of the earlier ones for a while
		if left := b.client.PTTL(ctx, name).Val(); left > grace {
			t.Errorf("%s is left for %v", name, left)
		}
	}
	if err := b.Delete(ctx, "k"); err != nil {
		t.Fatal(err)
	}
	for _, name := range names(t, b, "*") {
		if left := b.client.PTTL(ctx, name).Val(); left < 0 || left > grace {
			t.Errorf("%s is left for %v", name, left)
		}
	}
}

// noise is n bytes that no other seed makes.
func noise(seed, n int64) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{byte(seed)}), n)
}

// TestLarge stores and reads back what has many parts, and measures what a Put takes.
func TestLarge(t *testing.T) {
	b, ctx := whole(t), t.Context()
	for _, size := range []int64{20 << 20, 100 << 20} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		err := b.Put(ctx, "k", noise(size>>20, size))
		runtime.ReadMemStats(&after)
		if err != nil {
			t.Fatal(err)
		}
		// A part, and what it grew from, which adds up to another one.
		if took := after.TotalAlloc - before.TotalAlloc; took > 5*partSize/2 {
			t.Errorf("a Put of %d MiB allocates %d MiB, a part is %d", size>>20, took>>20, partSize>>20)
		}
		r, err := b.Get(ctx, "k", 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		got, want := sha256.New(), sha256.New()
		n, err := io.Copy(got, r)
		r.Close()
		if _, e := io.Copy(want, noise(size>>20, size)); n != size || err != nil || e != nil || !bytes.Equal(got.Sum(nil), want.Sum(nil)) {
			t.Errorf("%d MiB: read %d bytes, %v, %v, the same: %v", size>>20, n, err, e, bytes.Equal(got.Sum(nil), want.Sum(nil)))
		}
		for _, name := range names(t, b, "gowren:o:*") {
			if left := b.client.PTTL(ctx, name).Val(); left > 0 {
				t.Errorf("%s expires in %v", name, left)
			}
		}
	}
	h, _, err := b.find(ctx, "k", maxHeader)
	if err != nil || h.parts() != 13 {
		t.Fatalf("%d parts, %v", h.parts(), err)
	}
	for i := range h.parts() {
		if left := b.client.PTTL(ctx, h.partName(i)).Val(); left != -1 { // which says: it does not expire
			t.Errorf("part %d expires: %v", i, left)
		}
	}
}

// TestReplacedWhileRead has a reader go on with the version that it began with, as long as that is there.
func TestReplacedWhileRead(t *testing.T) {
	t.Parallel()
	b, ctx := small(t), t.Context()
	old := text(100)
	begin := func() (io.ReadCloser, header) {
		put(t, b, "k", old)
		h, _, err := b.find(ctx, "k", maxHeader)
		if err != nil {
			t.Fatal(err)
		}
		r, err := b.Get(ctx, "k", 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { r.Close() })
		if _, err := io.ReadFull(r, make([]byte, 20)); err != nil {
			t.Fatal(err)
		}
		return r, h
	}
	drop := func(h header) {
		for i := range h.parts() {
			b.client.Del(ctx, h.partName(i))
		}
	}
	for name, c := range map[string]struct {
		do   func(h header)
		want error
	}{
		"replaced":             {func(header) { put(t, b, "k", "new") }, nil},
		"replaced long ago":    {func(h header) { put(t, b, "k", text(100)); drop(h) }, storage.ErrChanged},
		"deleted":              {func(header) { _ = b.Delete(ctx, "k") }, storage.ErrChanged},
		"a part is gone":       {func(h header) { b.client.Del(ctx, h.partName(4)) }, errGone},
		"a part is cut short":  {func(h header) { b.client.Set(ctx, h.partName(4), "x", 0) }, errGone},
		"closed by its reader": {nil, fs.ErrClosed},
	} {
		r, h := begin()
		if c.do == nil {
			r.Close()
		} else {
			c.do(h)
		}
		rest, err := io.ReadAll(r)
		if !errors.Is(err, c.want) || !strings.HasPrefix(old[20:], string(rest)) || c.want == nil && (err != nil || len(rest) != 80) {
			t.Errorf("%s: %q, %v, want %v", name, rest, err, c.want)
		}
		var e *storage.Error
		if err != nil && (!errors.As(err, &e) || e.Op != "get" || e.Key != "k") {
			t.Errorf("%s: %v names no operation", name, err)
		}
		if _, again := r.Read(make([]byte, 1)); err != nil && !errors.Is(again, c.want) {
			t.Errorf("%s: after its error a reader says %v", name, again)
		}
	}
}

// TestHammer has readers see whole versions or an error, amid writers and deleters.
func TestHammer(t *testing.T) {
	t.Parallel()
	b, ctx := small(t), t.Context()
	var writers, readers sync.WaitGroup
	end := make(chan struct{})
	for w := range 4 {
		writers.Go(func() {
			for i := range 100 {
				var err error
				switch data := strings.NewReader(strings.Repeat(string(rune('a'+(w*7+i)%26)), 16*(1+i%5))); i % 10 {
				case 8:
					err = b.Delete(ctx, "k")
				case 9:
					if err = b.PutNew(ctx, "k", data); errors.Is(err, fs.ErrExist) {
						err = nil
					}
				default:
					err = b.Put(ctx, "k", data)
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 4 {
		readers.Go(func() {
			for {
				got, err := read(ctx, b, "k", 0, -1)
				switch {
				case errors.Is(err, storage.ErrChanged), errors.Is(err, fs.ErrNotExist):
				case err != nil, len(got)%16 != 0, got == "", strings.Trim(got, got[:1]) != "":
					t.Errorf("read %q, %v", got, err)
					return
				}
				select {
				case <-end:
					return
				default:
				}
			}
		})
	}
	writers.Wait()
	close(end)
	readers.Wait()
	h, _, err := b.find(ctx, "k", maxHeader)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	for _, name := range names(t, b, partName+"*") {
		if left := b.client.PTTL(ctx, name).Val(); left < 0 && !strings.Contains(name, h.version) {
			t.Errorf("%s belongs to nothing, and stays", name)
		}
	}
}

// TestNothingIsLeft is about uploads that come to nothing.
func TestNothingIsLeft(t *testing.T) {
	t.Parallel()
	b, ctx := small(t), t.Context()
	broken := errors.New("broken")
	if err := b.Put(ctx, "k", io.MultiReader(strings.NewReader(text(40)), &waiting{err: broken})); !errors.Is(err, broken) {
		t.Errorf("broken data: %v", err)
	}
	wantEmpty(t, b)
	canceled, cancel := context.WithCancel(ctx)
	if err := b.Put(canceled, "k", io.MultiReader(strings.NewReader(text(40)), &waiting{do: cancel})); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
	wantEmpty(t, b)
	put(t, b, "k", "old")
	had := fmt.Sprint(names(t, b, "*"))
	if err := b.PutNew(ctx, "k", strings.NewReader(text(40))); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a taken key: %v", err)
	}
	// Another takes the key after the parts were begun.
	if err := b.Delete(ctx, "k"); err != nil {
		t.Fatal(err)
	}
	late := io.MultiReader(strings.NewReader(text(40)), &waiting{do: func() { put(t, b, "k", "old") }})
	if err := b.PutNew(ctx, "k", late); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a key that is taken meanwhile: %v", err)
	}
	if has := fmt.Sprint(names(t, b, "*")); has != had {
		t.Errorf("the server has %s, and had %s", has, had)
	}
}

// TestUncommitted is about what a crash leaves, and about data that come slowly.
func TestUncommitted(t *testing.T) {
	t.Parallel()
	b, ctx := small(t), t.Context()
	b.keep = 1200 * time.Millisecond
	var left time.Duration
	look := func() {
		for _, name := range names(t, b, partName+"*") {
			left = max(left, b.client.PTTL(ctx, name).Val())
		}
	}
	if err := b.Put(ctx, "k", io.MultiReader(strings.NewReader(text(40)), &waiting{do: look})); err != nil {
		t.Fatal(err)
	}
	if left <= 0 || left > b.keep {
		t.Errorf("a part that is not committed is kept for %v", left)
	}
	want, slow := "", []io.Reader{}
	for i := range 8 { // in all twice as long as a part is kept
		piece := strings.Repeat(string(rune('a'+i)), 16)
		want += piece
		slow = append(slow, strings.NewReader(piece), &waiting{time: b.keep / 4})
	}
	if err := b.Put(ctx, "slow", io.MultiReader(slow...)); err != nil {
		t.Errorf("slow data: %v", err)
	} else if got, err := read(ctx, b, "slow", 0, -1); got != want || err != nil {
		t.Errorf("slow data: %q, %v", got, err)
	}
	err := b.Put(ctx, "k", io.MultiReader(strings.NewReader(text(40)), &waiting{time: 3 * b.keep / 2}))
	if err == nil || !strings.Contains(err.Error(), "too slowly") {
		t.Errorf("data that come too slowly: %v", err)
	}
	if got, err := read(ctx, b, "k", 0, -1); got != text(40) || err != nil {
		t.Errorf("the old object: %q, %v", got, err)
	}
}

// waiting is data without bytes that takes its time.
type waiting struct {
	time time.Duration
	do   func()
	err  error
}

func (w *waiting) Read([]byte) (int, error) {
	time.Sleep(w.time)
	if w.do != nil {
		w.do()
	}
	if w.err != nil {
		return 0, w.err
	}
	return 0, io.EOF
}
