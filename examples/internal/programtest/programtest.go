// Package programtest tests the example programs as a user calls them: the test binary is the program, and its own workers.
package programtest

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
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
	var out strings.Builder
	stderr, status = run(t, &out, t.TempDir(), args)
	return out.String(), stderr, status
}

// Unread runs the program with nobody at the other end of its standard output, as "program | head" is when head has ended, and
// returns what it tells, its exit status, and the files that it leaves in its store.
func Unread(t *testing.T, args ...string) (stderr string, status int, left []string) {
	t.Helper()
	r, w, err := os.Pipe()
	if err = errors.Join(err, r.Close()); err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	store := t.TempDir()
	stderr, status = run(t, w, store, args)
	err = filepath.WalkDir(store, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			left = append(left, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return stderr, status, left
}

func run(t *testing.T, stdout io.Writer, store string, args []string) (stderr string, status int) {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var bad strings.Builder
	cmd := exec.CommandContext(t.Context(), path, args...)
	cmd.Stdout, cmd.Stderr = stdout, &bad
	// The race detector makes each process wait for a second before it ends. Workers need not.
	cmd.Env = append(os.Environ(), variable+"=1", "GORACE=atexit_sleep_ms=0",
		"GOWREN_BACKEND=local://?workers=2", "GOWREN_STORAGE=file://"+store)
	if err := cmd.Run(); cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return bad.String(), cmd.ProcessState.ExitCode()
}
