package memstore

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gowren/gowren/storage"
)

// Bucket is a [storage.Bucket] in memory.
type Bucket struct {
	name string

	mu      sync.RWMutex
	objects map[string]*object
	folders map[string]int // how many objects lie below each folder
}

// object is never changed once it is in a bucket: readers hold it without the lock.
type object struct {
	data     []byte
	modified time.Time
	etag     string
}

// versions numbers the objects of all buckets, so that an ETag is never used twice.
var versions atomic.Int64

// Name is the bucket's name, as in mem://name.
func (b *Bucket) Name() string { return b.name }

// URL opens the same bucket in this process.
func (b *Bucket) URL() string { return "mem://" + b.name }

// Close does nothing: the bucket lives on under its name.
func (b *Bucket) Close() error { return nil }

// Put implements [storage.Bucket].
func (b *Bucket) Put(ctx context.Context, key string, data io.Reader) error {
	return b.put(ctx, "put", key, data)
}

// PutNew implements [storage.Bucket].
func (b *Bucket) PutNew(ctx context.Context, key string, data io.Reader) error {
	return b.put(ctx, "putnew", key, data)
}

func (b *Bucket) put(ctx context.Context, op, key string, data io.Reader) error {
	if err := storage.CheckKey(key); err != nil {
		return b.fail(op, key, err)
	}
	bytes, err := io.ReadAll(storage.WithContext(ctx, data))
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return b.fail(op, key, err)
	}
	o := &object{slices.Clip(bytes), time.Now(), strconv.FormatInt(versions.Add(1), 36)}
	if cap(bytes)-len(bytes) > len(bytes)/8 {
		o.data = slices.Clone(bytes) // what ReadAll allocated beyond the end would stay with the object
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	old := b.objects[key]
	if old != nil && op == "putnew" {
		return b.fail(op, key, fs.ErrExist)
	}
	if old == nil {
		if err := b.claim(key); err != nil {
			return b.fail(op, key, err)
		}
	}
	b.objects[key] = o
	return nil
}

// claim counts a new object in its folders, unless one of them is an object, or the key itself a folder.
func (b *Bucket) claim(key string) error {
	if b.folders[key] > 0 {
		return fmt.Errorf("%w: there are objects below the key, and no key is another's folder", fs.ErrInvalid)
	}
	for folder := range foldersOf(key) {
		if b.objects[folder] != nil {
			return fmt.Errorf("%w: %q is an object, and no key is another's folder", fs.ErrInvalid, folder)
		}
	}
	for folder := range foldersOf(key) {
		b.folders[folder]++
	}
	return nil
}

// foldersOf yields "a" and "a/b" for "a/b/c".
func foldersOf(key string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range len(key) {
			if key[i] == '/' && !yield(key[:i]) {
				return
			}
		}
	}
}

// Delete implements [storage.Bucket].
func (b *Bucket) Delete(ctx context.Context, keys ...string) error {
	for _, key := range keys {
		if err := storage.CheckKey(key); err != nil {
			return b.fail("delete", key, err)
		}
	}
	if err := ctx.Err(); err != nil && len(keys) > 0 {
		return b.fail("delete", keys[0], err)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, key := range keys {
		if b.objects[key] == nil {
			continue
		}
		delete(b.objects, key)
		for folder := range foldersOf(key) {
			if b.folders[folder]--; b.folders[folder] == 0 {
				delete(b.folders, folder)
			}
		}
	}
	return nil
}

func (b *Bucket) fail(op, key string, err error) error {
	return &storage.Error{Op: op, URL: b.URL(), Key: key, Err: err}
}
