package filestore

import (
	"context"
	"io/fs"
	"maps"
	"os"
	"slices"
)

// Delete implements [storage.Bucket]. It stops at the first file that it cannot remove. It removes the folders above
// that are empty then, up to the bucket's own, which stays.
func (b *Bucket) Delete(ctx context.Context, keys ...string) error {
	for _, key := range keys {
		if err := checkKey(key); err != nil {
			return b.fail("delete", key, err)
		}
	}
	left := map[string]bool{}
	defer func() {
		if root, err := b.root(false); err == nil {
			removeFolders(root, left)
		}
	}()
	for _, key := range keys {
		err := ctx.Err()
		if err == nil {
			_, err = read(b, func(root *os.Root) (struct{}, error) { return struct{}{}, remove(root, key) })
		}
		switch {
		case err == nil:
			for _, dir := range above(key) {
				left[dir] = true
			}
		case !missing(err):
			return b.fail("delete", key, err)
		}
	}
	return nil
}

// remove removes an object, and what is none it leaves.
func remove(root *os.Root, key string) error {
	info, err := root.Lstat(key)
	if err == nil && (info.Mode().IsRegular() || info.Mode()&fs.ModeSymlink != 0) {
		err = root.Remove(key)
	}
	return err
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
	_ = f.Close() // only read
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
