package worker_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gowren/gowren/internal/registry"
	"github.com/gowren/gowren/internal/wire"
	"github.com/gowren/gowren/internal/worker"
	"github.com/gowren/gowren/serialize"
	"github.com/gowren/gowren/storage"
)

func TestLargeResultsGoToTheBucket(t *testing.T) {
	w, b := newWorker(t, 2)
	inputs := []string{"1234", "12345", strings.Repeat("x", 100_000), ""}
	r := request(register("large", echo), inputs...)
	r.Inline = 4
	p := serve(t, w, r)
	if p.results[0] != "1234" || len(p.results) != 2 || len(p.stored) != 2 || p.end.Ran != 4 {
		t.Fatalf("results %v, stored %v", p.results, p.stored)
	}
	for i, s := range p.stored {
		if !strings.HasPrefix(s.Key, "jobs/job/out/10") || s.Size != int64(len(inputs[i])) || s.Sum != wire.Checksum([]byte(inputs[i])) {
			t.Errorf("%+v", s)
		}
		in, err := b.Get(t.Context(), s.Key, 0, -1)
		if err != nil {
			t.Fatal(err)
		}
		if data, err := io.ReadAll(in); err != nil || string(data) != inputs[i] {
			t.Errorf("object %d has %d bytes, %v", i, len(data), err)
		}
		in.Close()
	}
	if again := serve(t, w, r); again.stored[1].Key == p.stored[1].Key {
		t.Errorf("another attempt wrote the same object %q", again.stored[1].Key)
	}
}

// TestFullReply: what no longer fits into a reply goes to the bucket, and nothing more than that.
func TestFullReply(t *testing.T) {
	w, _ := newWorker(t, 1)
	r := request(register("full", echo), strings.Repeat("a", 100), strings.Repeat("b", 140), strings.Repeat("c", 20), "d", strings.Repeat("e", 8), "f")
	r.Room = 250
	for range 2 { // a request leaves nothing of its room to the next
		p := serve(t, w, r)
		if len(p.results) != 5 || len(p.stored) != 1 || p.stored[2].Size != 20 || p.end.Ran != 6 {
			t.Fatalf("results %v, stored %v", p.results, p.stored)
		}
	}
	r.Room = 0
	if p := serve(t, w, r); len(p.results) != 6 {
		t.Errorf("without a bound: results %v, stored %v", p.results, p.stored)
	}
}

// A bucket that does not open fails the tasks that need it, and is tried again.
func TestBucketDoesNotOpen(t *testing.T) {
	_, b := newWorker(t, 1)
	opened := 0
	w := worker.New(1, func(context.Context) (storage.Bucket, error) {
		if opened++; opened == 1 {
			return nil, errors.New("no network")
		}
		return b, nil
	})
	defer w.Close()
	r := request(register("no bucket", echo), "large", "large", "large", "x")
	r.Inline = 1
	p := serve(t, w, r)
	if f := p.failed[0]; f.Cause != wire.CauseResult || !f.Again || !strings.Contains(f.Message, "no network") {
		t.Errorf("%+v", f)
	}
	if len(p.stored) != 2 || p.results[3] != "x" || opened != 2 {
		t.Errorf("stored %v, results %v, opened %d times", p.stored, p.results, opened)
	}
}

