package filestore

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
)

// Delete implements [storage.Bucket]. It stops at the first file that it cannot remove. It removes the folders above
// that are empty then, up to the bucket's own, which stays.
func (b *Bucket) Delete(ctx context.Context, keys ...string) error {
	for _, key := range keys {
		if err := checkKey(key); err != nil {
			return b.fail("delete", key, err)
		}
	}
	root, err := b.root(false)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return b.fail("delete", strings.Join(keys, " "), err)
	}
	left := map[string]bool{}
	defer func() { removeFolders(root, left) }()
	for _, key := range keys {
		if err := ctx.Err(); err != nil {
			return b.fail("delete", key, err)
		}
		info, err := root.Lstat(key)
		if err == nil && (info.Mode().IsRegular() || info.Mode()&fs.ModeSymlink != 0) {
			err = root.Remove(key)
		}
		if err != nil && !missing(err) {
			return b.fail("delete", key, err)
		}
		if err == nil {
			for _, dir := range above(key) {
				left[dir] = true
			}
		}
	}
	return nil
}

// removeFolders removes those of the folders that are empty, the deepest first: a path sorts before what lies below it.
func removeFolders(root *os.Root, dirs map[string]bool) {
	for _, dir := range slices.Backward(slices.Sorted(maps.Keys(dirs))) {
		_ = removeFolder(root, dir) // not empty, mostly
	}
}

// removeEmpty removes a folder that holds nothing but empty folders, such as a failed Put leaves. It tells whether the
// way is free: there is no such folder any more.
func removeEmpty(root *os.Root, dir string) bool {
	f, err := root.Open(dir)
	if err != nil {
		return missing(err)
	}
	entries, err := f.ReadDir(-1)
	f.Close()
	if err != nil {
		return false
	}
	for _, entry := range entries {
		if !entry.IsDir() || !removeEmpty(root, dir+"/"+entry.Name()) {
			return false
		}
	}
	err = removeFolder(root, dir)
	return err == nil || missing(err)
}
