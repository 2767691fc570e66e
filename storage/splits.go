package storage

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"strings"
)

// Split is a byte range of an object: a unit of input for one task. It can be sent to a worker, which opens the bucket
// by its URL.
type Split struct {
	URL  string // of the bucket
	Key  string
	Off  int64
	Len  int64
	Size int64  // of the whole object
	ETag string // of the object that was split
}

// DefaultSplit is the size of a split where the caller names none.
const DefaultSplit = 16 << 20

// Splits cuts the objects at rawURL into ranges of size bytes, or of [DefaultSplit] where size is 0; the last range of
// an object is shorter. The URL names a bucket, or a folder in one, of which it takes all objects at any depth
// (file:///data, s3://bucket/logs); or one object (file:///data/a.txt). The ranges come in the order of the keys and
// offsets.
//
// An empty object has no ranges. Where no object matches, the error is [io/fs.ErrNotExist]. Objects are cut as they are
// stored: one that is compressed is not unpacked. It takes one listing, and memory for all ranges.
func Splits(ctx context.Context, rawURL string, size int64) ([]Split, error) {
	if size < 0 {
		return nil, fmt.Errorf("%w: storage: the split size %d is negative", fs.ErrInvalid, size)
	}
	if size == 0 {
		size = DefaultSplit
	}
	splits, matched, err := splitFolder(ctx, rawURL, size)
	if matched {
		return splits, err
	}
	// Nothing lies below: is it an object itself? A file store cannot open a file as a folder, and says so by an error.
	splits, found := splitObject(ctx, rawURL, size)
	switch {
	case found == nil:
		return splits, nil
	case err != nil:
		return nil, err
	case errors.Is(found, fs.ErrNotExist):
		return nil, fmt.Errorf("storage: nothing is at %s: %w", rawURL, fs.ErrNotExist)
	}
	return nil, found
}

// splitFolder cuts all objects of the bucket at rawURL. It tells whether there was any.
func splitFolder(ctx context.Context, rawURL string, size int64) (splits []Split, matched bool, err error) {
	b, err := Open(ctx, rawURL)
	if err != nil {
		return nil, false, err
	}
	defer b.Close()
	for o, err := range b.List(ctx, "") {
		if err != nil {
			return nil, matched, err
		}
		matched = true
		splits = append(splits, cut(b.URL(), o, size)...)
	}
	return splits, matched, nil
}

// splitObject cuts the one object whose key is the last element of rawURL's path.
func splitObject(ctx context.Context, rawURL string, size int64) ([]Split, error) {
	u, err := parse(rawURL)
	if err != nil {
		return nil, err
	}
	dir, key := path.Split(u.Path)
	if key == "" {
		return nil, fs.ErrNotExist
	}
	parent := url.URL{Scheme: u.Scheme, User: u.User, Host: u.Host, RawQuery: u.RawQuery, Path: dir}
	if dir != "/" {
		parent.Path = strings.TrimSuffix(dir, "/")
	}
	b, err := Open(ctx, parent.String())
	if err != nil {
		return nil, err
	}
	defer b.Close()
	o, err := b.Stat(ctx, key)
	if err != nil {
		return nil, err
	}
	return cut(b.URL(), o, size), nil
}

// cut cuts one object.
func cut(url string, o Object, size int64) []Split {
	var splits []Split
	for off := int64(0); off < o.Size; off += size {
		splits = append(splits, Split{url, o.Key, off, min(size, o.Size-off), o.Size, o.ETag})
		if off > o.Size-size { // the sum could overflow
			break
		}
	}
	return splits
}
