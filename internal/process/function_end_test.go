package process

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gowren/gowren/backends"
)

// TestPrinted: what both standard streams bring comes in order, under the worker's name, with nothing lost.
func TestPrinted(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var all []string
	c := worker(t, Config{Log: func(name, line string) {
		mu.Lock()
		defer mu.Unlock()
		if name != "w-1" {
			t.Errorf("a line of worker %q", name)
		}
		all = append(all, line)
	}})
	mustCall(t, c, "print")
	if err := c.Close(); err != nil { // then all was read
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	text := strings.Join(all, "")
	if want := 2 * len("/dev/stdout first"+longPrint+"/dev/stdout no end"); len(text) != want {
		t.Errorf("%d bytes came, want %d", len(text), want)
	}
	for _, name := range []string{"/dev/stdout", "/dev/stderr"} {
		first, last := -1, -1
		for i, line := range all {
			switch line {
			case name + " first":
				first = i
			case name + " no end":
				last = i
			}
		}
		if first < 0 || last <= first+2 {
			t.Errorf("of %s the first line is number %d, the last %d", name, first, last)
		}
	}
}

// TestProgramOfOthers: a program that is no worker is found out by its first request.
func TestProgramOfOthers(t *testing.T) { // not parallel: a file that was just written cannot run while others fork
	stays := filepath.Join(t.TempDir(), "stays")
	if err := os.WriteFile(stays, []byte("#!/bin/sh\necho junk\necho more than ten bytes >&4\nsleep 1000\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/bin/true", "/bin/cat", stays} {
		if _, err := os.Stat(path); err != nil {
			t.Log(err)
			continue
		}
		c := started(t, Config{Program: path})
		begun := time.Now()
		lost := callLost(t, c, "echo")
		if !strings.Contains(lost.Error(), "w-1") || time.Since(begun) > 5*time.Second {
			t.Errorf("%s: after %v: %v", path, time.Since(begun), lost)
		}
		awaitGone(t, strconv.Itoa(c.PID()))
	}
}

// TestKilledIdle: a worker that the system kills between requests is known to be gone soon.
func TestKilledIdle(t *testing.T) {
	t.Parallel()
	c := worker(t, Config{})
	mustCall(t, c, "echo", "x")
	if err := syscall.Kill(c.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	await(t, "the worker's end to be seen", func() bool { return !c.Alive() })
	_, err := call(t.Context(), c, nil, "echo")
	if !errors.Is(err, ErrUnsent) && !errors.As(err, new(*backends.LostError)) {
		t.Errorf("error %v, want ErrUnsent or a *backends.LostError", err)
	}
	if err != nil && !strings.Contains(err.Error(), "killed") {
		t.Errorf("error %v does not say how it ended", err)
	}
}

// TestCloseQuiet: an idle worker ends with no word, and what its functions started ends with it.
func TestCloseQuiet(t *testing.T) {
	t.Parallel()
	var got lines
	c := worker(t, Config{Log: got.log})
	kid := mustCall(t, c, "fork")[0]
	begun := time.Now()
	for range 2 {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
	if took := time.Since(begun); took > 1500*time.Millisecond || c.Alive() || c.state != nil || c.reason != nil {
		t.Errorf("closed after %v: alive %t, ended with %v, %v", took, c.Alive(), c.state, c.reason)
	}
	if all := got.get(); len(all) > 0 {
		t.Errorf("it said %q", all)
	}
	awaitGone(t, kid)
}

// TestCloseUnderWay: Close ends a request that another goroutine waits for, whether or not its function stops.
func TestCloseUnderWay(t *testing.T) {
	t.Parallel()
	for _, function := range []string{"slow", "stubborn"} {
		t.Run(function, func(t *testing.T) {
			t.Parallel()
			c := worker(t, Config{})
			begun, ended := make(chan struct{}), make(chan error, 1)
			go func() {
				_, err := call(t.Context(), c, func() { close(begun) }, function)
				ended <- err
			}()
			<-begun
			for range 2 {
				if err := c.Close(); err != nil {
					t.Error(err)
				}
			}
			if err := <-ended; err == nil && function == "stubborn" {
				t.Error("a request that was broken off ends well")
			}
			awaitGone(t, strconv.Itoa(c.PID()))
		})
	}
}

// TestNothingLeft: workers that come and go leave no file open and no process uncollected.
func TestNothingLeft(t *testing.T) { // not parallel: it counts
	if runtime.GOOS != "linux" {
		t.Skip("there is no /proc")
	}
	files := func() int {
		list, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	round := func() {
		c, err := Start(Config{Name: "w-1", Env: []string{badVariable + "=" + byFunction}})
		if err == nil {
			err = c.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	round()
	before := files()
	n := 50
	if testing.Short() {
		n = 10
	}
	for range n {
		round()
	}
	if after := files(); after > before {
		t.Errorf("%d files were open before, %d afterwards", before, after)
	}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it ended meanwhile
		}
		_, after, _ := strings.Cut(string(stat), ") ")
		if strings.HasPrefix(after, fmt.Sprintf("Z %d ", os.Getpid())) {
			t.Errorf("not collected: %s", stat)
		}
	}
}
