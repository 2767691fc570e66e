package backendtest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gowren/gowren/internal/program"
	"github.com/gowren/gowren/storage/filestore"
)

// packed is a folder with the program that GOWREN_PROGRAM names as a driver uploads it, which takes time: once for all cases.
var packed = sync.OnceValues(func() (dir string, err error) {
	e, err := program.Find(context.Background(), os.Getenv("GOWREN_PROGRAM"), nil, program.Platform{OS: runtime.GOOS, Arch: runtime.GOARCH})
	if err != nil {
		return "", err
	}
	if dir, err = os.MkdirTemp("", "gowren-backendtest-"); err != nil {
		return "", err
	}
	b, err := filestore.Open(dir)
	if err != nil {
		return dir, err
	}
	return dir, errors.Join(e.Upload(context.Background(), b), b.Close())
})

var used atomic.Bool // packed was called

// program puts the program into the bucket's folder.
func (h *harness) program(t *testing.T) {
	t.Helper()
	if os.Getenv("GOWREN_PROGRAM") == "" {
		return
	}
	used.Store(true)
	dir, err := packed()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "programs", "*"))
	if err == nil {
		err = os.Mkdir(filepath.Join(h.folder, "programs"), 0o700)
	}
	for _, f := range files {
		err = errors.Join(err, os.Link(f, filepath.Join(h.folder, "programs", filepath.Base(f))))
	}
	if err != nil {
		t.Fatal(err)
	}
}
