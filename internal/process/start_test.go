package process

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/wire"
)

// TestProgramIsNone: a program that can never be started is no loss of a worker, which would be tried again.
func TestProgramIsNone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for what, path := range map[string]string{
		"missing":        filepath.Join(dir, "none"),
		"not executable": write("plain", "#!/bin/sh\n", 0o644),
		"no program":     write("text", "just words", 0o755),
		"below a file":   filepath.Join(write("file", "", 0o644), "x"),
		"a folder":       dir,
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			c, err := Start(Config{Name: "w-1", Program: path})
			if err == nil {
				t.Fatal(c.Close(), "started")
			}
			if !errors.Is(err, backends.ErrInvalid) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "w-1") {
				t.Errorf("error %v, want backends.ErrInvalid with the program's path", err)
			}
		})
	}
}

// TestProgramIsNoWorker: what a program does instead of serving is told.
func TestProgramIsNoWorker(t *testing.T) {
	t.Parallel()
	for what, says := range map[string]string{
		"exit":               "exit status 7",
		"junk":               "no frame begins with",
		"request in a reply": "in a reply",
		"more than a reply":  "8 bytes follow the end of a reply",
		"half a reply":       "exited with status 0",
		"closes its reply":   "broke off its reply",
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			lost := wantLost(t, started(t, bad(what)), "echo", says)
			if what == "exit" && !strings.Contains(lost.Output, "no time for this") {
				t.Errorf("its last words are %q", lost.Output)
			}
			if strings.Contains(what, "reply") && what != "half a reply" && what != "closes its reply" && !errors.Is(lost, wire.ErrCorrupt) {
				t.Errorf("%v is no wire.ErrCorrupt", lost)
			}
		})
	}
}

// TestEnvironment: a worker knows its role, its limits and what it was given.
func TestEnvironment(t *testing.T) {
	t.Parallel()
	c := started(t, Config{Env: []string{"GOWREN_TEST_GIVEN=a=b"}, CPUs: 3, Memory: 1 << 30})
	for name, want := range map[string]string{
		"GOWREN_TEST_GIVEN": "a=b", "GOMAXPROCS": "3", "GOMEMLIMIT": "966367641", backends.RoleVariable: RoleName,
	} {
		if got := mustAsk(t, c, "env "+name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

// TestDescriptors: workers that come and go, or never come, leave no file open.
func TestDescriptors(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("there is no /proc")
	}
	count := func() int {
		files, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(files)
	}
	cycle := func(n int) {
		for i := range n {
			if _, err := Start(Config{Name: "w-1", Program: "/nowhere/to/be/found"}); err == nil {
				t.Fatal("started")
			}
			c, err := Start(Config{Name: "w-1"})
			if err != nil {
				t.Fatal(err)
			}
			if i%2 == 0 {
				mustAsk(t, c, "echo")
			} else {
				_ = wantLost(t, c, "exit 3", "exit status 3")
			}
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	cycle(3)
	before := count()
	n := 100
	if testing.Short() {
		n = 10
	}
	cycle(n)
	if after := count(); after > before {
		t.Errorf("%d files were open before %d workers, %d afterwards", before, n, after)
	}
}

// TestOffered: when memory runs out, the system is to end a worker before the driver.
func TestOffered(t *testing.T) {
	t.Parallel()
	ours, err := os.ReadFile("/proc/self/oom_score_adj")
	if err != nil {
		t.Skip(err)
	}
	pid := mustAsk(t, started(t, Config{}), "pid")
	theirs, err := os.ReadFile("/proc/" + pid + "/oom_score_adj")
	if err != nil {
		t.Fatal(err)
	}
	if atoi(t, theirs) <= atoi(t, ours) && atoi(t, ours) < 1000 {
		t.Errorf("the worker's oom_score_adj is %s, the driver's %s", theirs, ours)
	}
}