func TestInputsInAnObject(t *testing.T) {
	w, b := newWorker(t, 2)
	put(t, b, "in", []byte("onetwothree"))
	r := request(register("object", echo))
	r.Object = "in"
	for _, x := range [][2]int64{{0, 3}, {6, 5}, {3, 3}, {5, 0}, {6, 6}, {20, 1}, {0, 1 << 60}} {
		r.Tasks = append(r.Tasks, wire.Task{Attempt: 1, Offset: x[0], Size: x[1]})
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	p := serve(t, w, r)
	runtime.ReadMemStats(&after)
	if after.TotalAlloc-before.TotalAlloc > 4<<20 {
		t.Errorf("%d bytes allocated for an object of 11", after.TotalAlloc-before.TotalAlloc)
	}
	for i, want := range []string{"one", "three", "two", ""} {
		if got, ok := p.results[i]; got != want || !ok {
			t.Errorf("result %d: %q, want %q", i, got, want)
		}
	}
	for i := 4; i < 7; i++ {
		if f := p.failed[i]; f.Cause != wire.CauseInput || !f.Again || !strings.Contains(f.Message, `"in"`) {
			t.Errorf("task %d: %+v", i, f)
		}
	}
	r.Object = "missing"
	p = serve(t, w, r)
	for i := range r.Tasks {
		if f := p.failed[i]; f.Cause != wire.CauseInput || !f.Again {
			t.Errorf("without the object, task %d: %+v", i, f)
		}
	}
}

func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// shared registers a function that returns its shared argument and its input, and counts how often it is decoded.
func shared(decoded *atomic.Int64) string {
	return registerShared("shared", func(_ *serialize.Coder, data []byte) (any, error) {
		decoded.Add(1)
		switch string(data) {
		case "panic":
			panic("bad argument")
		case "error":
			return nil, errors.New("unreadable")
		}
		return string(data), nil
	}, func(_ context.Context, shared any, in registry.Input) ([]byte, error) {
		return append([]byte(shared.(string)), in.Data...), nil
	})
}

func TestSharedArgument(t *testing.T) {
	var decoded atomic.Int64
	name := shared(&decoded)
	w, b := newWorker(t, 2)
	put(t, b, "shared", []byte("in the bucket "))
	for _, s := range []wire.Shared{
		{Hash: hashOf([]byte("inline ")), Data: []byte("inline ")},
		{Hash: hashOf([]byte("in the bucket ")), Key: "shared"},
	} {
		decoded.Store(0)
		for range 3 {
			r := request(name, "a", "b", "c")
			r.Shared = s
			p := serve(t, w, r)
			if !strings.HasPrefix(p.results[2], "in") || !strings.HasSuffix(p.results[2], " c") || len(p.results) != 3 {
				t.Errorf("%v", p)
			}
		}
		if n := decoded.Load(); n != 1 {
			t.Errorf("decoded %d times", n)
		}
	}
}

func TestSharedArgumentRefused(t *testing.T) {
	name := shared(new(atomic.Int64))
	w, b := newWorker(t, 1)
	put(t, b, "shared", []byte("other"))
	for _, c := range []struct {
		s    wire.Shared
		want string
	}{
		{wire.Shared{Hash: hashOf([]byte("x")), Data: []byte("y")}, "SHA-256"},
		{wire.Shared{Hash: hashOf([]byte("x")), Key: "shared"}, "SHA-256"},
		{wire.Shared{}, "disagree"},
		{wire.Shared{Hash: hashOf([]byte("error")), Data: []byte("error")}, "unreadable"},
		{wire.Shared{Hash: hashOf([]byte("panic")), Data: []byte("panic")}, "bad argument"},
	} {
		r := request(name, "a")
		r.Shared = c.s
		if p := serve(t, w, r); p.last != wire.TypeRefused || !strings.Contains(p.refused, c.want) || !strings.Contains(p.refused, name) {
			t.Errorf("want a refusal with %q: %+v", c.want, p)
		}
	}
}

func TestSharedArgumentUnread(t *testing.T) {
	w, b := newWorker(t, 1)
	r := request(shared(new(atomic.Int64)), "a", "b")
	r.Shared = wire.Shared{Hash: hashOf([]byte("x")), Key: "shared"}
	p := serve(t, w, r)
	for i := range 2 {
		if f := p.failed[i]; f.Cause != wire.CauseInput || !f.Again || p.last != wire.TypeEnd || p.end.Ran != 0 {
			t.Errorf("%+v", p)
		}
	}
	put(t, b, "shared", []byte("x"))
	if p := serve(t, w, r); p.results[1] != "xb" {
		t.Errorf("with the object there: %+v", p)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w, b = newWorker(t, 1)
	put(t, b, "shared", []byte("x"))
	if p := serveFrame(ctx, t, w, wire.AppendRequest(nil, r), nil); len(p.failed) > 0 || p.last != wire.TypeEnd {
		t.Errorf("cancelled while the argument was read: %+v", p)
	}
}
