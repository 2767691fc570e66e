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
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/filestore"
)

// Itself names the running test binary as the program that workers run, as it is: it need not be built anew to be
// statically linked. TestMain calls it before Main.
func Itself() {
	path, err := os.Executable()
	if err == nil {
		err = os.Setenv("GOWREN_PROGRAM", path)
	}
	if err != nil {
		panic(err)
	}
}

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

// Folder makes a bucket in a folder of the test, which has the program that GOWREN_PROGRAM names as if a driver had uploaded
// it.
func Folder(t testing.TB) storage.Bucket {
	t.Helper()
	dir := t.TempDir()
	b, err := filestore.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	link(t, dir)
	return b
}

// link puts the program into a bucket's folder.
func link(t testing.TB, folder string) {
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
		err = os.Mkdir(filepath.Join(folder, "programs"), 0o700)
	}
	for _, f := range files {
		err = errors.Join(err, os.Link(f, filepath.Join(folder, "programs", filepath.Base(f))))
	}
	if err != nil {
		t.Fatal(err)
	}
}
