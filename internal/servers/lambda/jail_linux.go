package lambda

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// jail is a folder of version 1 control groups, for memory and for freezing, with a cell for each environment.
type jail struct {
	memory, freezer string
	homes           [2]string // the groups of this process in the two hierarchies
	keeper          *keeper
	cells           int
}

// openJail returns nil where the machine has no such control groups, or not for us.
func openJail() (*jail, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	memory, freezer := controller("memory"), controller("freezer")
	if memory == "" || freezer == "" {
		return nil, nil
	}
	name := fmt.Sprintf("gowren-lambda-%d-%s", os.Getpid(), newID()[:8])
	j := &jail{
		memory: filepath.Join(memory, name), freezer: filepath.Join(freezer, name),
		homes: [2]string{home(memory, "memory"), home(freezer, "freezer")},
	}
	if !made(j.memory) {
		return nil, nil
	}
	if !made(j.freezer) {
		return nil, os.Remove(j.memory)
	}
	var err error
	if j.keeper, err = keep(j.freezer, j.memory); err != nil {
		return nil, errors.Join(err, os.Remove(j.memory), os.Remove(j.freezer))
	}
	return j, nil
}

// made makes a control group, and reports whether it may.
func made(dir string) bool { return os.Mkdir(dir, 0o755) == nil }

// controller returns where a controller's hierarchy is mounted, or "".
func controller(name string) string {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(mounts)) {
		if f := strings.Fields(line); len(f) > 3 && f[2] == "cgroup" && slices.Contains(strings.Split(f[3], ","), name) {
			return f[1]
		}
	}
	return ""
}

// home returns this process's group below a mount: the mount itself where a container sees no more of the hierarchy.
func home(mount, controller string) string {
	groups, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return mount
	}
	for line := range strings.Lines(string(groups)) {
		f := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(f) == 3 && slices.Contains(strings.Split(f[1], ","), controller) {
			if dir := filepath.Join(mount, f[2]); exists(filepath.Join(dir, "tasks")) {
				return dir
			}
		}
	}
	return mount
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// close removes the jail, whose cells are empty.
func (j *jail) close() {
	if j != nil {
		j.keeper.end()
	}
}

// start starts a process in a cell. It is for the starter's thread, which goes into the cell, so that the process is
// there from its first breath, and out again.
func (j *jail) start(cmd *exec.Cmd, memory int64) (cage, error) {
	if j == nil {
		c := &crowd{}
		if err := cmd.Start(); err != nil {
			return nil, err
		}
		c.pid = cmd.Process.Pid
		return c, nil
	}
	j.cells++
	c := &cell{filepath.Join(j.memory, strconv.Itoa(j.cells)), filepath.Join(j.freezer, strconv.Itoa(j.cells))}
	err := errors.Join(os.Mkdir(c.memory, 0o755), os.Mkdir(c.freezer, 0o755))
	if err == nil {
		err = write(c.memory, "memory.limit_in_bytes", strconv.FormatInt(memory, 10))
	}
	if err == nil {
		// Where the kernel counts swap it is not to be had on top.
		_ = write(c.memory, "memory.memsw.limit_in_bytes", strconv.FormatInt(memory, 10))
		err = errors.Join(write(c.memory, "tasks", "0"), write(c.freezer, "tasks", "0"))
	}
	if err == nil {
		err = cmd.Start()
	}
	err = errors.Join(err, write(j.homes[0], "tasks", "0"), write(j.homes[1], "tasks", "0"))
	if err != nil {
		c.remove()
		return nil, err
	}
	return c, nil
}

func write(dir, file, text string) error {
	return os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644)
}

// cell is the cage of an environment: its folders in the two hierarchies.
type cell struct{ memory, freezer string }

func (c *cell) freeze() {
	if write(c.freezer, "freezer.state", "FROZEN") != nil {
		return
	}
	for range 1000 { // it takes as long as system calls that cannot be interrupted
		state, err := os.ReadFile(filepath.Join(c.freezer, "freezer.state"))
		if err != nil || strings.TrimSpace(string(state)) == "FROZEN" {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func (c *cell) thaw() { _ = write(c.freezer, "freezer.state", "THAWED") } // or it is gone

// kill kills until nobody is left, since what is killed may just have started another.
func (c *cell) kill() {
	for range 5000 {
		pids := members(c.freezer)
		if len(pids) == 0 {
			return
		}
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
		c.thaw()
		time.Sleep(time.Millisecond)
	}
}

// members returns the processes of a control group.
func members(dir string) []int {
	f, err := os.Open(filepath.Join(dir, "cgroup.procs"))
	if err != nil {
		return nil
	}
	defer f.Close()
	var pids []int
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if pid, err := strconv.Atoi(lines.Text()); err == nil {
			pids = append(pids, pid)
		}
	}
	return pids
}

func (c *cell) peak() int64 {
	text, err := os.ReadFile(filepath.Join(c.memory, "memory.max_usage_in_bytes"))
	if err != nil {
		return 0
	}
	n, _ := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	return n
}

// outOfMemory reports whether the kernel has killed somebody in the cell.
func (c *cell) outOfMemory() bool {
	text, err := os.ReadFile(filepath.Join(c.memory, "memory.oom_control"))
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(text)) {
		if n, ok := strings.CutPrefix(line, "oom_kill "); ok {
			return strings.TrimSpace(n) != "0"
		}
	}
	// Old kernels do not count; they tell that the limit was met.
	count, err := os.ReadFile(filepath.Join(c.memory, "memory.failcnt"))
	return err == nil && strings.TrimSpace(string(count)) != "0"
}

// remove removes the cell. The kernel may take a moment to see that it is empty.
func (c *cell) remove() { removeGroups(c.memory, c.freezer) }

func removeGroups(dirs ...string) {
	for _, dir := range dirs {
		for range 1000 {
			if err := os.Remove(dir); err == nil || errors.Is(err, os.ErrNotExist) {
				break
			}
			time.Sleep(time.Millisecond)
		}
	}
}

// endWithParent gives a process a group of its own, and lets Linux kill it when the thread that started it ends.
func endWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// usageOf returns the most memory that a process which has ended had, in bytes.
func usageOf(state *os.ProcessState) (int64, bool) {
	if state == nil {
		return 0, false
	}
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, false
	}
	return usage.Maxrss << 10, true
}
