package filestore

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/gowren/gowren/storage"
)

// Get implements [storage.Bucket]. Its reader holds the file open, so it reads one version to the end, and knows its
// ETag. A file that somebody shortens meanwhile is [io.ErrUnexpectedEOF].
func (b *Bucket) Get(ctx context.Context, key string, off, n int64) (io.ReadCloser, error) {
	f, info, err := b.open(ctx, key, off)
	if err != nil {
		return nil, b.fail("get", key, err)
	}
	end := info.Size()
	if n >= 0 && n < end-off {
		end = off + n
	}
	return &reader{ctx, f, off, end, info}, nil
}

func (b *Bucket) open(ctx context.Context, key string, off int64) (*os.File, fs.FileInfo, error) {
	if err := checkKey(key); err != nil {
		return nil, nil, err
	}
	if off < 0 {
		return nil, nil, fmt.Errorf("%w: the offset %d is negative", fs.ErrInvalid, off)
	}
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	f, err := read(b, func(root *os.Root) (*os.File, error) { return root.OpenFile(key, os.O_RDONLY|noBlock, 0) })
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fs.ErrNotExist
	}
	if err != nil {
		_ = f.Close() // only read
		return nil, nil, err
	}
	return f, info, nil
}

// Stat implements [storage.Bucket].
func (b *Bucket) Stat(ctx context.Context, key string) (storage.Object, error) {
	err := checkKey(key)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return storage.Object{}, b.fail("stat", key, err)
	}
	info, err := read(b, func(root *os.Root) (fs.FileInfo, error) { return root.Stat(key) })
	if err == nil && !info.Mode().IsRegular() {
		err = fs.ErrNotExist
	}
	if err != nil {
		return storage.Object{}, b.fail("stat", key, err)
	}
	return describe(key, info), nil
}

// read calls do with the folder, a second time where the folder turns out to have been replaced. What is missing is
// fs.ErrNotExist.
func read[T any](b *Bucket, do func(*os.Root) (T, error)) (T, error) {
	for again := false; ; again = true {
		var zero T
		root, err := b.root(false)
		if err == nil {
			var v T
			if v, err = do(root); err == nil {
				return v, nil
			}
			if missing(err) && !again && b.replaced(root) {
				continue
			}
		}
		if missing(err) {
			err = fs.ErrNotExist
		}
		return zero, err
	}
}

func describe(key string, info fs.FileInfo) storage.Object {
	return storage.Object{Key: key, Size: info.Size(), Modified: info.ModTime(), ETag: etag(info)}
}

// etag tells versions apart by size, time and inode, as file servers do.
func etag(info fs.FileInfo) string {
	return fmt.Sprintf("%x-%x-%x", info.Size(), info.ModTime().UnixNano(), inode(info))
}

type reader struct {
	ctx      context.Context
	f        *os.File
	off, end int64
	info     fs.FileInfo // when it was opened
}

func (r *reader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	if r.off >= r.end {
		return 0, io.EOF
	}
	n, err := r.f.ReadAt(p[:min(int64(len(p)), r.end-r.off)], r.off)
	r.off += int64(n)
	if err == io.EOF && r.off < r.end {
		return n, io.ErrUnexpectedEOF
	}
	if n > 0 && err == io.EOF {
		err = nil
	}
	return n, err
}

func (r *reader) Close() error { return r.f.Close() }

func (r *reader) ETag() string { return etag(r.info) }
