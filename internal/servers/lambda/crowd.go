package lambda

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// crowd is the cage of an environment where there are no control groups: a bootstrap, and what descends from it. It is
// frozen by signals, and has all the memory of the machine.
type crowd struct{ pid int }

// freeze returns when they have stopped, which they do a moment after the signal, where the system can tell.
func (c *crowd) freeze() {
	c.signal(syscall.SIGSTOP)
	for _, pid := range append(c.descendants(), c.pid) {
		for range 1000 {
			state, _, ok := stat(pid)
			if !ok || strings.Contains("TtZX", state) {
				break
			}
			time.Sleep(time.Millisecond)
		}
	}
}

func (c *crowd) thaw() { c.signal(syscall.SIGCONT) }

func (c *crowd) kill() { c.signal(syscall.SIGKILL) }

func (c *crowd) outOfMemory() bool { return false }

func (c *crowd) remove() {}

// signal sends to the bootstrap's group, and to descendants that have left it while their parents live.
func (c *crowd) signal(s syscall.Signal) {
	_ = syscall.Kill(-c.pid, s) // or nobody is left
	for _, pid := range c.descendants() {
		_ = syscall.Kill(pid, s)
	}
}

// descendants finds the processes below the bootstrap, where the system has /proc.
func (c *crowd) descendants() []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	children := map[int][]int{}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if _, parent, ok := stat(pid); ok {
			children[parent] = append(children[parent], pid)
		}
	}
	var all []int
	for next := []int{c.pid}; len(next) > 0; next = next[1:] {
		all = append(all, children[next[0]]...)
		next = append(next, children[next[0]]...)
	}
	return all
}

// stat returns the state of a process, and its parent.
func stat(pid int) (state string, parent int, ok bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", 0, false
	}
	// They come after the name, which may contain anything.
	fields := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
	if len(fields) < 2 {
		return "", 0, false
	}
	parent, err = strconv.Atoi(fields[1])
	return fields[0], parent, err == nil
}

// peak is that of the bootstrap alone.
func (c *crowd) peak() int64 {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.pid))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		if kb, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			n, _ := strconv.ParseInt(strings.Fields(kb)[0], 10, 64)
			return n << 10
		}
	}
	return 0
}
