package filestore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"

	"github.com/gowren/gowren/storage"
)

func init() { storage.Register("file", open) }

// Open returns the bucket of the files below dir. A folder that does not exist is an empty bucket; one that cannot be
// read, or a dir that is a file, is an error. Open removes what processes that died left in the reserved folder.
func Open(dir string) (*Bucket, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("filestore: open %s: %w", dir, err)
	}
	b := &Bucket{dir: abs, url: URL(abs)}
	root, err := b.root(false)
	if errors.Is(err, fs.ErrNotExist) {
		return b, nil
	}
	if err != nil {
		return nil, fmt.Errorf("filestore: open: %w", err)
	}
	sweep(root)
	return b, nil
}

// URL writes the file URL of path, which may be relative to the working directory.
func URL(path string) string {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	return (&url.URL{Scheme: "file", Path: filepath.ToSlash(path)}).String()
}

func open(_ context.Context, u *url.URL) (storage.Bucket, error) {
	if err := storage.CheckParams(u); err != nil {
		return nil, err
	}
	if u.User != nil || u.Host != "" && u.Host != "localhost" {
		return nil, fmt.Errorf("%w: filestore: a file URL names no host: write three slashes, as in file:///tmp/x", fs.ErrInvalid)
	}
	if u.Path == "" {
		return nil, fmt.Errorf("%w: filestore: the URL has no path: write file:///tmp/x", fs.ErrInvalid)
	}
	return Open(filepath.FromSlash(u.Path))
}

// root returns the open folder, which it makes where create says so.
func (b *Bucket) root(create bool) (*os.Root, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, fs.ErrClosed
	}
	if b.opened != nil {
		return b.opened, nil
	}
	root, err := os.OpenRoot(b.dir)
	if create && errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(b.dir, 0o777); err == nil {
			root, err = os.OpenRoot(b.dir)
		}
	}
	if err != nil {
		return nil, err
	}
	b.opened = root
	return root, nil
}

// replaced tells whether the folder was removed or replaced since it was opened as root, as by a user who clears a cache
// while a worker waits. If so it is opened anew by the next call. Others may still use root, so it is left to the
// garbage collector, which closes it.
func (b *Bucket) replaced(root *os.Root) bool {
	now, err := os.Stat(b.dir)
	if err == nil {
		if then, err := root.Stat("."); err == nil && os.SameFile(now, then) {
			return false
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.opened == root {
		b.opened = nil
	}
	return true
}
