package filestore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"sync"
	"syscall"
	"time"
)

// Put implements [storage.Bucket]. A key that is a folder of others, or has an object for its folder, is
// [io/fs.ErrInvalid].
func (b *Bucket) Put(ctx context.Context, key string, data io.Reader) error {
	if err := b.put(ctx, key, data, replace); err != nil {
		return b.fail("put", key, err)
	}
	return nil
}

// PutNew implements [storage.Bucket]. It does not read data where it finds the key taken at once.
func (b *Bucket) PutNew(ctx context.Context, key string, data io.Reader) error {
	err := checkKey(key)
	if err == nil {
		if root, e := b.root(false); e == nil {
			if info, e := root.Lstat(key); e == nil && !info.IsDir() {
				err = fs.ErrExist
			}
		}
	}
	if err == nil {
		err = b.put(ctx, key, data, create)
	}
	if err != nil {
		return b.fail("putnew", key, err)
	}
	return nil
}

// put writes a temporary file, which commit then brings to its key.
func (b *Bucket) put(ctx context.Context, key string, data io.Reader, commit func(*os.Root, string, string) error) error {
	if err := checkKey(key); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	root, f, tmp, err := b.temporary()
	if err != nil {
		return err
	}
	defer func() { _ = root.Remove(tmp) }() // after a rename there is none
	err = b.fill(ctx, f, data)
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return err
	}
	// The file system's clock ticks in milliseconds, and inodes are used again: with the time of the file system, two
	// objects of a size could have one ETag.
	now := time.Now()
	if err := root.Chtimes(tmp, now, now); err != nil {
		return err
	}
	return place(ctx, root, tmp, key, commit)
}

// chunks holds the buffers of fill.
var chunks = sync.Pool{New: func() any { return new([256 << 10]byte) }}

// fill copies data to f, and looks at ctx between two reads and at the end.
func (b *Bucket) fill(ctx context.Context, f *os.File, data io.Reader) error {
	var disk io.Writer = f
	if b.disk != nil {
		disk = b.disk(f)
	}
	chunk := chunks.Get().(*[256 << 10]byte)
	defer chunks.Put(chunk)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		n, err := data.Read(chunk[:])
		if n > 0 {
			if _, err := disk.Write(chunk[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return ctx.Err()
		}
		if err != nil {
			return err
		}
	}
}

// patience is how often a Put makes a folder that concurrent Deletes, which remove empty folders, take away again.
const patience = 1000

// place commits the temporary file, and makes the key's folders when they are missing.
func place(ctx context.Context, root *os.Root, tmp, key string, commit func(*os.Root, string, string) error) error {
	var err error
	for range patience {
		if err = ctx.Err(); err != nil {
			return err
		}
		err = commit(root, tmp, key)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, syscall.ENOTDIR):
			return fmt.Errorf("%w: a folder of the key is an object, and no key is another's folder", fs.ErrInvalid)
		case errors.Is(err, fs.ErrNotExist):
			if _, e := root.Lstat(tmp); e != nil {
				return fmt.Errorf("the temporary file was taken away: %w", e)
			}
			err = root.MkdirAll(path.Dir(key), 0o777)
			if err != nil && !missing(err) && !errors.Is(err, fs.ErrExist) {
				return err
			}
		case errors.Is(err, fs.ErrExist):
			info, e := root.Lstat(key)
			if e != nil || !info.IsDir() {
				return fs.ErrExist
			}
			if !removeEmpty(root, key) {
				return fmt.Errorf("%w: there are objects below the key, and no key is another's folder", fs.ErrInvalid)
			}
		default:
			return err
		}
	}
	return fmt.Errorf("the key's folder is removed as often as it is made: %w", err)
}

// replace renames tmp to key, over a file that is there.
func replace(root *os.Root, tmp, key string) error { return root.Rename(tmp, key) }

// create gives tmp the name key, unless that is taken.
func create(root *os.Root, tmp, key string) error {
	err := root.Link(tmp, key)
	switch {
	case errors.Is(err, fs.ErrExist):
		// A network file system may have lost the reply to a link that it made.
		mine, e1 := root.Lstat(tmp)
		there, e2 := root.Lstat(key)
		if e1 == nil && e2 == nil && os.SameFile(mine, there) {
			return nil
		}
	case errors.Is(err, syscall.EPERM), errors.Is(err, errors.ErrUnsupported), errors.Is(err, syscall.EMLINK):
		if e := renameNew(root, tmp, key); errors.Is(e, errors.ErrUnsupported) || errors.Is(e, syscall.EINVAL) {
			return fmt.Errorf("the file system has neither hard links nor a rename that replaces nothing: %w", err)
		} else {
			return e
		}
	}
	return err
}
