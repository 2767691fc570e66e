package process

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// inputQueue asks how many bytes wait in a pipe.
const inputQueue = unix.TIOCINQ

// program returns what to execute. The running image is started again even if its file was replaced meanwhile.
func program(path string) (string, error) {
	if path == "" {
		return "/proc/self/exe", nil
	}
	return path, nil
}

// resident returns the bytes of memory that a process holds.
func resident(pid int) (int64, bool) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, false
	}
	fields := bytes.Fields(data)
	if len(fields) < 2 {
		return 0, false
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	return pages * int64(os.Getpagesize()), err == nil
}

// peak returns the most bytes of memory that a process which has ended has held.
func peak(state *os.ProcessState) int64 {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	return usage.Maxrss << 10
}

// offer makes the process one that the system ends before the driver when memory runs out. Where the system does not
// allow it, nothing is lost.
func offer(pid int) {
	ours, err := os.ReadFile("/proc/self/oom_score_adj")
	if err != nil {
		return
	}
	n, err := strconv.Atoi(string(bytes.TrimSpace(ours)))
	if err != nil {
		return
	}
	n = min(max(n+100, 500), 1000)
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/oom_score_adj", pid), []byte(strconv.Itoa(n)), 0o644)
}
