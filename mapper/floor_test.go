package mapper_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/gowren/gowren/mapper"
)

// floorVariable makes this test binary one of the programs that benchmarks compare with.
const floorVariable = "GOWREN_TEST_FLOOR"

// floor runs such a program, if this process is one.
func floor() {
	switch role, argument, _ := strings.Cut(os.Getenv(floorVariable), ":"); role {
	case "echo":
		echoLoop()
		os.Exit(0)
	case "driver":
		n, err := strconv.Atoi(argument)
		if err == nil {
			err = drive(n)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
}

// echoLoop answers each eight bytes with the number they hold plus one.
func echoLoop() {
	in, out := bufio.NewReaderSize(os.Stdin, 64<<10), bufio.NewWriterSize(os.Stdout, 64<<10)
	var b [8]byte
	for {
		if _, err := io.ReadFull(in, b[:]); err != nil {
			return
		}
		binary.LittleEndian.PutUint64(b[:], binary.LittleEndian.Uint64(b[:])+1)
		if _, err := out.Write(b[:]); err != nil {
			return
		}
		if in.Buffered() == 0 && out.Flush() != nil {
			return
		}
	}
}

// echo is a process that runs echoLoop.
type echo struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	w   *bufio.Writer
	r   *bufio.Reader
}

func startEcho(b *testing.B) *echo {
	e := newEcho(b)
	b.Cleanup(func() { e.stop(b) })
	return e
}

func newEcho(b *testing.B) *echo {
	b.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), floorVariable+"=echo", "GOMAXPROCS=1")
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	return &echo{cmd, in, bufio.NewWriterSize(in, 64<<10), bufio.NewReaderSize(out, 64<<10)}
}

func (e *echo) stop(b *testing.B) {
	if err := e.in.Close(); err != nil {
		b.Error(err)
	}
	if err := e.cmd.Wait(); err != nil {
		b.Error(err)
	}
}

// exchange sends n numbers, depth of them at a time, and checks what comes back.
func (e *echo) exchange(n, depth int) error {
	var b [8]byte
	for i := 0; i < n; i += depth {
		m := min(depth, n-i)
		for j := range m {
			binary.LittleEndian.PutUint64(b[:], uint64(i+j))
			if _, err := e.w.Write(b[:]); err != nil {
				return err
			}
		}
		if err := e.w.Flush(); err != nil {
			return err
		}
		for j := range m {
			if _, err := io.ReadFull(e.r, b[:]); err != nil {
				return err
			}
			if got := binary.LittleEndian.Uint64(b[:]); got != uint64(i+j+1) {
				return fmt.Errorf("%d came back for %d", got, i+j)
			}
		}
	}
	return nil
}

// driverPeakMB runs a driver of n tasks as a process of its own and returns the most memory it held.
func driverPeakMB(b *testing.B, n int) float64 {
	b.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=driver:%d", floorVariable, n))
	out, err := cmd.Output()
	if err != nil {
		b.Fatal(err)
	}
	kb, err := strconv.ParseFloat(strings.TrimSpace(string(out)), 64)
	if err != nil {
		b.Fatal(err)
	}
	return kb / 1024
}

// drive maps n tasks on two workers, and prints this process's peak of resident memory in kB.
func drive(n int) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	dir, err := os.MkdirTemp("", "gowren-bench")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	ex, err := mapper.Open(ctx, mapper.Config{Backend: "local://?workers=2", Storage: "file://" + filepath.ToSlash(dir)})
	if err != nil {
		return err
	}
	defer ex.Close()
	inputs := make([]int, n)
	if _, err := mapper.Map(ctx, ex, increment, inputs); err != nil {
		return err
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			fmt.Println(strings.TrimSuffix(strings.TrimSpace(value), " kB"))
		}
	}
	return nil
}
