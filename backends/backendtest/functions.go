package backendtest

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/gowren/gowren/internal/worker"
	"github.com/gowren/gowren/mapper"
)

// order tells a task what to do; nothing but its N to return is the zero value's.
type order struct {
	What string
	Dir  string // for marks
	N    int
	Data []byte
}

// answer is what a task found.
type answer struct {
	N    int
	PID  int
	Text string
	Data []byte
}

var (
	echo = mapper.Func("backendtest/echo", func(_ context.Context, x int) (int, error) { return x, nil })
	do   = mapper.Func("backendtest/do", func(ctx context.Context, o order) (answer, error) {
		a := answer{N: o.N, PID: os.Getpid()}
		if f, ok := doings[o.What]; ok {
			return a, f(ctx, o, &a)
		}
		if o.What != "" {
			return a, fmt.Errorf("no task can do %q", o.What)
		}
		return a, nil
	})
)

var errTask = errors.New("no such luck")

// doings is what a task can do. Those that crash take the driver along where the backend does not isolate.
var doings = map[string]func(ctx context.Context, o order, a *answer) error{
	"error": func(context.Context, order, *answer) error { return errTask },
	"wrap":  func(context.Context, order, *answer) error { return fmt.Errorf("wrapped: %w", errTask) },
	"retry": func(_ context.Context, o order, _ *answer) error {
		if err := mark(o.Dir, "try"); err != nil {
			return err
		}
		return mapper.Retryable(errTask)
	},
	"panic":  func(context.Context, order, *answer) error { panicHere(); return nil },
	"goexit": func(context.Context, order, *answer) error { runtime.Goexit(); return nil },
	"bad error": func(context.Context, order, *answer) error {
		var e *nilError
		return e
	},
	"goroutine": func(ctx context.Context, _ order, _ *answer) error {
		go panicHere()
		<-ctx.Done()
		return nil
	},
	"exit": func(context.Context, order, *answer) error { os.Exit(3); return nil },
	"kill": func(ctx context.Context, _ order, _ *answer) error {
		if err := syscall.Kill(os.Getpid(), syscall.SIGKILL); err != nil {
			return err
		}
		<-ctx.Done()
		return nil
	},
	"fill": func(_ context.Context, o order, a *answer) error {
		var all [][]byte
		for range o.N {
			all = append(all, bytes.Repeat([]byte{1}, 1<<20))
		}
		a.N = len(all)
		runtime.KeepAlive(all)
		return nil
	},
	"obey": func(ctx context.Context, o order, _ *answer) error {
		if err := mark(o.Dir, "begun"); err != nil {
			return err
		}
		<-ctx.Done()
		return context.Cause(ctx)
	},
	"hang once": func(ctx context.Context, o order, _ *answer) error {
		f, err := os.OpenFile(filepath.Join(o.Dir, "hung"), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return nil // another has hung
		}
		if err := f.Close(); err != nil {
			return err
		}
		if err := mark(o.Dir, "begun"); err != nil {
			return err
		}
		<-ctx.Done()
		return mark(o.Dir, "told")
	},
	"finish late": func(ctx context.Context, _ order, _ *answer) error {
		<-ctx.Done()
		return nil
	},
	"ignore": func(_ context.Context, o order, _ *answer) error {
		if err := mark(o.Dir, "begun"); err != nil {
			return err
		}
		for {
			time.Sleep(time.Hour)
		}
	},
	"spin": func(_ context.Context, o order, _ *answer) error {
		if err := mark(o.Dir, "begun"); err != nil {
			return err
		}
		for { //nolint:staticcheck // that it spins is the point
		}
	},
	"data": func(_ context.Context, o order, a *answer) error {
		a.Data = pattern(o.N)
		return nil
	},
	"data, then kill": func(_ context.Context, o order, a *answer) error {
		a.Data = pattern(o.N)
		go func() { // while it is stored, or soon after
			if o.Dir == "" || waitObject(o.Dir) { // nobody looks into a store
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			}
		}()
		return nil
	},
	"data given": func(_ context.Context, o order, a *answer) error {
		if !bytes.Equal(o.Data, pattern(len(o.Data))) {
			return errors.New("the data are not what was sent")
		}
		a.N = len(o.Data)
		return nil
	},
	"child": func(ctx context.Context, o order, _ *answer) error {
		if err := leaveChild(o.Dir); err != nil {
			return err
		}
		if o.N == 0 {
			<-ctx.Done()
		}
		return ctx.Err()
	},
	"print": func(_ context.Context, o order, _ *answer) error { return printAll(o.N) },
	"log": func(ctx context.Context, o order, _ *answer) error {
		slog.InfoContext(ctx, "hello from a task", "n", o.N)
		return nil
	},
	"stdin": func(_ context.Context, _ order, a *answer) error {
		data, err := io.ReadAll(os.Stdin)
		a.Text = string(data)
		return err
	},
	"env": func(ctx context.Context, _ order, a *answer) error {
		out, err := exec.CommandContext(ctx, "env").Output()
		a.Text = string(out)
		return err
	},
	"fds": func(ctx context.Context, _ order, a *answer) error {
		out, err := exec.CommandContext(ctx, "ls", "/proc/self/fd").Output()
		a.Text = string(out)
		return err
	},
	"who": func(ctx context.Context, _ order, a *answer) error {
		t, ok := worker.TaskOf(ctx)
		if !ok || t.Job == "" {
			return errors.New("the context has no task")
		}
		_, limited := ctx.Deadline()
		a.Text = fmt.Sprintf("%s %d %d %t", t.Function, t.Index, t.Attempt, limited)
		return nil
	},
}

