package supervisor

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/gowren/gowren/backends"
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
		s, b := newSupervisor(t, Config{Memory: c.memory, InMemory: true})
		for range 2 {
			for _, e := range []string{first.Hash, second.Hash} { // of which only the one in use is kept
				if err := errors.Join(first.Upload(t.Context(), b), second.Upload(t.Context(), b)); err != nil {
					t.Fatal(err)
				}
				v, _, err := call(t.Context(), s, Call{Program: e, Bucket: b.URL(), Body: request("limit")})
				switch {
				case !c.served && !errors.Is(err, backends.ErrInvalid):
					t.Errorf("a program that leaves too little: %q, %v", v, err)
				case c.served && (err != nil || v != strconv.Itoa(LeastMemory*9/10)):
					t.Errorf("the limit is %q, want that of %d: %v", v, LeastMemory, err)
				}
			}
		}
	}
}

// TestFewBytesAreKept: programs that are not in use make room for others, those used last at the end.
func TestFewBytesAreKept(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, b := newSupervisor(t, Config{Programs: dir, Slots: 9, InMemory: true, Memory: 8 * 100})
	s.config.Memory = 0 // these have room anywhere
	var hashes []string
	for i := range 5 {
		program := append([]byte("#!/bin/sh\nexit "+strconv.Itoa(i)+"\n"), make([]byte, 30)...) // of 47 bytes
		hashes = append(hashes, put(t, b, program))
	}
	_, release, err := s.programs.find(t.Context(), hashes[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, hash := range hashes[1:] {
		_, done, err := s.programs.find(t.Context(), hash)
		if err != nil {
			t.Fatal(err)
		}
		done()
	}
	release()
	for i, hash := range hashes {
		_, err := os.Stat(filepath.Join(dir, hash))
		if kept := i == 0 || i == 4; kept != (err == nil) {
			t.Errorf("program %d: %v", i, err)
		}
	}
	if got := s.programs.size(); got != 2*47 {
		t.Errorf("%d bytes are kept", got)
	}
}
