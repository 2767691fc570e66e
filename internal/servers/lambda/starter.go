package lambda

import (
	"os/exec"
	"runtime"
)

// starter starts processes from one thread, which lasts as long as the server: Linux kills them when the thread that
// started them ends, and a thread takes its control groups along to what it starts.
type starter struct {
	work chan func()
	done chan struct{}
}

func newStarter() *starter {
	s := &starter{make(chan func()), make(chan struct{})}
	go func() {
		defer close(s.done)
		runtime.LockOSThread() // for good: the thread ends with the goroutine
		for f := range s.work {
			f()
		}
	}()
	return s
}

func (s *starter) close() {
	close(s.work)
	<-s.done
}

// start starts a process in a cage of its own with so many bytes of memory.
func (s *starter) start(cmd *exec.Cmd, j *jail, memory int64) (cage, error) {
	type started struct {
		cage cage
		err  error
	}
	result := make(chan started)
	s.work <- func() {
		c, err := j.start(cmd, memory)
		result <- started{c, err}
	}
	r := <-result
	return r.cage, r.err
}
