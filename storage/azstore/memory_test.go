package azstore

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"github.com/gowren/gowren/internal/servers"
)

// stream is data of n bytes that takes no memory: the numbers from 0 on, in 8 bytes each.
type stream struct{ at, n int64 }

func (s *stream) Read(p []byte) (int, error) {
	if s.at == s.n {
		return 0, io.EOF
	}
	p = p[:min(int64(len(p)), s.n-s.at)&^7]
	for i := 0; i < len(p); i += 8 {
		binary.LittleEndian.PutUint64(p[i:], uint64(s.at)/8)
		s.at += 8
	}
	return len(p), nil
}

// Write compares what is written with the stream.
func (s *stream) Write(p []byte) (int, error) {
	for i := 0; i+8 <= len(p); i += 8 {
		if binary.LittleEndian.Uint64(p[i:]) != uint64(s.at)/8 {
			return i, fmt.Errorf("the bytes at %d are others", s.at)
		}
		s.at += 8
	}
	return len(p), nil
}

// peak returns the most memory that was in use while f ran, beyond that before.
func peak(f func() error) (int64, error) {
	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	most := int64(0)
	done := make(chan error)
	go func() { done <- f() }()
	for {
		select {
		case err := <-done:
			return most, err
		case <-time.After(5 * time.Millisecond):
			runtime.ReadMemStats(&now)
			most = max(most, int64(now.HeapAlloc)-int64(before.HeapAlloc))
		}
	}
}

// TestMemory sends 1 GiB to the store and back, or as many as GOWREN_TEST_GIB says.
func TestMemory(t *testing.T) {
	if testing.Short() || underRace {
		t.Skip("it moves 2 GiB, and measures memory")
	}
	size := int64(1 << 30)
	if n, err := strconv.Atoi(os.Getenv("GOWREN_TEST_GIB")); err == nil {
		size *= int64(n)
	}
	s := servers.Azure(t)
	b := opened(t, address(s, s.Endpoint, newContainer(t, s)), variables(keyVariable, s.Key))
	began := time.Now()
	up, err := peak(func() error { return b.PutNew(t.Context(), "k", &stream{n: size}) })
	if err != nil {
		t.Fatal(err)
	}
	middle := time.Now()
	down, err := peak(func() error {
		r, err := b.Get(t.Context(), "k", 0, -1)
		if err != nil {
			return err
		}
		defer r.Close()
		got := &stream{}
		if _, err := io.CopyBuffer(got, struct{ io.Reader }{r}, make([]byte, 256<<10)); err != nil {
			return err
		}
		if got.at != size {
			return fmt.Errorf("%d bytes came", got.at)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	rate := func(d time.Duration) float64 { return float64(size>>20) / d.Seconds() }
	t.Logf("%d MiB: up %d MiB of memory, %.0f MiB/s; down %d MiB, %.0f MiB/s", size>>20,
		up>>20, rate(middle.Sub(began)), down>>20, rate(time.Since(middle)))
	if up > 112<<20 || down > 64<<20 {
		t.Errorf("memory: %d MiB up, %d MiB down", up>>20, down>>20)
	}
	if err := b.Delete(t.Context(), "k"); err != nil {
		t.Error(err)
	}
}

// TestCancel ends transfers in their middle.
func TestCancel(t *testing.T) {
	t.Parallel()
	b, _ := fresh(t)
	ctx, cancel := context.WithCancel(t.Context())
	data := &ending{stream{n: 1 << 30}, 40 * mib, cancel}
	err := b.PutNew(ctx, "k", data)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("put: %v", err)
	}
	if data.at > 60*mib {
		t.Errorf("%d MiB were read of the data", data.at/mib)
	}
	for o, err := range b.List(t.Context(), "") {
		t.Errorf("there is %q, %v", o.Key, err)
	}
	if err := b.Put(t.Context(), "k", &stream{n: 40 * mib}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	r, err := b.Get(ctx, "k", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyN(io.Discard, r, 100); err != nil {
		t.Fatal(err)
	}
	cancel()
	if _, err := io.Copy(io.Discard, r); !errors.Is(err, context.Canceled) {
		t.Errorf("get: %v", err)
	}
	r.Close()
}

// TestLeftEarly has readers closed after their first bytes: each asks for no more than it reads ahead.
func TestLeftEarly(t *testing.T) {
	t.Parallel()
	b, p := fresh(t)
	if err := b.Put(t.Context(), "k", &stream{n: 40 * mib}); err != nil {
		t.Fatal(err)
	}
	before := len(p.Seen())
	for range 20 {
		r, err := b.Get(t.Context(), "k", 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Read(make([]byte, 10)); err != nil {
			t.Fatal(err)
		}
		r.Close()
		if _, err := r.Read(make([]byte, 10)); err == nil {
			t.Error("a closed reader goes on")
		}
	}
	time.Sleep(50 * time.Millisecond)
	if n := len(p.Seen()) - before; n > 20*(1+ahead) {
		t.Errorf("%d requests", n)
	}
}

// ending ends a context after some bytes.
type ending struct {
	stream
	after  int64
	cancel context.CancelFunc
}

func (e *ending) Read(p []byte) (int, error) {
	if e.at >= e.after {
		e.cancel()
	}
	return e.stream.Read(p)
}
