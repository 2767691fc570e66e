package process

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
)

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

// offer makes the process the first that the system ends when memory runs out, before the driver. Where the system does
// not allow it, nothing is lost.
func offer(pid int) {
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/oom_score_adj", pid), []byte("500"), 0o644)
}
