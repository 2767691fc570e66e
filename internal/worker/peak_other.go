//go:build !linux

package worker

import "syscall"

// peakMemory returns the most memory that this process has had, in bytes; 0 where that is not known.
func peakMemory() int64 {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return r.Maxrss // which is in bytes on macOS
}
