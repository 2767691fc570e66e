//go:build !linux

package azfunc

import "syscall"

// endWithParent gives a process a group of its own, so that what it starts can be ended with it.
func endWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
