package filestore_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/filestore"
)

func write(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, data := range files {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, []byte(data), 0o666)); err != nil {
			t.Fatal(err)
		}
	}
}

func keys(t *testing.T, b storage.Bucket, prefix string) (keys []string) {
	t.Helper()
	for o, err := range b.List(ctx, prefix) {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, o.Key)
	}
	return keys
}

func get(b storage.Bucket, key string) (string, error) {
	r, err := b.Get(ctx, key, 0, -1)
	if err != nil {
		return "", err
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	return string(data), err
}

// TestOwnFolder reads a folder that a person made.
func TestOwnFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, map[string]string{
		"books/emma.txt": "Emma", "books/old/ulysses.txt": "Ulysses", "books-index": "index", "readme.md": "read",
		"line\nbreak": "no key", ".gowren-tmp/not-ours": "hidden", "books/.gowren-tmp/x": "hidden",
	})
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "empty"), 0o777), syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o666)); err != nil {
		t.Fatal(err)
	}
	b := open(t, dir)
	if got, want := keys(t, b, ""), []string{"books-index", "books/emma.txt", "books/old/ulysses.txt", "readme.md"}; !slices.Equal(got, want) {
		t.Errorf("List: %q, want %q", got, want)
	}
	if got, err := get(b, "books/emma.txt"); got != "Emma" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	for _, key := range []string{"pipe", "empty", "books"} {
		if _, err := get(b, key); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("Get %s, which is no file: %v", key, err)
		}
		if err := b.Delete(ctx, key); err != nil {
			t.Error(err)
		}
		if _, err := os.Stat(filepath.Join(dir, key)); err != nil {
			t.Errorf("Delete removed what is no object: %v", err)
		}
	}
	if err := b.Put(ctx, "empty", strings.NewReader("x")); err != nil {
		t.Errorf("Put over an empty folder: %v", err)
	}
}

// TestOpenLeavesNothing opens, reads and closes a bucket whose folder does not exist.
func TestOpenLeavesNothing(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "not", "there")
	b := open(t, dir)
	if got := keys(t, b, ""); got != nil {
		t.Errorf("List: %q", got)
	}
	if _, err := get(b, "k"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Get: %v", err)
	}
	if err := b.Delete(ctx, "k"); err != nil {
		t.Error(err)
	}
	b.Close()
	if _, err := os.Stat(filepath.Dir(dir)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the folder's parent: %v", err)
	}
	if err := b.Put(ctx, "k", strings.NewReader("")); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Put after Close: %v", err)
	}
}

// TestFolderReplaced removes the folder under an open bucket, as by a user who clears a cache.
func TestFolderReplaced(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "b")
	b := open(t, dir)
	for _, key := range []string{"x/1", "x/2"} {
		if err := b.Put(ctx, key, strings.NewReader(key)); err != nil {
			t.Fatal(err)
		}
		other := open(t, dir)
		if got, err := get(other, key); got != key || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		if got := keys(t, b, ""); !slices.Equal(got, []string{key}) {
			t.Errorf("List: %q, want %s", got, key)
		}
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
		if got := keys(t, b, ""); got != nil {
			t.Errorf("List of a removed folder: %q", got)
		}
	}
	write(t, dir, map[string]string{"y": "by another"})
	if got, err := get(b, "y"); got != "by another" || err != nil {
		t.Errorf("after the folder was made anew: %q, %v", got, err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	write(t, dir, map[string]string{"deep/y": "by another"})
	if err := b.Delete(ctx, "deep/y"); err != nil {
		t.Error(err)
	}
	if got := keys(t, open(t, dir), ""); got != nil {
		t.Errorf("left after Delete: %q", got)
	}
}

func TestSymlinks(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	write(t, top, map[string]string{"secret/k": "secret", "b/real/k": "data"})
	dir := filepath.Join(top, "b")
	for name, to := range map[string]string{
		"out": "../secret", "outfile": "../secret/k", "abs": filepath.Join(top, "secret"), "in": "real", "infile": "real/k", "dead": "no",
		"loop": ".",
	} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	b := open(t, dir)
	for _, key := range []string{"out/k", "outfile", "abs/k"} {
		if got, err := get(b, key); err == nil || got != "" {
			t.Errorf("Get %s leaves the bucket: %q, %v", key, got, err)
		}
	}
	for _, key := range []string{"out/new", "abs/new", "out/k"} {
		if err := b.Put(ctx, key, strings.NewReader("evil")); err == nil {
			t.Errorf("Put %s leaves the bucket", key)
		}
		_ = b.PutNew(ctx, key, strings.NewReader("evil"))
		_ = b.Delete(ctx, key)
	}
	if err := b.Put(ctx, "outfile", strings.NewReader("mine")); err != nil { // replaces the link
		t.Error(err)
	}
	if data, err := os.ReadFile(filepath.Join(top, "secret", "k")); string(data) != "secret" {
		t.Errorf("outside of the bucket: %q, %v", data, err)
	}
	if entries, _ := os.ReadDir(filepath.Join(top, "secret")); len(entries) != 1 {
		t.Errorf("outside of the bucket: %v", entries)
	}
	if got, want := keys(t, b, ""), []string{"infile", "outfile", "real/k"}; !slices.Equal(got, want) {
		t.Errorf("List: %q, want %q", got, want)
	}
	if got := keys(t, b, "in/"); got != nil {
		t.Errorf("List below a link: %q", got)
	}
	for _, key := range []string{"in/k", "infile", "real/k"} {
		if got, err := get(b, key); got != "data" || err != nil {
			t.Errorf("Get %s: %q, %v", key, got, err)
		}
	}
}

func TestURL(t *testing.T) {
	t.Parallel()
	if got, want := filestore.URL("/a b/c#d%/é?"), "file:///a%20b/c%23d%25/%C3%A9%3F"; got != want {
		t.Errorf("URL: %s, want %s", got, want)
	}
	wd, _ := os.Getwd()
	if got := filestore.URL("x"); got != "file://"+wd+"/x" {
		t.Errorf("URL of a relative path: %s", got)
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for url, say := range map[string]string{
		"file://tmp/x": "three slashes", "file://": "no path", "file:///x?a=b": "take none", filestore.URL(file): "not a directory",
	} {
		if _, err := storage.Open(ctx, url); err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("Open %s: %v, want %q", url, err, say)
		}
	}
}
