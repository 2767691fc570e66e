package filestore

import (
	"cmp"
	"context"
	"io/fs"
	"iter"
	"os"
	"slices"
	"strings"

	"github.com/gowren/gowren/storage"
)

// List implements [storage.Bucket]. It reads a folder when it comes to it, and only folders that can hold the prefix.
func (b *Bucket) List(ctx context.Context, prefix string) iter.Seq2[storage.Object, error] {
	return func(yield func(storage.Object, error) bool) {
		w := &walk{ctx: ctx, prefix: prefix, yield: yield}
		err := ctx.Err()
		if err == nil {
			w.root, err = b.root(false)
		}
		if err == nil && b.replaced(w.root) { // it would read as empty
			w.root, err = b.root(false)
		}
		if err == nil {
			err = w.start()
		}
		if err != nil && !missing(err) && !w.done {
			yield(storage.Object{}, b.fail("list", prefix, err))
		}
	}
}

// prefixDir is the folder of all keys with the prefix: "a/b/" for "a/b/c".
func prefixDir(prefix string) string { return prefix[:strings.LastIndexByte(prefix, '/')+1] }

// walk is one listing.
type walk struct {
	ctx    context.Context
	root   *os.Root
	prefix string
	yield  func(storage.Object, error) bool
	done   bool // the caller wants no more
}

// start goes down to the folder of the prefix, without following links, since a listing from above does not.
func (w *walk) start() error {
	dir := prefixDir(w.prefix)
	if dir == "" {
		return w.folder(w.root, "")
	}
	name := strings.TrimSuffix(dir, "/")
	if checkKey(name) != nil {
		return nil // no key begins like this
	}
	for _, d := range append(above(name), name) {
		if info, err := w.root.Lstat(d); err != nil || !info.IsDir() {
			return err
		}
	}
	sub, err := w.root.OpenRoot(name)
	if err != nil {
		return err
	}
	defer sub.Close()
	return w.folder(sub, dir)
}

// folder lists what lies below the folder at, whose keys begin with dir. A folder that is gone is empty.
func (w *walk) folder(at *os.Root, dir string) error {
	names, err := w.names(at, dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := w.ctx.Err(); err != nil {
			return err
		}
		if sub, isDir := strings.CutSuffix(name, "/"); isDir {
			err = w.below(at, sub, dir+name)
		} else {
			err = w.file(at, name, dir+name)
		}
		if w.done {
			return nil
		}
		if err != nil && !missing(err) {
			return err
		}
	}
	return nil
}

func (w *walk) below(at *os.Root, name, dir string) error {
	sub, err := at.OpenRoot(name)
	if err != nil {
		return err
	}
	defer sub.Close()
	return w.folder(sub, dir)
}

func (w *walk) file(at *os.Root, name, key string) error {
	info, err := at.Lstat(name)
	if err != nil {
		return err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		if info, err = w.root.Stat(key); err != nil {
			return nil //nolint:nilerr // it leads nowhere, or out of the bucket
		}
	}
	if info.Mode().IsRegular() && !w.yield(describe(key, info), nil) {
		w.done = true
	}
	return nil
}

// names reads one folder: the entries that can have keys with the prefix, in the order of their keys. A folder's name
// has its slash, since "a-b" comes before "a/b".
func (w *walk) names(at *os.Root, dir string) ([]string, error) {
	f, err := at.Open(".")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	entries, err := f.ReadDir(-1)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(entries))
	for _, entry := range entries {
		name := entry.Name()
		if checkKey(dir+name) != nil {
			continue
		}
		switch full := dir + name; {
		case entry.IsDir():
			if full += "/"; strings.HasPrefix(full, w.prefix) || strings.HasPrefix(w.prefix, full) {
				names = append(names, name+"/")
			}
		case entry.Type()&^fs.ModeSymlink == 0 && strings.HasPrefix(full, w.prefix):
			names = append(names, name)
		}
	}
	slices.SortFunc(names, cmp.Compare[string])
	return names, nil
}