// panicHere is in this file, which a stack has to name.
func panicHere() { panic("a task's panic") }

// nilError is the error type that everybody writes once: it cannot be asked when it is nil.
type nilError struct{ text string }

func (e *nilError) Error() string { return e.text }

// leaveChild starts a process that outlives its task.
func leaveChild(dir string) error {
	cmd := exec.Command("sleep", "1000")
	if err := cmd.Start(); err != nil {
		return err
	}
	pid := strconv.Itoa(cmd.Process.Pid)
	part := filepath.Join(dir, "part-"+pid)
	if err := os.WriteFile(part, []byte(pid), 0o644); err != nil {
		return err
	}
	return os.Rename(part, filepath.Join(dir, "kid-"+pid))
}

// waitObject reports whether anything appears in the bucket's folder soon.
func waitObject(dir string) bool {
	for range 1000 {
		found := false
		_ = filepath.WalkDir(dir, func(_ string, d os.DirEntry, err error) error {
			if err == nil && d.IsDir() && d.Name() == "programs" {
				return filepath.SkipDir
			}
			found = found || err == nil && !d.IsDir()
			return nil
		})
		if found {
			return true
		}
		time.Sleep(time.Millisecond)
	}
	return false
}

// printAll prints what could disturb a worker's frames: a long line, junk, and what looks like frames.
func printAll(n int) error {
	_, err := fmt.Fprintf(os.Stdout, "\nout %d\n%s", n, strings.Repeat("x", 1<<20))
	junk := make([]byte, 4096)
	for i := range junk {
		junk[i] = byte(i * 7)
	}
	frame := []byte{3, 0, 0, 0, 1, 7, 0, 0, 0, 0, 'e', 'n', 'd'}
	_, err2 := os.Stdout.Write(append(junk, frame...))
	_, err3 := fmt.Fprintf(os.Stderr, "err %d\r\n%s\n", n, frame)
	return errors.Join(err, err2, err3)
}

// pattern returns n bytes that show where they are, block by block. It copies, since single bytes take the race detector
// long.
func pattern(n int) []byte {
	data := bytes.Repeat([]byte("0123456789abcdef"), n/16+1)[:n]
	for at := 0; at+8 <= n; at += 1000 {
		binary.LittleEndian.PutUint64(data[at:], uint64(at))
	}
	return data
}
