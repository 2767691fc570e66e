package filestore

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// reserved is the folder of temporary files in a bucket. No key has a segment of this name, so that it is hidden from
// the bucket of a folder above as well.
const reserved = ".gowren-tmp"

// stale is the age at which a temporary file is given up, whoever wrote it.
const stale = 24 * time.Hour

// temporary makes an empty file in the reserved folder. Its name tells who writes it.
func (b *Bucket) temporary() (*os.Root, *os.File, string, error) {
	name := reserved + "/" + owner() + "-" + rand.Text()
	var err error
	for range patience {
		var root *os.Root
		if root, err = b.root(true); err != nil {
			return nil, nil, "", err
		}
		var f *os.File
		if f, err = root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666); err == nil {
			return root, f, name, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			break
		}
		// Not there yet, or removed by another's Close.
		if err = root.Mkdir(reserved, 0o777); errors.Is(err, fs.ErrNotExist) && b.replaced(root) {
			continue
		}
		if err != nil && !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	return nil, nil, "", fmt.Errorf("in %s: %w", b.dir, err)
}

// owner names this process: the machine, the process's number, and when it started, since numbers are used again.
var owner = sync.OnceValue(func() string {
	pid := os.Getpid()
	return fmt.Sprintf("%s-%d-%d", machine(), pid, startTime(pid))
})

// machine names what a process's number is unique in: this boot of this machine, and this container.
var machine = sync.OnceValue(func() string {
	name, _ := os.Hostname()
	sum := sha256.Sum256([]byte(name + "\x00" + boot()))
	return hex.EncodeToString(sum[:8])
})

// sweep removes the temporary files that nobody will bring to their key any more. It is done in passing: what it cannot
// remove it leaves to the next.
func sweep(root *os.Root) {
	dir, err := root.Open(reserved)
	if err != nil {
		return
	}
	defer dir.Close()
	entries, _ := dir.ReadDir(-1)
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		if time.Since(info.ModTime()) > stale || orphan(entry.Name()) {
			_ = root.Remove(reserved + "/" + entry.Name())
		}
	}
}

// orphan tells whether the temporary file is of a process of this machine that has ended.
func orphan(name string) bool {
	parts := strings.Split(name, "-")
	if len(parts) != 4 || parts[0] != machine() {
		return false
	}
	pid, err1 := strconv.Atoi(parts[1])
	start, err2 := strconv.ParseInt(parts[2], 10, 64)
	return err1 == nil && err2 == nil && !alive(pid, start)
}
