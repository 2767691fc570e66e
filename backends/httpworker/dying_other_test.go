//go:build !linux

package httpworker_test

import "syscall"

func dying() *syscall.SysProcAttr { return nil }
