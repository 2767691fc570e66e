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

func TestProgram(t *testing.T) {
	t.Parallel()
	stdout, stderr, status := program(t)
	if stdout != "[1 4 9 16 25]\n" || status != 0 {
		t.Errorf("%q, exit status %d: %s", stdout, status, stderr)
	}
}
