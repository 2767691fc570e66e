package filestore

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/gowren/gowren/storage"
)

// Bucket is a [storage.Bucket] of files. [Open] makes one.
type Bucket struct {
	dir, url string

	mu     sync.Mutex
	opened *os.Root // nil until the folder is known to exist
	closed bool

	// disk, where a test sets it, stands between a Put and its file.
	disk func(io.Writer) io.Writer
}

// URL opens the same bucket in any process of a machine that has the folder.
func (b *Bucket) URL() string { return b.url }

// Close removes what processes that died left in the reserved folder, and that folder if it is empty. Readers that are
// open stay so.
func (b *Bucket) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil
	}
	b.closed = true
	if b.opened == nil {
		return nil
	}
	sweep(b.opened)
	_ = removeFolder(b.opened, reserved) // fails where another process writes, which is as well
	return b.opened.Close()
}

// maxSegment is the longest name of a file on all the usual file systems, in bytes.
const maxSegment = 255

// checkKey adds to storage.CheckKey what a path of files cannot take.
func checkKey(key string) error {
	if err := storage.CheckKey(key); err != nil {
		return err
	}
	for segment := range strings.SplitSeq(key, "/") {
		switch {
		case segment == "":
			return fmt.Errorf("%w: the key is refused: it has an empty segment, which no path can have", fs.ErrInvalid)
		case len(segment) > maxSegment:
			return fmt.Errorf("%w: the key is refused: a segment has %d bytes, a file's name at most %d", fs.ErrInvalid,
				len(segment), maxSegment)
		case segment == reserved:
			return fmt.Errorf("%w: the key is refused: %q is reserved for temporary files", fs.ErrInvalid, reserved)
		}
	}
	return nil
}

func (b *Bucket) fail(op, key string, err error) error {
	return &storage.Error{Op: op, URL: b.url, Key: key, Err: err}
}

// missing tells whether err says that there is no such file: its folder may be missing, or be a file.
func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// above lists the folders of a key, the nearest first: "a/b" and "a" for "a/b/c".
func above(key string) []string {
	var dirs []string
	for dir := path.Dir(key); dir != "." && dir != "/"; dir = path.Dir(dir) {
		dirs = append(dirs, dir)
	}
	return slices.Clip(dirs)
}
