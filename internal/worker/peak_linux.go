package worker

import (
	"bytes"
	"os"
	"strconv"
)

// peakMemory returns the most memory that this process has had, in bytes; 0 where that is not known. What getrusage says
// includes what the process that started this one had.
func peakMemory() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(status, []byte("VmHWM:"))
	fields := bytes.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kb, err := strconv.ParseInt(string(fields[0]), 10, 64)
	if err != nil {
		return 0
	}
	return kb << 10
}
