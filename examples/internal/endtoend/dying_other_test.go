//go:build !linux

package endtoend

import "syscall"

func dying() *syscall.SysProcAttr { return nil }
