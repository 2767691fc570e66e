//go:build linux || darwin

package process

import (
	"syscall"
	"unsafe"
)

// awaitExit returns when the process, a child of this one, has ended, and leaves it to be collected.
func awaitExit(pid int) {
	const ofProcess = 1 // P_PID
	var info [16]uint64 // a siginfo_t, which nobody reads
	for {
		_, _, err := syscall.Syscall6(syscall.SYS_WAITID, ofProcess, uintptr(pid), uintptr(unsafe.Pointer(&info)),
			syscall.WEXITED|syscall.WNOWAIT, 0, 0)
		if err != syscall.EINTR {
			return // whatever else it may be, collecting the process will tell
		}
	}
}
