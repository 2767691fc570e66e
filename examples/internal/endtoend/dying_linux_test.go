package endtoend

import "syscall"

// dying has a process end when this one does, however that is.
func dying() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
