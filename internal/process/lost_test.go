package process

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gowren/gowren/backends"
)

func atoi(t *testing.T, s []byte) int {
	t.Helper()
	n, err := strconv.Atoi(strings.TrimSpace(string(s)))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestOutOfMemory: a worker over its limit is killed, and the numbers are told.
func TestOutOfMemory(t *testing.T) {
	t.Parallel()
	if _, ok := resident(1); !ok {
		t.Skip("memory is not watched on this system")
	}
	const limit = 200
	c := started(t, Config{Memory: limit << 20})
	lost := wantLost(t, c, "fill", "out of memory")
	if !errors.Is(lost, backends.ErrOutOfMemory) {
		t.Errorf("%v is no backends.ErrOutOfMemory", lost)
	}
	m := regexp.MustCompile(`it used (\d+) MB, its limit is (\d+) MB`).FindStringSubmatch(lost.Error())
	if m == nil || atoi(t, []byte(m[1])) < limit || atoi(t, []byte(m[2])) != limit {
		t.Errorf("%v does not tell the numbers", lost)
	}
}

// TestExitStatus: how a worker ended is told.
func TestExitStatus(t *testing.T) {
	t.Parallel()
	_ = wantLost(t, started(t, Config{}), "exit 0", "exited with status 0")
	if lost := wantLost(t, started(t, Config{}), "exit 9", "exit status 9"); lost.Ran <= 0 || lost.Ran > time.Minute {
		t.Errorf("it had run for %v", lost.Ran)
	}
}

// TestCrash: the head of a panic and the lines before it are kept, however much else is written.
func TestCrash(t *testing.T) {
	t.Parallel()
	for _, how := range []string{"alone", "before", "after"} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			lost := wantLost(t, started(t, Config{}), "crash "+how, "exit status 2")
			for _, s := range []string{"the last words\npanic: a crash " + how, "goroutine "} {
				if !strings.Contains(lost.Output, s) {
					t.Errorf("its output lacks %q: %.1000q", s, lost.Output)
				}
			}
			if how == "after" && !strings.HasSuffix(lost.Output, "the end") {
				t.Errorf("its output lacks the last line: %q", lost.Output[max(0, len(lost.Output)-100):])
			}
			if most := keepCrash + 2*keepLast + 100; len(lost.Output) > most {
				t.Errorf("its output has %d bytes, more than %d", len(lost.Output), most)
			}
		})
	}
}

// TestKeep: the latest lines that begin like a crash count, since a program may print such a line and live on.
func TestKeep(t *testing.T) {
	t.Parallel()
	r := &relay{}
	r.keep([]byte("panic: caught, and printed"))
	for i := range 1000 {
		r.keep([]byte("line " + strconv.Itoa(i) + strings.Repeat(".", 50)))
	}
	if tail := r.tail(); !strings.HasPrefix(tail, "panic: caught") || !strings.Contains(tail, "line 999.") {
		t.Errorf("kept: %q", tail)
	}
	r.keep([]byte("fatal error: all goroutines are asleep"))
	r.keep([]byte("goroutine 1"))
	tail := r.tail()
	if strings.Contains(tail, "caught") || !strings.HasSuffix(tail, ".\nfatal error: all goroutines are asleep\ngoroutine 1") || !strings.Contains(tail, "line 999.") {
		t.Errorf("kept: %q", tail)
	}
	if len(tail) > 2*keepLast {
		t.Errorf("kept %d bytes", len(tail))
	}
	r = &relay{}
	if tail := r.tail(); tail != "" {
		t.Errorf("kept of nothing: %q", tail)
	}
}

// TestReasonIsFirst: of several reasons to kill a worker the first is told, and none for one that has ended by itself.
func TestReasonIsFirst(t *testing.T) {
	t.Parallel()
	c := started(t, Config{})
	c.kill(errors.New("the first reason"))
	c.kill(errors.New("the second"))
	<-c.exited
	c.kill(errors.New("the third"))
	if lost := c.lost(time.Now(), nil); !strings.Contains(lost.Error(), "the first reason") {
		t.Error(lost)
	}
	c = started(t, Config{})
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	c.kill(errors.New("too late"))
	if c.reason != nil {
		t.Errorf("a worker that ended by itself was killed: %v", c.reason)
	}
}

// TestKilledBySystem: a worker that had nearly all its memory when somebody else killed it had too little. One that had
// not was just killed.
func TestKilledBySystem(t *testing.T) {
	t.Parallel()
	c := started(t, Config{})
	if err := syscall.Kill(c.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-c.exited
	used := peak(c.cmd.ProcessState)
	if used == 0 {
		t.Skip("a process's most memory is not known on this system")
	}
	for limit, memory := range map[int64]bool{0: false, used / 4 * 5: true, 100 * used: false} {
		c.config.Memory = limit // nobody looks at it any more
		if lost := c.lost(time.Now(), nil); errors.Is(lost, backends.ErrOutOfMemory) != memory {
			t.Errorf("killed with a limit of %d MB: %v", limit>>20, lost)
		}
	}
}
