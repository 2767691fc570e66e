package program

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/memstore"
	"github.com/gowren/gowren/storage/storagetest"
)

var here = Platform{"linux", runtime.GOARCH}

// running returns the bytes of this program.
func running(t *testing.T) []byte {
	t.Helper()
	data, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Skip("there is no /proc")
	}
	return data
}

func write(t *testing.T, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, data, 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFindGiven(t *testing.T) {
	t.Parallel()
	data := running(t)
	e, err := Find(t.Context(), write(t, data), nil, here)
	if err != nil || e.Size != int64(len(data)) || !ValidHash(e.Hash) {
		t.Fatalf("%+v, %v", e, err)
	}
	if err := e.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(e.Path); err != nil {
		t.Errorf("the given file is gone: %v", err)
	}
	foreign := slices.Clone(data)
	foreign[18] ^= 0xff // the processor, in the file's header
	for name, c := range map[string]struct {
		path  string
		words []string
	}{
		"missing":             {filepath.Join(t.TempDir(), "none"), []string{"GOWREN_PROGRAM", "none"}},
		"a script":            {write(t, []byte("#!/bin/sh\n")), []string{"no executable"}},
		"empty":               {write(t, nil), []string{"GOWREN_PROGRAM"}},
		"another processor":   {write(t, foreign), []string{"processor", here.Arch}},
		"cut in its header":   {write(t, data[:30]), []string{"GOWREN_PROGRAM"}},
		"a folder":            {t.TempDir(), []string{"GOWREN_PROGRAM"}},
		"cut after its table": {write(t, data[:64]), []string{"GOWREN_PROGRAM"}},
	} {
		_, err := Find(t.Context(), c.path, nil, here)
		if !errors.Is(err, backends.ErrInvalid) {
			t.Errorf("%s: %v, want backends.ErrInvalid", name, err)
			continue
		}
		for _, w := range c.words {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: the error lacks %q: %v", name, w, err)
			}
		}
	}
	if _, err := Find(t.Context(), write(t, data), nil, Platform{"plan9", "mips"}); !errors.Is(err, backends.ErrInvalid) {
		t.Errorf("another system: %v", err)
	}
}

// TestBuild builds a program of this module, as Find does where the running one does not fit.
func TestBuild(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it builds a program")
	}
	info := &debug.BuildInfo{Path: "github.com/gowren/gowren/examples/pi"}
	e, err := buildIn(t.Context(), t.TempDir(), info, here)
	if err != nil {
		t.Fatal(err)
	}
	if err := fits(e.Path, here, true); err != nil {
		t.Error(err)
	}
	info.Path += "/none"
	if _, err := buildIn(t.Context(), t.TempDir(), info, here); !errors.Is(err, backends.ErrInvalid) || !strings.Contains(err.Error(), "none") {
		t.Errorf("a package that is not there: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := buildIn(ctx, t.TempDir(), info, here); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestBuildArgs(t *testing.T) {
	t.Parallel()
	info := &debug.BuildInfo{Path: "example.com/x.test", Settings: []debug.BuildSetting{{Key: "-tags", Value: "a,b"}}}
	got := strings.Join(buildArgs(info, "out"), " ")
	if want := "test -c -trimpath -buildvcs=false -ldflags=-s -w -tags=a,b -o out example.com/x"; got != want {
		t.Errorf("go %s, want go %s", got, want)
	}
	info = &debug.BuildInfo{Path: "example.com/x"}
	if got, want := strings.Join(buildArgs(info, "out"), " "), "build -trimpath -buildvcs=false -ldflags=-s -w -o out example.com/x"; got != want {
		t.Errorf("go %s, want go %s", got, want)
	}
}

// TestRenewed: a program that is still wanted does not grow old in the bucket.
func TestRenewed(t *testing.T) {
	t.Parallel()
	e, err := Find(t.Context(), write(t, running(t)), nil, here)
	if err != nil {
		t.Fatal(err)
	}
	b := &aging{Bucket: memstore.New()}
	for _, c := range []struct {
		age  time.Duration
		puts int
	}{{0, 1}, {23 * time.Hour, 1}, {25 * time.Hour, 2}} {
		b.age = c.age
		if err := e.Upload(t.Context(), b); err != nil || b.puts != c.puts {
			t.Errorf("after %v: %v, %d uploads, want %d", c.age, err, b.puts, c.puts)
		}
	}
}

// aging says that its objects are older than they are, and counts what is put.
type aging struct {
	storage.Bucket
	age  time.Duration
	puts int
}

func (b *aging) Stat(ctx context.Context, key string) (storage.Object, error) {
	o, err := b.Bucket.Stat(ctx, key)
	o.Modified = o.Modified.Add(-b.age)
	return o, err
}

func (b *aging) Put(ctx context.Context, key string, data io.Reader) error {
	b.puts++
	return b.Bucket.Put(ctx, key, data)
}

func TestStore(t *testing.T) {
	t.Parallel()
	b := memstore.New()
	data := running(t)
	e, err := Find(t.Context(), write(t, data), nil, here)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := e.Upload(t.Context(), b); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), e.Hash)
	if err := Fetch(t.Context(), b, e.Hash, path, e.Size); err != nil {
		t.Fatal(err)
	}
	got, err := measure(path)
	info, statErr := os.Stat(path)
	if err = errors.Join(err, statErr); err != nil || got.Hash != e.Hash || info.Mode().Perm() != 0o700 {
		t.Errorf("%+v with mode %v, %v", got, info.Mode(), err)
	}
	lost := errors.New("lost")
	for name, c := range map[string]struct {
		rule storagetest.Rule
		want error
	}{
		"refused": {storagetest.Rule{Op: "get", Before: fs.ErrPermission}, fs.ErrPermission},
		"cut":     {storagetest.Rule{Op: "get", Cut: lost, At: 1000}, lost},
	} {
		path := filepath.Join(t.TempDir(), "x")
		if err := Fetch(t.Context(), storagetest.Faults(b, c.rule), e.Hash, path, MaxSize); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: a file is left, %v", name, err)
		}
	}
	small := filepath.Join(t.TempDir(), "small")
	if err := Fetch(t.Context(), b, e.Hash, small, e.Size-1); !errors.Is(err, ErrTooLarge) || !errors.Is(err, backends.ErrInvalid) {
		t.Errorf("one byte too many: %v", err)
	}
	if left, err := os.ReadDir(filepath.Dir(small)); err != nil || len(left) > 0 {
		t.Errorf("one byte too many leaves %v, %v", left, err)
	}
	for _, op := range []string{"stat", "put"} {
		again, err := Find(t.Context(), write(t, append(data, op...)), nil, here)
		if err != nil {
			t.Fatal(err)
		}
		if err := again.Upload(t.Context(), storagetest.Faults(b, storagetest.Rule{Op: op, Before: fs.ErrPermission})); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("%s refused: %v", op, err)
		}
	}
	if err := Fetch(t.Context(), b, strings.Repeat("0", 64), path+"x", MaxSize); !errors.Is(err, backends.ErrInvalid) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing program: %v", err)
	}
	if err := Fetch(t.Context(), b, "../x", path+"x", MaxSize); !errors.Is(err, backends.ErrInvalid) {
		t.Errorf("no hash: %v", err)
	}
}
