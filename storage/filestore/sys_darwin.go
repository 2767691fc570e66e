package filestore

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// boot tells one boot from another.
func boot() string {
	id, _ := unix.Sysctl("kern.bootsessionuuid")
	return id
}

// zombie is the state of a process that has ended and whose parent has not asked how (SZOMB of sys/proc.h).
const zombie = 5

// alive tells whether the process that started at start still runs. In doubt it does.
func alive(pid int, start int64) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return false
	}
	p, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil || start == 0 {
		return true
	}
	return p.Proc.P_stat != zombie && startOf(p) == start
}

// startTime is when the process started, in microseconds, or 0 where that is not known.
func startTime(pid int) int64 {
	p, err := unix.SysctlKinfoProc("kern.proc.pid", pid)
	if err != nil {
		return 0
	}
	return startOf(p)
}

func startOf(p *unix.KinfoProc) int64 {
	return p.Proc.P_starttime.Sec*1_000_000 + int64(p.Proc.P_starttime.Usec)
}

func renameExclusive(from int, old string, to int, name string) error {
	return unix.RenameatxNp(from, old, to, name, unix.RENAME_EXCL)
}
