package main

import (
	"strings"
	"testing"

	"github.com/gowren/gowren/examples/internal/programtest"
)

func TestMain(m *testing.M) { programtest.Main(m, main) }

// TestProgram: the estimate is the same each time, and a good one. It depends on the numbers of darts and tasks alone.
func TestProgram(t *testing.T) {
	t.Parallel()
	for _, tasks := range []string{"1", "7", "300"} {
		first, stderr, status := programtest.Run(t, "-darts", "1000001", "-tasks", tasks)
		if status != 0 || !strings.HasPrefix(first, "pi is about 3.1") || !strings.HasSuffix(first, " after 1000001 darts\n") {
			t.Errorf("%q, exit status %d: %s", first, status, stderr)
		}
		if again, _, _ := programtest.Run(t, "-darts", "1000001", "-tasks", tasks); again != first {
			t.Errorf("%s tasks: %q and then %q", tasks, first, again)
		}
	}
}

func TestArguments(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"-tasks", "0"}, {"-tasks", "-1"}, {"-darts", "5", "-tasks", "6"}} {
		stdout, stderr, status := programtest.Run(t, args...)
		if status != 1 || stdout != "" || !strings.Contains(stderr, "at least one task") {
			t.Errorf("%v: %q, exit status %d: %s", args, stdout, status, stderr)
		}
	}
	if _, stderr, status := programtest.Run(t, "-darts", "many"); status != 2 || !strings.Contains(stderr, `"many"`) {
		t.Errorf("exit status %d: %s", status, stderr)
	}
}

// TestUnread: a program whose output nobody reads tells so.
func TestUnread(t *testing.T) {
	t.Parallel()
	if stderr, status, _ := programtest.Unread(t, "-darts", "1000", "-tasks", "2"); status != 1 || !strings.Contains(stderr, "broken pipe") {
		t.Errorf("exit status %d, %s", status, stderr)
	}
}
