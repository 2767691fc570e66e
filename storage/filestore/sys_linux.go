package filestore

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// boot tells one boot and one PID namespace from another.
func boot() string {
	id, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	namespace, _ := os.Readlink("/proc/self/ns/pid")
	return string(id) + namespace
}

// alive tells whether the process that started at start still runs. In doubt it does.
func alive(pid int, start int64) bool {
	if errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) {
		return false
	}
	state, began, err := procStat(pid)
	if err != nil || start == 0 {
		return true
	}
	return state != 'Z' && state != 'X' && began == start
}

// startTime is when the process started, in clock ticks since boot, or 0 where that is not known.
func startTime(pid int) int64 {
	_, began, _ := procStat(pid)
	return began
}

// procStat reads the state and the start time of a process: fields 3 and 22, counted after the command's name, which is
// in brackets and may hold anything.
func procStat(pid int) (state byte, start int64, err error) {
	line, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, 0, err
	}
	fields := bytes.Fields(line[bytes.LastIndexByte(line, ')')+1:])
	if len(fields) < 20 {
		return 0, 0, fmt.Errorf("/proc/%d/stat has too few fields", pid)
	}
	start, err = strconv.ParseInt(string(fields[19]), 10, 64)
	return fields[0][0], start, err
}

func renameExclusive(from int, old string, to int, name string) error {
	return unix.Renameat2(from, old, to, name, unix.RENAME_NOREPLACE)
}
