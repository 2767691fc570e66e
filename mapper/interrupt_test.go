package mapper_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gowren/gowren/internal/journal"
	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/storage"
)

// interruptWork says that it is there, and waits to be told to stop; it is told, or ignores that.
var interruptWork = mapper.Func("interrupt-work", func(ctx context.Context, n int) (int, error) {
	if n == 0 {
		return 7, nil
	}
	fmt.Println("the task has begun")
	if n == 2 {
		select {}
	}
	<-ctx.Done()
	return 0, ctx.Err()
})

func init() {
	for name, inputs := range map[string][]int{"interrupt": {0, 1}, "interrupt-twice": {0, 2}} {
		programs[name] = func() { beInterrupted(inputs) }
	}
	programs["interrupt-unread"] = beUnread
}

func beInterrupted(inputs []int) {
	mapper.Main()
	ctx, stop := mapper.Interruptible(context.Background())
	defer stop()
	ex, err := mapper.Open(ctx, mapper.Config{Options: mapper.Options{Resume: "interrupted", BatchSize: 1}})
	if err != nil {
		fmt.Println("open:", err)
		return
	}
	_, err = mapper.Map(ctx, ex, interruptWork, inputs)
	fmt.Println("interrupted:", errors.Is(err, mapper.ErrInterrupted), err)
	fmt.Println("close:", ex.Close())
}

// kept returns how many results are kept at place.
func kept(t *testing.T, place string) int {
	t.Helper()
	b, err := storage.Open(t.Context(), place)
	if err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(t.Context(), b, "interrupted", journal.Run{})
	if err != nil {
		t.Fatal(err)
	}
	n := j.Kept()
	if err := errors.Join(j.Close(), b.Close()); err != nil {
		t.Fatal(err)
	}
	return n
}

// TestInterrupt: the first Ctrl-C stops a job cleanly, and a second one at once.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		program, backend string
		signals, status  int
		says             []string
	}{
		{"interrupt", "local://?workers=2", 1, 0, []string{"once more", "interrupted: true", `run again with the same Options.Resume ("interrupted")`, "close: <nil>"}},
		{"interrupt-twice", "inproc://?workers=2", 2, 130, []string{"once more"}}, // a task that ignores it keeps the driver
	} {
		path, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		place := "file://" + t.TempDir()
		out, in, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		defer out.Close()
		cmd := exec.CommandContext(t.Context(), path)
		cmd.Stdout, cmd.Stderr = in, in
		cmd.Env = append(os.Environ(), programVariable+"="+c.program, "GOWREN_BACKEND="+c.backend, "GOWREN_STORAGE="+place)
		if err := errors.Join(cmd.Start(), in.Close()); err != nil {
			t.Fatal(err)
		}
		var said strings.Builder
		sent := 0
		for lines := bufio.NewScanner(out); lines.Scan(); {
			said.WriteString(lines.Text() + "\n")
			begun := strings.Contains(lines.Text(), "the task has begun")
			if begun && c.signals == 1 {
				for kept(t, place) == 0 {
					time.Sleep(time.Millisecond)
				}
			}
			if begun || sent < c.signals && strings.Contains(lines.Text(), "once more") {
				if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
					t.Fatal(err)
				}
				sent++
			}
		}
		_ = cmd.Wait() // its status tells
		if cmd.ProcessState.ExitCode() != c.status {
			t.Errorf("%s: status %d, want %d", c.program, cmd.ProcessState.ExitCode(), c.status)
		}
		if c.signals == 1 && kept(t, place) != 1 {
			t.Errorf("%s: %d results are kept", c.program, kept(t, place))
		}
		for _, want := range c.says {
			if !strings.Contains(said.String(), want) {
				t.Errorf("%s: it does not say %q: %s", c.program, want, said.String())
			}
		}
	}
}

// TestInterruptibleStop: stop may be called again, as a deferred one is.
func TestInterruptibleStop(t *testing.T) {
	ctx, stop := mapper.Interruptible(t.Context())
	stop()
	stop()
	if ctx.Err() == nil {
		t.Error("the context goes on")
	}
}

// beUnread writes to a standard output that nobody reads, before and after Stop.
func beUnread() {
	_, stop := mapper.Interruptible(context.Background())
	_, err := fmt.Println("nobody reads it")
	fmt.Fprintln(os.Stderr, "a broken pipe:", errors.Is(err, syscall.EPIPE))
	stop()
	_, err = fmt.Println("nobody reads it")
	fmt.Fprintln(os.Stderr, "it goes on:", err)
}

// TestInterruptibleUnread: a write that nobody reads is an error, and ends the process when the signals are given back.
func TestInterruptibleUnread(t *testing.T) {
	t.Parallel()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err = errors.Join(err, r.Close()); err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	var said strings.Builder
	cmd := exec.CommandContext(t.Context(), path)
	cmd.Stdout, cmd.Stderr = w, &said
	cmd.Env = append(os.Environ(), programVariable+"=interrupt-unread")
	_ = cmd.Run() // its status tells
	status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if said.String() != "a broken pipe: true\n" || !ok || status.Signal() != syscall.SIGPIPE {
		t.Errorf("%q, %v", said.String(), cmd.ProcessState)
	}
}
