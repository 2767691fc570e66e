//go:build !linux

package process

import "os"

// inputQueue asks how many bytes wait in a pipe: FIONREAD, which package unix does not name for these systems.
const inputQueue = 0x4004667f

func program(path string) (string, error) {
	if path == "" {
		return os.Executable()
	}
	return path, nil
}

// resident is not known here: the memory limit is not enforced.
func resident(int) (int64, bool) { return 0, false }

func peak(*os.ProcessState) int64 { return 0 }

func offer(int) {}
