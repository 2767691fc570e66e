package azfunc

import "syscall"

// endWithParent gives a process a group of its own, so that what it starts can be ended with it, and lets the system
// kill it when the thread that started it ends.
func endWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
