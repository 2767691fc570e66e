package process

import (
	"errors"
	"fmt"
	"os/exec"
	"syscall"
	"time"

	"github.com/gowren/gowren/backends"
)

// memoryPeriod is how often a worker's memory is looked at. What it takes between two looks goes over the limit.
const memoryPeriod = 10 * time.Millisecond

// watchMemory kills the worker when its resident memory is over the limit.
func (c *Child) watchMemory() {
	tick := time.NewTicker(memoryPeriod)
	defer tick.Stop()
	for {
		select {
		case <-c.exited:
			return
		case <-tick.C:
		}
		used, ok := resident(c.PID())
		if !ok {
			continue // it is ending
		}
		if used > c.config.Memory {
			c.kill(fmt.Errorf("%w: it used %d MB, its limit is %d MB (the backend's memory parameter)",
				backends.ErrOutOfMemory, used>>20, c.config.Memory>>20))
			return
		}
	}
}

// starved returns that the system has killed the worker for want of memory, where it looks like that: nobody here has
// killed it, and it had nearly all that it may have. Where the limit is that of the whole machine, the system may be
// faster than a look.
func (c *Child) starved() error {
	exit := (*exec.ExitError)(nil)
	if c.config.Memory == 0 || !errors.As(c.state, &exit) {
		return nil
	}
	status, ok := exit.Sys().(syscall.WaitStatus)
	used := peak(exit.ProcessState)
	if !ok || status.Signal() != syscall.SIGKILL || used < c.config.Memory/4*3 {
		return nil
	}
	return fmt.Errorf("%w: the system has killed it; it used %d MB, its limit is %d MB (the backend's memory parameter)",
		backends.ErrOutOfMemory, used>>20, c.config.Memory>>20)
}
