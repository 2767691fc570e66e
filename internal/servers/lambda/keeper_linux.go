package lambda

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
)

// keeperVariable makes a test binary a keeper, and names the folders that it keeps.
const keeperVariable = "GOWREN_TEST_LAMBDA_KEEPER"

// keeper is a process that empties and removes a jail when this one lets go of it, or is gone.
type keeper struct {
	cmd   *exec.Cmd
	leash *os.File
}

func keep(dirs ...string) (*keeper, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	end, leash, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	k := &keeper{exec.Command(program), leash}
	k.cmd.Env = append(os.Environ(), keeperVariable+"="+strings.Join(dirs, string(os.PathListSeparator)), "GORACE=atexit_sleep_ms=0")
	k.cmd.Stdin = end
	k.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a terminal's signals are not for it
	if err := errors.Join(k.cmd.Start(), end.Close()); err != nil {
		return nil, errors.Join(err, leash.Close())
	}
	return k, nil
}

// end lets go, and waits until the jail is gone.
func (k *keeper) end() {
	_ = k.leash.Close()
	_ = k.cmd.Wait() // what it could not do it cannot tell: its process is all there is
}

// init makes this process a keeper where one is wanted.
func init() {
	dirs := os.Getenv(keeperVariable)
	if dirs == "" {
		return
	}
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	_, _ = io.Copy(io.Discard, os.Stdin)           // nothing comes; it ends with whoever holds the other end
	for _, dir := range filepath.SplitList(dirs) { // that of freezing first: what is frozen does not die
		cells, _ := filepath.Glob(filepath.Join(dir, "*", "cgroup.procs"))
		for _, procs := range cells {
			c := &cell{filepath.Dir(procs), filepath.Dir(procs)}
			c.kill()
			removeGroups(c.memory)
		}
		removeGroups(dir)
	}
	os.Exit(0)
}
