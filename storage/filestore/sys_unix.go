//go:build linux || darwin

package filestore

import (
	"io/fs"
	"os"
	"path"
	"syscall"

	"golang.org/x/sys/unix"
)

// noBlock keeps the opening of a named pipe, which is no object, from waiting for a writer.
const noBlock = syscall.O_NONBLOCK

// inode tells apart files of one size and time.
func inode(info fs.FileInfo) uint64 {
	if stat, ok := info.Sys().(*syscall.Stat_t); ok {
		return stat.Ino
	}
	return 0
}

// removeFolder removes a folder if it is empty. It is not Root.Remove, which would remove a file that took the folder's
// place in the meantime: an object.
func removeFolder(root *os.Root, dir string) error {
	parent, err := root.Open(path.Dir(dir))
	if err != nil {
		return err
	}
	defer parent.Close()
	return unix.Unlinkat(int(parent.Fd()), path.Base(dir), unix.AT_REMOVEDIR)
}

// renameNew renames a file unless the new name is taken.
func renameNew(root *os.Root, old, name string) error {
	from, err := root.Open(path.Dir(old))
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := root.Open(path.Dir(name))
	if err != nil {
		return err
	}
	defer to.Close()
	err = renameExclusive(int(from.Fd()), path.Base(old), int(to.Fd()), path.Base(name))
	if err != nil {
		return &os.LinkError{Op: "rename", Old: old, New: name, Err: err}
	}
	return nil
}
