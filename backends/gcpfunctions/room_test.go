package gcpfunctions

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/servers/gcf"
	"github.com/gowren/gowren/mapper"
)

var goLimit = mapper.Func("gcpfunctions/limit", func(context.Context, int) (string, error) { return os.Getenv("GOMEMLIMIT"), nil })

// TestRoom: a task has what the real size of the worker's executable leaves.
func TestRoom(t *testing.T) {
	t.Parallel()
	s := gcf.New(t, gcf.Options{})
	ex, err := mapper.New(t.Context(), newBackend(t, config(s)), bucket(t), mapper.Options{Quiet: true})
	if err != nil {
		t.Fatal(err)
	}
	got, err := mapper.Call(t.Context(), ex, goLimit, 0)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(self)
	if err != nil {
		t.Fatal(err)
	}
	if want := strconv.Itoa(left(1024, info.Size()) << 20 * 9 / 10); got != want {
		t.Errorf("Go's limit is %s, want %s", got, want)
	}
}

// TestProgramTakesAll: a program that leaves too little is refused before anything is deployed.
func TestProgramTakesAll(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("/bin/false")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(path, data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 129<<20); err != nil {
		t.Fatal(err)
	}
	s := gcf.New(t, gcf.Options{})
	c := config(s)
	c.MemoryMB = 256
	wantError(t, s, prepare(t, newBackend(t, c), bucket(t), path), backends.ErrInvalid, "129 MB", "63 MB of 256", "memory=")
	if calls := s.Calls(); len(calls) > 0 {
		t.Errorf("calls: %v", calls)
	}
}
