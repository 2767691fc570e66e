// Package process runs workers as children of this process: it starts them, passes requests and replies over a pair of
// pipes of their own, holds them to their limits, and says why one ended. What a worker prints goes elsewhere and
// cannot disturb the frames. It serves Linux and macOS.
package process

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gowren/gowren/backends"
)

// Config says what to start.
type Config struct {
	Name    string   // the worker's, in logs and errors
	Program string   // path of the executable; empty is the one that runs now, even if its file was replaced
	Env     []string // added to this process's environment
	CPUs    int      // that the worker uses; 0 is all
	Memory  int64    // bytes of resident memory above which the worker is killed (Linux only); 0 is no limit
	Log     func(worker, line string)
}

// Child is a worker process. It serves one request at a time.
type Child struct {
	config Config
	cmd    *exec.Cmd
	send   *os.File // requests
	recv   *os.File // replies
	output *relay

	sink    atomic.Pointer[func(worker, line string)] // takes what it prints while it serves a request, in place of config.Log
	writing sync.Mutex                                // held while send is written to
	exited  chan struct{}                             // closed when the process is gone and what it wrote was read
	state   error                                     // of the exit; valid once exited

	mu     sync.Mutex
	reason error // why it was killed
	ended  bool  // its number is about to be free for another process: nothing may be sent there
}

// The child's ends of the pipes, after standard input, output and error.
const (
	requestFD = 3
	replyFD   = 4
)

// Start starts a worker. It returns as soon as the process exists.
func Start(c Config) (*Child, error) {
	ch := &Child{config: c, exited: make(chan struct{})}
	if err := ch.start(); err != nil {
		return nil, fmt.Errorf("start worker %s: %w", c.Name, classify(err))
	}
	go ch.wait()
	if c.Memory > 0 {
		go ch.watchMemory()
	}
	return ch, nil
}

func (c *Child) start() error {
	path, err := program(c.config.Program)
	if err != nil {
		return err
	}
	childRecv, send, err := os.Pipe()
	if err != nil {
		return err
	}
	recv, childSend, err := os.Pipe()
	if err != nil {
		return errors.Join(err, childRecv.Close(), send.Close())
	}
	c.send, c.recv = send, recv
	c.cmd = &exec.Cmd{
		Path: path, Args: os.Args[:1],
		Env:         c.environment(),
		ExtraFiles:  []*os.File{childRecv, childSend},
		SysProcAttr: &syscall.SysProcAttr{Setpgid: true}, // so that the processes it starts can be ended with it
	}
	c.output, err = newRelay(c.cmd, c.config.Name, c.printed)
	if err == nil {
		if err = c.cmd.Start(); err == nil {
			c.output.started()
		} else {
			c.output.close(c.output.ours, c.output.theirs)
		}
	}
	err = errors.Join(err, childRecv.Close(), childSend.Close())
	if err != nil {
		return errors.Join(err, send.Close(), recv.Close())
	}
	offer(c.cmd.Process.Pid)
	return nil
}

// printed takes a line that the process has printed.
func (c *Child) printed(worker, line string) {
	log := c.config.Log
	if sink := c.sink.Load(); sink != nil {
		log = *sink
	}
	if log != nil {
		log(worker, line)
	}
}

// classify says what kind of failure it is that a program could not be started.
func classify(err error) error {
	for _, never := range []error{os.ErrNotExist, os.ErrPermission, syscall.ENOEXEC, syscall.ENOTDIR} {
		if errors.Is(err, never) {
			return fmt.Errorf("%w: the worker's program must be an executable of this machine: %w", backends.ErrInvalid, err)
		}
	}
	for _, full := range []error{syscall.EAGAIN, syscall.ENOMEM, syscall.EMFILE, syscall.ENFILE} {
		if errors.Is(err, full) {
			return fmt.Errorf("%w: this machine has no room for another process: %w", backends.ErrThrottled, err)
		}
	}
	return err
}

func (c *Child) environment() []string {
	env := append(os.Environ(), c.config.Env...)
	env = append(env, backends.RoleVariable+"="+RoleName)
	if c.config.CPUs > 0 {
		env = append(env, fmt.Sprintf("GOMAXPROCS=%d", c.config.CPUs))
	}
	if c.config.Memory > 0 { // the collector works harder before the limit strikes
		env = append(env, fmt.Sprintf("GOMEMLIMIT=%d", c.config.Memory*9/10))
	}
	return env
}

// wait collects the process when it ends. What its tasks started and left running ends with it, as long as the process
// is dead but not yet collected: its number, which is its group's, may be another's afterwards.
func (c *Child) wait() {
	awaitExit(c.PID())
	c.mu.Lock()
	c.killGroup()
	c.ended = true
	c.mu.Unlock()
	c.state = c.cmd.Wait()
	c.output.drain()
	close(c.exited)
}

// Alive reports whether the process is still there.
func (c *Child) Alive() bool {
	select {
	case <-c.exited:
		return false
	default:
		return true
	}
}

// Name is the worker's name.
func (c *Child) Name() string { return c.config.Name }

// PID is the process's number.
func (c *Child) PID() int { return c.cmd.Process.Pid }

// kill ends the process and all that it started. The first reason given is the one that is told.
func (c *Child) kill(reason error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended || c.reason != nil {
		return
	}
	c.reason = reason
	c.killGroup()
}

// killGroup is called with mu held, and not after the process was collected.
func (c *Child) killGroup() {
	// The group may be gone already: that is what was wanted.
	_ = syscall.Kill(-c.PID(), syscall.SIGKILL)
}

// lost says why the worker is gone. It waits for it to be.
func (c *Child) lost(begun time.Time, err error) error {
	select {
	case <-c.exited:
	case <-time.After(time.Second): // its reply ended, but it did not
		c.kill(fmt.Errorf("it broke off its reply: %w", err))
		<-c.exited
	}
	c.mu.Lock()
	cause := c.reason
	c.mu.Unlock()
	if cause == nil {
		cause = c.starved()
	}
	if cause == nil {
		cause = c.state
	}
	if cause == nil {
		cause = errors.New("it exited with status 0 in the middle of its work (did a task call os.Exit?)")
	}
	return &backends.LostError{Worker: c.config.Name, Cause: cause, Ran: time.Since(begun), Output: c.output.tail()}
}

// closeGrace is how long a worker may take to end by itself. On a busy machine it may not get to it for a while.
const closeGrace = 2 * time.Second

// Close ends the worker and returns when it is gone. An idle worker ends by itself, in good order; one that serves a
// request is ended in the middle of it.
func (c *Child) Close() error {
	if c.writing.TryLock() {
		// To be told twice to stop tells the worker that the end of its pipe is not its driver's death. It is lost on one
		// that is gone.
		_ = c.send.SetWriteDeadline(time.Now().Add(closeGrace))
		_, _ = c.send.Write(slices.Concat(cancelFrame, cancelFrame))
		c.writing.Unlock()
	}
	err := ignoreClosed(c.send.Close())
	select {
	case <-c.exited:
	case <-time.After(closeGrace):
		c.kill(errors.New("it did not end when it was told to"))
		<-c.exited
	}
	return errors.Join(err, ignoreClosed(c.recv.Close()))
}

func ignoreClosed(err error) error {
	if errors.Is(err, os.ErrClosed) {
		return nil
	}
	return err
}

var _ io.Closer = (*Child)(nil)
