package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// mainVariable makes this test binary the program itself, which its workers then are, too.
const mainVariable = "GOWREN_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(mainVariable) != "" {
		main()
		os.Exit(0)
	}
	m.Run()
}

// program runs the program with arguments and returns what it printed, and its exit status.
func program(t *testing.T, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var out, bad strings.Builder
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Stdout, cmd.Stderr = &out, &bad
	// The race detector makes each process wait for a second before it ends. Workers need not.
	cmd.Env = append(os.Environ(), mainVariable+"=1", "GORACE=atexit_sleep_ms=0",
		"GOWREN_BACKEND=local://?workers=2", "GOWREN_STORAGE=file://"+t.TempDir())
	if err := cmd.Run(); cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), bad.String(), cmd.ProcessState.ExitCode()
}

// TestProgram: the estimate is the same each time, and a good one. It depends on the numbers of darts and tasks alone.
func TestProgram(t *testing.T) {
	t.Parallel()
	for _, tasks := range []string{"1", "7", "300"} {
		first, stderr, status := program(t, "-darts", "1000001", "-tasks", tasks)
		if status != 0 || !strings.HasPrefix(first, "pi is about 3.1") || !strings.HasSuffix(first, " after 1000001 darts\n") {
			t.Errorf("%q, exit status %d: %s", first, status, stderr)
		}
		if again, _, _ := program(t, "-darts", "1000001", "-tasks", tasks); again != first {
			t.Errorf("%s tasks: %q and then %q", tasks, first, again)
		}
	}
}

func TestArguments(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{{"-tasks", "0"}, {"-tasks", "-1"}, {"-darts", "5", "-tasks", "6"}} {
		stdout, stderr, status := program(t, args...)
		if status != 1 || stdout != "" || !strings.Contains(stderr, "at least one task") {
			t.Errorf("%v: %q, exit status %d: %s", args, stdout, status, stderr)
		}
	}
	if _, stderr, status := program(t, "-darts", "many"); status != 2 || !strings.Contains(stderr, `"many"`) {
		t.Errorf("exit status %d: %s", status, stderr)
	}
}
