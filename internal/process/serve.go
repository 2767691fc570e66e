package process

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/wire"
)

// RoleName is the role of a worker that is served over pipes by the process that started it.
const RoleName = "pipe"

func init() { backends.RegisterRole(RoleName, serve) }

// serve is the child's side: requests come in one after another, and the end of the pipe is the end of the worker,
// whatever it is doing. An interrupt from the keyboard is the driver's affair.
func serve(ctx context.Context, serve backends.Serve) error {
	signal.Ignore(os.Interrupt)
	in, err := open(requestFD, "requests")
	if err != nil {
		return err
	}
	out, err := open(replyFD, "replies")
	if err != nil {
		return err
	}

	requests := make(chan request)
	readError := make(chan error, 1)
	go func() {
		readError <- read(ctx, in, requests)
		close(requests)
	}()
	var failed error
	for r := range requests {
		failed = serve(r.ctx, r.body, out)
		r.cancel()
		r.done <- struct{}{}
		if failed != nil {
			return failed
		}
	}
	return <-readError
}

// open makes a file of an inherited end of a pipe. What a task starts does not inherit it further. It does not block: a
// goroutine that waits in a blocking read keeps the processor, of which a worker may have one, until the runtime notices.
func open(fd int, name string) (*os.File, error) {
	if err := syscall.SetNonblock(fd, true); err != nil {
		return nil, fmt.Errorf("process: this worker was not started by a driver: its pipe of %s is missing: %w", name, err)
	}
	syscall.CloseOnExec(fd)
	return os.NewFile(uintptr(fd), name), nil
}

// request is one that came; its context ends when the driver says so.
type request struct {
	body   []byte
	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{}
}

// read hands on requests, and keeps reading while one is served.
func read(ctx context.Context, in io.Reader, requests chan<- request) error {
	var r wire.Reader
	r.Reset(in)
	var body []byte
	done := make(chan struct{}, 1)
	done <- struct{}{}
	cancel := func() {}
	for {
		t, _, err := r.Next()
		if err != nil {
			select {
			case <-done:
			default: // in the middle of a task: nobody wants its result
				abandon()
			}
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		switch t {
		case wire.TypeCancel:
			cancel()
		case wire.TypeRequest:
			<-done // the driver sends no second request before the first one's reply is complete
			body = append(body[:0], r.Frame()...)
			next := request{body: body, done: done}
			next.ctx, next.cancel = context.WithCancel(ctx)
			cancel = next.cancel
			requests <- next
		default:
			return fmt.Errorf("process: a frame of type %d came to a worker: %w", t, wire.ErrCorrupt)
		}
	}
}

// abandon ends this worker and all that its tasks started.
func abandon() {
	if pid := os.Getpid(); syscall.Getpgrp() == pid {
		_ = syscall.Kill(-pid, syscall.SIGKILL)
	}
	os.Exit(1)
}
