package filestore

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

func newBucket(t *testing.T) *Bucket {
	t.Helper()
	b, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

func wantInvalid(t *testing.T, err error, say string) {
	t.Helper()
	if !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), say) {
		t.Errorf("error %v, want fs.ErrInvalid with %q", err, say)
	}
}

func TestRefusedKeys(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	for key, say := range map[string]string{
		"a//b": "empty segment", "a/": "empty segment", strings.Repeat("x", 256): "at most 255",
		".gowren-tmp/x": "reserved", ".gowren-tmp": "reserved", "a/.gowren-tmp/b": "reserved",
	} {
		wantInvalid(t, b.Put(context.Background(), key, strings.NewReader("")), say)
	}
}

func TestNoKeyIsAnothersFolder(t *testing.T) {
	t.Parallel()
	b, ctx := newBucket(t), context.Background()
	if err := b.Put(ctx, "a/b", strings.NewReader("x")); err != nil {
		t.Fatal(err)
	}
	for _, put := range []func(context.Context, string, io.Reader) error{b.Put, b.PutNew} {
		wantInvalid(t, put(ctx, "a", strings.NewReader("")), "below the key")
		wantInvalid(t, put(ctx, "a/b/c", strings.NewReader("")), "is an object")
		wantInvalid(t, put(ctx, "a/b/c/d", strings.NewReader("")), "is an object")
	}
	if entries, _ := os.ReadDir(filepath.Join(b.dir, reserved)); len(entries) != 0 {
		t.Errorf("left: %v", entries)
	}
}

// TestFullDisk writes through a device that is always full.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("no device that is always full:", err)
	}
	defer full.Close()
	b, ctx := newBucket(t), context.Background()
	if err := b.Put(ctx, "k", strings.NewReader("old")); err != nil {
		t.Fatal(err)
	}
	b.disk = func(io.Writer) io.Writer { return full }
	for _, put := range []func(context.Context, string, io.Reader) error{b.Put, b.PutNew} {
		err := put(ctx, "new", strings.NewReader("data"))
		if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), `"new"`) || !strings.Contains(err.Error(), b.dir) {
			t.Errorf("a full disk: %v", err)
		}
	}
	if err := b.Put(ctx, "k", strings.NewReader("new")); err == nil {
		t.Error("Put succeeds on a full disk")
	}
	if data, _ := os.ReadFile(filepath.Join(b.dir, "k")); string(data) != "old" {
		t.Errorf("the old object is %q", data)
	}
	if entries, _ := os.ReadDir(filepath.Join(b.dir, reserved)); len(entries) != 0 {
		t.Errorf("left: %v", entries)
	}
}

func TestNotPermitted(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("permissions do not bind root")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	b, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := b.Put(context.Background(), "k", strings.NewReader("")); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), dir) {
		t.Errorf("Put into a folder that is not writable: %v", err)
	}
}

// TestUnwritable cannot make a folder, which holds for root too.
func TestUnwritable(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	b := &Bucket{dir: filepath.Join(file, "sub"), url: URL(filepath.Join(file, "sub"))}
	if err := b.Put(context.Background(), "k", strings.NewReader("")); err == nil || !strings.Contains(err.Error(), b.dir) {
		t.Errorf("Put below a file: %v", err)
	}
}

// TestShortened reads a file that somebody truncates meanwhile.
func TestShortened(t *testing.T) {
	t.Parallel()
	b, ctx := newBucket(t), context.Background()
	if err := b.Put(ctx, "k", strings.NewReader("0123456789")); err != nil {
		t.Fatal(err)
	}
	r, err := b.Get(ctx, "k", 2, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := os.Truncate(filepath.Join(b.dir, "k"), 5); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); string(got) != "234" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("read %q, %v", got, err)
	}
}

// TestSweep keeps what a living process, or one of another machine, may still be writing.
func TestSweep(t *testing.T) {
	t.Parallel()
	b := newBucket(t)
	dir := filepath.Join(b.dir, reserved)
	dead := machine() + "-999999999-1-RAND" // beyond the highest number of a process
	reused := machine() + "-1-7-RAND"       // there is a process 1, which did not start then
	for name, c := range map[string]struct {
		age  time.Duration
		keep bool
	}{
		owner() + "-MINE":           {0, true},
		owner() + "-OLD":            {25 * time.Hour, false},
		dead:                        {0, false},
		reused:                      {0, runtime.GOOS != "linux" && runtime.GOOS != "darwin"},
		"0123456789abcdef-1-1-AWAY": {23 * time.Hour, true},
		"0123456789abcdef-1-1-GONE": {25 * time.Hour, false},
		"a note":                    {0, true},
	} {
		path := filepath.Join(dir, name)
		then := time.Now().Add(-c.age)
		if err := errors.Join(os.MkdirAll(dir, 0o777), os.WriteFile(path, nil, 0o666), os.Chtimes(path, then, then)); err != nil {
			t.Fatal(err)
		}
		other, err := Open(b.dir)
		if err != nil {
			t.Fatal(err)
		}
		other.Close()
		if _, err := os.Stat(path); (err == nil) != c.keep {
			t.Errorf("%s: %v, keep: %v", name, err, c.keep)
		}
	}
}

// TestRenameNew is the way of PutNew on file systems without hard links.
func TestRenameNew(t *testing.T) {
	t.Parallel()
	b, ctx := newBucket(t), context.Background()
	if err := b.Put(ctx, "a/taken", strings.NewReader("old")); err != nil {
		t.Fatal(err)
	}
	root, err := b.root(false)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"x", "y"} {
		if err := root.WriteFile(name, []byte("new"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := renameNew(root, "x", "a/free"); errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	} else if err != nil {
		t.Error(err)
	}
	if err := renameNew(root, "y", "a/taken"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("onto a file: %v", err)
	}
	if err := renameNew(root, "y", "no/folder"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("into no folder: %v", err)
	}
	if data, _ := root.ReadFile("a/taken"); string(data) != "old" {
		t.Errorf("the taken name holds %q", data)
	}
}
