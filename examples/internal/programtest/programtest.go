// Package programtest tests the example programs as a user calls them: the test binary is the program, and its own workers.
package programtest

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/gowren/gowren/mapper"
)

// variable makes a test binary the program itself, which its workers then are, too.
const variable = "GOWREN_TEST_MAIN"

// Main is for TestMain: it runs the program where this process was started to be it, and the tests otherwise.
func Main(m *testing.M, program func()) {
	if os.Getenv(variable) != "" {
		program()
		os.Exit(0)
	}
	mapper.Main()
	m.Run()
}

// Run runs the program with arguments and returns what it printed, and its exit status.
func Run(t *testing.T, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var out, bad strings.Builder
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Stdout, cmd.Stderr = &out, &bad
	// The race detector makes each process wait for a second before it ends. Workers need not.
	cmd.Env = append(os.Environ(), variable+"=1", "GORACE=atexit_sleep_ms=0",
		"GOWREN_BACKEND=local://?workers=2", "GOWREN_STORAGE=file://"+t.TempDir())
	if err := cmd.Run(); cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), bad.String(), cmd.ProcessState.ExitCode()
}
