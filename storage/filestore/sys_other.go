//go:build !linux && !darwin

package filestore

import (
	"errors"
	"io/fs"
	"os"
)

// Elsewhere temporary files are swept by age alone, and PutNew needs hard links.

const noBlock = 0

func boot() string                               { return "" }
func alive(int, int64) bool                      { return true }
func startTime(int) int64                        { return 0 }
func inode(fs.FileInfo) uint64                   { return 0 }
func renameNew(*os.Root, string, string) error   { return errors.ErrUnsupported }
func removeFolder(root *os.Root, d string) error { return root.Remove(d + "/") }
