package mapper

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

// ErrInterrupted is why a context of [Interruptible] ended.
var ErrInterrupted = errors.New("interrupted")

// Interruptible returns a context that ends when the process is interrupted (Ctrl-C) or told to terminate. Jobs under it stop:
// work on workers is cancelled, what finished tasks came to is kept where [Options].Resume says so, and Map and the others
// return. A second signal ends the process at once, with status 130. Stop gives the signals back.
//
// Until then, who writes to a standard output or error that nobody reads any more, as of "program | head", is told syscall.EPIPE
// by the write. The process does not end by it, which would leave undone what is deferred: it is to look at such errors.
func Interruptible(ctx context.Context) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals, over := make(chan os.Signal, 2), make(chan struct{})
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	pipes := make(chan os.Signal, 1) // nobody looks; and not ignored, for what the process starts would ignore them, too
	signal.Notify(pipes, syscall.SIGPIPE)
	go func() {
		defer close(over)
		s, told := <-signals
		if !told {
			return
		}
		cancel(fmt.Errorf("%w (%v)", ErrInterrupted, s))
		fmt.Fprintf(os.Stderr, "%v: stopping; once more ends this at once\n", s)
		if _, told := <-signals; told {
			os.Exit(130)
		}
	}()
	return ctx, sync.OnceFunc(func() {
		signal.Stop(pipes)
		signal.Stop(signals)
		close(signals)
		<-over
		cancel(nil)
	})
}
