package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/wire"
)

// RoleName is the role of a worker that is served over pipes by the process that started it.
const RoleName = "pipe"

func init() { backends.RegisterRole(RoleName, serve) }

// serve is the child's side: requests come in one after another, and the end of the pipe is the end of the worker,
// whatever it is doing. An interrupt from the keyboard is the driver's affair.
func serve(ctx context.Context, w backends.Worker) error {
	// These are caught and dropped, not ignored: what a task starts would ignore them too. A broken pipe of standard
	// output must not end this process before it has ended what its tasks started.
	signal.Notify(make(chan os.Signal, 1), os.Interrupt, syscall.SIGPIPE)
	in, err := open(requestFD, "requests")
	if err != nil {
		return err
	}
	out, err := open(replyFD, "replies")
	if err != nil {
		return err
	}

	return (&server{in: in, out: out, serve: w.Serve}).run(ctx)
}

// open makes a file of an inherited end of a pipe. What a task starts does not inherit it further. It does not block: a
// goroutine that waits in a blocking read while tasks run keeps the processor, of which a worker may have one, until the
// runtime notices.
func open(fd int, name string) (*os.File, error) {
	var stat syscall.Stat_t
	err := syscall.Fstat(fd, &stat)
	if err == nil && stat.Mode&syscall.S_IFMT != syscall.S_IFIFO && stat.Mode&syscall.S_IFMT != syscall.S_IFSOCK {
		err = errors.New("it is something else")
	}
	if err == nil {
		err = syscall.SetNonblock(fd, true)
	}
	if err != nil {
		return nil, fmt.Errorf("process: this worker was not started by a driver: its pipe of %s is missing: %w", name, err)
	}
	syscall.CloseOnExec(fd)
	return os.NewFile(uintptr(fd), name), nil
}

// server serves one request after another in one goroutine, from its arrival to its reply: a small request is done before
// another goroutine would have been woken.
type server struct {
	in, out *os.File
	serve   backends.Serve
	frames  wire.Reader
	body    []byte

	// What the watch over a long request found; the server reads it when the watch is over.
	held   bool  // body is the next request
	broken error // of the pipe
	stops  int   // how often it was told to stop since the last request
}

func (s *server) run(ctx context.Context) error {
	s.frames.Reset(s.in)
	for {
		if err := s.next(); err != nil {
			return s.leave(err)
		}
		if err := s.answer(ctx); err != nil {
			if s.broken != nil || errors.Is(err, syscall.EPIPE) {
				abandon() // the driver died, and what tasks started is to end
			}
			return err
		}
	}
}

// next waits for a request.
func (s *server) next() error {
	for !s.held {
		if s.broken != nil {
			return s.broken
		}
		if s.frames.Buffered() == 0 { // what follows a cancellation may have come with it
			awaitInput()
		}
		s.broken = s.take(func() {})
	}
	s.held = false
	return nil
}

// take reads a frame. While a request is served, cancel stops it.
func (s *server) take(cancel func()) error {
	t, _, err := s.frames.Next()
	if err != nil {
		return err
	}
	switch t {
	case wire.TypeCancel:
		s.stops++
		cancel()
	case wire.TypeRequest:
		s.stops, s.held = 0, true
		s.body = append(s.body[:0], s.frames.Frame()...)
	default:
		return fmt.Errorf("process: a frame of type %d came to a worker: %w", t, wire.ErrCorrupt)
	}
	return nil
}

// dismissed reports whether the driver took its leave. It says so twice: once may have been meant for a request whose
// reply was under way.
func (s *server) dismissed() bool { return s.stops > 1 }

// answer serves the request.
func (s *server) answer(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	served, watched := make(chan struct{}), make(chan struct{})
	watch := time.AfterFunc(watchAfter, func() {
		defer close(watched)
		s.watch(cancel, served)
	})
	err := s.serve(ctx, s.body, s.out)
	close(served)
	if !watch.Stop() {
		// A deadline that has passed ends the watch's read; the next one begins anew.
		err = errors.Join(err, s.in.SetReadDeadline(time.Unix(1, 0)))
		<-watched
		err = errors.Join(err, s.in.SetReadDeadline(time.Time{}))
	}
	return err
}

// watchAfter is how long a request runs before its worker listens for what its driver has to say meanwhile: that it is to
// stop, or, by the end of the pipe, that the driver is gone.
const watchAfter = 2 * time.Millisecond

// watch reads on while a request is served. The driver may have the reply's end already, and its next request is kept.
func (s *server) watch(cancel func(), served <-chan struct{}) {
	for !s.held {
		err := s.take(cancel)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return
		}
		if err != nil {
			s.broken = err
			wait := restGrace
			if s.dismissed() {
				wait = dismissGrace
			}
			select {
			case <-served:
			case <-time.After(wait): // in the middle of a task: nobody wants its result
				abandon()
			}
			return
		}
	}
}

// leave ends the worker at rest.
func (s *server) leave(err error) error {
	switch {
	case errors.Is(err, wire.ErrCorrupt), errors.Is(err, wire.ErrVersion):
		// Nothing tells where the next request begins.
		_, failed := s.out.Write(wire.AppendRefused(nil, err.Error()))
		return errors.Join(err, failed)
	case !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return err // no pipe of a driver
	case s.dismissed():
		return nil
	}
	abandon() // the driver died, and what earlier tasks started is to end
	return nil
}

// awaitInput waits until there is something to read, in a system call that keeps this goroutine's thread and processor:
// a worker at rest has nothing else to do, and handing them over and back costs several times what a small task does.
func awaitInput() {
	p := []unix.PollFd{{Fd: requestFD, Events: unix.POLLIN}}
	for {
		if _, err := unix.Poll(p, -1); err != unix.EINTR {
			return // whatever else it is, reading will tell
		}
	}
}

// restGrace is the time from a reply's last byte, after which the driver may close the pipe, to this worker's rest.
const restGrace = 50 * time.Millisecond

// dismissGrace is that time where the driver is known to live: on a busy machine the last byte may have left long before
// the rest.
const dismissGrace = 500 * time.Millisecond

// abandon ends this worker and all that its tasks started.
func abandon() {
	if pid := os.Getpid(); syscall.Getpgrp() == pid {
		_ = syscall.Kill(-pid, syscall.SIGKILL)
	}
	os.Exit(1)
}
