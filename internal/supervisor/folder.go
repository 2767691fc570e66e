package supervisor

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// folder is one of this process's own, which it holds locked: what is found unlocked belonged to one that was killed.
type folder struct {
	path string
	lock *os.File
}

const folderPattern = "gowren-programs-"

// makeFolder makes a folder for programs in the system's folder of temporary files, and removes those that killed
// supervisors have left there.
func makeFolder() (*folder, error) {
	left, err := filepath.Glob(filepath.Join(os.TempDir(), folderPattern+"*"))
	if err != nil {
		return nil, err
	}
	for _, path := range left {
		info, err := os.Stat(path)
		if err != nil || time.Since(info.ModTime()) < time.Minute { // one that was just made may not be locked yet
			continue
		}
		if f, err := hold(path); err == nil {
			_ = f.close() // another user's folder stays; so it does no harm
		}
	}
	path, err := os.MkdirTemp("", folderPattern)
	if err != nil {
		return nil, err
	}
	f, err := hold(path)
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(path))
	}
	return f, nil
}

// hold locks a folder, unless another process does.
func hold(path string) (*folder, error) {
	d, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(d.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return &folder{path, d}, nil
}

func (f *folder) close() error { return errors.Join(os.RemoveAll(f.path), f.lock.Close()) }
