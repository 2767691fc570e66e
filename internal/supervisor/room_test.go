package supervisor

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/storage"
)

// TestRoom: where files lie in memory, a child has what fetched programs leave of it, and one that leaves too little is
// refused.
func TestRoom(t *testing.T) {
	t.Parallel()
	first, second := twin(t, "1"), twin(t, "2")
	for _, c := range []struct {
		memory int64
		served bool
	}{
		{first.Size + LeastMemory, true},
		{first.Size + LeastMemory - 1, false},
	} {
		dir := t.TempDir()
		s, b := newSupervisor(t, Config{Memory: c.memory, InMemory: true, Programs: dir})
		for range 2 {
			for _, e := range []string{first.Hash, second.Hash} { // of which only the one in use is kept
				if err := errors.Join(first.Upload(t.Context(), b), second.Upload(t.Context(), b)); err != nil {
					t.Fatal(err)
				}
				v, _, err := call(t.Context(), s, Call{Program: e, Bucket: b.URL(), Body: request("limit")})
				switch {
				case !c.served && (!errors.Is(err, backends.ErrInvalid) || !strings.Contains(err.Error(), "memory=")):
					t.Errorf("a program that leaves too little: %q, %v", v, err)
				case c.served && (err != nil || v != strconv.Itoa(LeastMemory*9/10)):
					t.Errorf("the limit is %q, want that of %d: %v", v, LeastMemory, err)
				}
				if left, err := os.ReadDir(dir); err != nil || len(left) > 0 != c.served {
					t.Errorf("programs that are kept: %v, %v", left, err)
				}
			}
		}
	}
}

// TestFetchHasMemoryAlone: where files lie in memory, idle children and programs that are not in use are gone before another
// is fetched, which ends with its call.
func TestFetchHasMemoryAlone(t *testing.T) {
	t.Parallel()
	first, second := twin(t, "1"), twin(t, "2")
	dir := t.TempDir()
	s, b := newSupervisor(t, Config{Memory: 2 * (first.Size + LeastMemory), InMemory: true, Programs: dir})
	if err := errors.Join(first.Upload(t.Context(), b), second.Upload(t.Context(), b)); err != nil {
		t.Fatal(err)
	}
	serve := func(hash string) {
		t.Helper()
		if v, _, err := call(t.Context(), s, Call{Program: hash, Bucket: b.URL(), Body: request("")}); v != "done" || err != nil {
			t.Fatalf("%q, %v", v, err)
		}
	}
	serve(first.Hash)
	if n := running(t, dir); n != 1 {
		t.Fatalf("%d children, want a warm one", n)
	}
	looks := 0
	s.programs.bucket = func(ctx context.Context) (storage.Bucket, error) { // what a fetch does first
		looks++
		left, err := os.ReadDir(dir)
		if n := running(t, dir); n > 0 || len(left) > 0 || err != nil {
			t.Errorf("beside the fetch there are %d children, and programs %v, %v", n, left, err)
		}
		return s.bucket.get(ctx)
	}
	serve(second.Hash)
	serve(second.Hash)
	if looks != 1 {
		t.Errorf("%d fetches, want one", looks)
	}

	ctx, cancel := context.WithCancel(t.Context())
	returned := make(chan struct{})
	s.programs.bucket = func(ctx context.Context) (storage.Bucket, error) {
		cancel()
		<-ctx.Done()
		select {
		case <-returned:
			t.Error("the call is over before its fetch")
		case <-time.After(50 * time.Millisecond):
		}
		return nil, context.Cause(ctx)
	}
	_, _, err := s.programs.find(ctx, first.Hash)
	close(returned)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("the call ended: %v", err)
	}
}

// TestFewAreKept: programs that are not in use make room for others, those used last at the end.
func TestFewAreKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, b := newSupervisor(t, Config{Programs: dir})
	var hashes []string
	for i := range 5 {
		hashes = append(hashes, put(t, b, []byte("#!/bin/sh\nexit "+strconv.Itoa(i)+"\n")))
	}
	_, release, err := s.programs.find(t.Context(), hashes[0])
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	for _, hash := range hashes[1:] {
		_, done, err := s.programs.find(t.Context(), hash)
		if err != nil {
			t.Fatal(err)
		}
		done()
	}
	for i, hash := range hashes {
		_, err := os.Stat(filepath.Join(dir, hash))
		if kept := i == 0 || i >= 3; kept != (err == nil) {
			t.Errorf("program %d: %v", i, err)
		}
	}
}

// running counts the processes whose program is or was in a folder.
func running(t *testing.T, dir string) (n int) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		if exe, err := os.Readlink(p); err == nil && strings.HasPrefix(exe, dir) { // one that ends meanwhile has none
			n++
		}
	}
	return n
}
