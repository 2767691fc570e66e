package gcf

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"syscall"
	"time"
)

// startPatience is how long an instance may take to listen. A busy machine takes seconds.
const startPatience = time.Minute

// instance is one process of a revision, which serves one request at a time.
type instance struct {
	front     *front
	revision  *revision
	idle      bool // guarded by front.mu
	addr, dir string
	transport *http.Transport
	log       tail

	mu     sync.Mutex
	cmd    *exec.Cmd // nil before it was started
	ending bool
	exited chan struct{}
}

// newInstance adds an instance that is taken already. The caller holds mu.
func (f *front) newInstance() *instance {
	i := &instance{front: f, revision: f.revision, exited: make(chan struct{}), transport: &http.Transport{}}
	f.instances = append(f.instances, i)
	return i
}

// start starts the process and waits until it listens. After an error the instance is gone.
func (i *instance) start(ctx context.Context) error {
	l, err := listen()
	if err == nil {
		i.addr = l.Addr().String()
		err = l.Close()
	}
	if err != nil {
		i.forget()
		return err
	}
	i.dir = filepath.Join(i.front.s.dir, "instance-"+rand.Text()[:8])
	started := make(chan error, 1)
	// Linux ends the process with the thread that has started it, and so with this process: one thread stays for it.
	i.front.s.idle.Go(func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		i.run(started)
	})
	if err := <-started; err != nil {
		return err
	}
	for deadline := time.Now().Add(startPatience); ; {
		conn, err := net.DialTimeout("tcp", i.addr, time.Second)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-i.exited:
			return fmt.Errorf("the container exited: %s", i.log.String())
		case <-ctx.Done():
			i.end()
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			i.end()
			return errors.New("the container failed to start and listen on the port defined by the PORT environment variable")
		}
	}
}

// run is the process's life.
func (i *instance) run(started chan<- error) {
	defer i.forget()
	defer close(i.exited)
	defer i.transport.CloseIdleConnections()
	if err := os.MkdirAll(i.dir, 0o700); err != nil {
		started <- err
		return
	}
	defer func() { _ = os.RemoveAll(i.dir) }() // what is left goes with the server's folder
	_, port, _ := net.SplitHostPort(i.addr)
	cmd := exec.Command(i.revision.program)
	cmd.Dir = i.dir
	// Each instance has its own /tmp.
	cmd.Env = append(slices.Clone(i.revision.env), "PORT="+port, "TMPDIR="+i.dir, "HOME="+i.dir)
	cmd.Stdout, cmd.Stderr = &i.log, &i.log
	cmd.WaitDelay = time.Second
	cmd.SysProcAttr = endWithParent()
	i.mu.Lock()
	err := cmd.Start()
	if err == nil {
		i.cmd = cmd
	}
	ending := i.ending
	i.mu.Unlock()
	started <- err
	if err != nil {
		return
	}
	if ending {
		i.end()
	}
	_ = cmd.Wait() // how it ends is in its log
}

// forget takes the instance off its function.
func (i *instance) forget() {
	i.front.mu.Lock()
	defer i.front.mu.Unlock()
	i.front.instances = slices.DeleteFunc(i.front.instances, func(x *instance) bool { return x == i })
	i.front.wake()
}

// end asks the process to end, and kills it when its time is over.
func (i *instance) end() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.ending = true
	if i.cmd == nil {
		return
	}
	i.signal(syscall.SIGCONT)
	i.signal(syscall.SIGTERM)
	i.front.s.idle.Go(func() {
		select {
		case <-i.exited:
		case <-time.After(i.front.s.options.StopGrace):
			i.signal(syscall.SIGKILL)
		}
	})
}

// kill ends the process at once.
func (i *instance) kill() {
	i.signal(syscall.SIGKILL)
	<-i.exited
}

func (i *instance) alive() bool {
	select {
	case <-i.exited:
		return false
	default:
		return true
	}
}

// gone returns when the process has ended, if it was started.
func (i *instance) gone() {
	i.mu.Lock()
	started := i.cmd != nil
	i.mu.Unlock()
	if started {
		<-i.exited
	}
}

func (i *instance) signal(s syscall.Signal) { _ = i.cmd.Process.Signal(s) } // it may just have ended

// freeze takes the processor away, and thaw gives it back.
func (i *instance) freeze() { i.signal(syscall.SIGSTOP) }
func (i *instance) thaw()   { i.signal(syscall.SIGCONT) }

// tail keeps the last of what is written.
type tail struct {
	mu   sync.Mutex
	data []byte
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.data = append(t.data, p...)
	t.data = t.data[max(0, len(t.data)-64<<10):]
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.data)
}
