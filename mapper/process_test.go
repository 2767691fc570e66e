package mapper_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gowren/gowren/mapper"
)

var (
	programDouble  = mapper.Func("program-double", func(_ context.Context, x int) (int, error) { return 2 * x, nil })
	programEnviron = mapper.Func("program-environ", func(context.Context, string) ([]string, error) { return os.Environ(), nil })
)

// programs are what this test binary can be besides.
var programs = map[string]func(){
	"main":    func() { mapper.Main(); fmt.Println("main goes on") },
	"no-main": func() { tryOpen("local"); tryOpen("inproc") },
	"local":   func() { mapper.Main(); tryOpen("") },
	"late": func() {
		mapper.Main()
		mapper.Func("program-late", identity)
	},
	"other": func() { fmt.Println("this is no worker") },
}

// tryOpen prints what comes of a job of small values.
func tryOpen(backend string) {
	ex, err := mapper.Open(context.Background(), mapper.Config{Backend: backend})
	if err != nil {
		fmt.Println("open:", err)
		return
	}
	defer ex.Close()
	got, err := mapper.Map(context.Background(), ex.With(mapper.Options{Retries: -1}), programDouble, []int{1, 2})
	fmt.Println("map:", got, err)
}

// says checks a program's exit status and that it said all of the words.
func (o output) says(t *testing.T, status int, words ...string) {
	t.Helper()
	if o.status != status {
		t.Errorf("exit status %d, want %d", o.status, status)
	}
	for _, w := range words {
		if !strings.Contains(o.stdout+o.stderr, w) {
			t.Errorf("it does not say %q", w)
		}
	}
	if t.Failed() {
		t.Logf("standard output: %s\nstandard error: %s", o.stdout, o.stderr)
	}
}

// TestMainInDriver: without a role, Main comes back.
func TestMainInDriver(t *testing.T) {
	t.Parallel()
	runProgram(t, "main").says(t, 0, "main goes on")
}

// TestMainInWorker: a process that was started as a worker never reaches the rest of main. One that no driver started, or
// whose role is not there, says what is wrong.
func TestMainInWorker(t *testing.T) {
	t.Parallel()
	for role, words := range map[string][]string{
		"nonsense": {"gowren worker:", `"nonsense"`, "GOWREN_WORKER"},
		"pipe":     {"gowren worker:", "not started by a driver"},
	} {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			o := runProgram(t, "main", "GOWREN_WORKER="+role)
			o.says(t, 1, words...)
			if o.stdout != "" {
				t.Errorf("it went on in main: %s", o.stdout)
			}
		})
	}
}

// TestMainUnsets: what a task starts is no worker.
func TestMainUnsets(t *testing.T) {
	t.Parallel()
	env, err := mapper.Call(t.Context(), open(t, "local://?workers=1"), programEnviron, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range env {
		if strings.HasPrefix(v, "GOWREN_WORKER") {
			t.Errorf("a task sees %s", v)
		}
	}
}

// TestOpenWithoutMain: a forgotten Main is an error that says what to do, not a process that starts itself for ever. What
// keeps to this process needs none.
func TestOpenWithoutMain(t *testing.T) {
	t.Parallel()
	o := runProgram(t, "no-main", "XDG_CACHE_HOME="+t.TempDir())
	o.says(t, 0, "open: mapper: open: mapper.Main has not run", "call it first in main", "TestMain", "map: [2 4] <nil>")
}

// TestFuncAfterMain in a program of its own, whose panic ends it.
func TestFuncAfterMain(t *testing.T) {
	t.Parallel()
	runProgram(t, "late").says(t, 2, `"program-late"`, "process_test.go:", "after mapper.Main has run", "package variables")
}

// TestDefaults: without a word of configuration, jobs run on worker processes, and what is small leaves no trace.
func TestDefaults(t *testing.T) {
	t.Parallel()
	cache := t.TempDir()
	runProgram(t, "local", "XDG_CACHE_HOME="+cache).says(t, 0, "map: [2 4] <nil>")
	found, err := os.ReadDir(cache)
	if err != nil || len(found) > 0 {
		t.Errorf("a job of small values made %v, %v", found, err)
	}
	// There is no folder where there is no home; the error says what to set.
	runProgram(t, "local", "XDG_CACHE_HOME=", "HOME=").says(t, 0, "open:", "GOWREN_STORAGE")
	runProgram(t, "local", "XDG_CACHE_HOME=", "HOME=", "GOWREN_STORAGE=file://"+cache).says(t, 0, "map: [2 4] <nil>")
}

// TestProgram: workers run another executable where one is named. What is wrong with it is told.
func TestProgram(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte("#!/bin/sh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	quits := filepath.Join(dir, "quits")
	if err := os.WriteFile(quits, []byte("#!/bin/sh\necho this is no worker >&2\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, path string
		words      []string
	}{
		{"the same", self, []string{"map: [2 4] <nil>"}},
		{"missing", filepath.Join(dir, "gone"), []string{"open:", "GOWREN_PROGRAM", filepath.Join(dir, "gone"), "no such file"}},
		{"folder", dir, []string{"open:", "GOWREN_PROGRAM", "not an executable file"}},
		{"not executable", text, []string{"open:", "GOWREN_PROGRAM", "not an executable file"}},
		{"no worker", quits, []string{"map: []", "was lost", "this is no worker"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			runProgram(t, "local", "XDG_CACHE_HOME="+t.TempDir(), "GOWREN_PROGRAM="+c.path).says(t, 0, c.words...)
		})
	}
}

// TestProgressForms: the environment chooses the form in which progress is written.
func TestProgressForms(t *testing.T) {
	t.Parallel()
	env := []string{"XDG_CACHE_HOME=" + t.TempDir()}
	runProgram(t, "local", append(env, "GOWREN_PROGRESS=json")...).says(t, 0, "map: [2 4]") // a test shows no progress
	runProgram(t, "local", append(env, "GOWREN_PROGRESS=plain")...).says(t, 0, "map: [2 4]")
	runProgram(t, "local", append(env, "GOWREN_PROGRESS=films")...).says(t, 0, "open:", "GOWREN_PROGRESS", "films", "json")
}
