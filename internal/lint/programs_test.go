package lint

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// quickstart is the program whose size is held: mapper, and no cloud.
const quickstart = "examples/quickstart"

// largest is what a worker without a cloud may take, stripped: its start time grows with it.
const largest = 12 << 20

// TestExamples holds that each example is a program and has a test. A folder without Go files is no example.
func TestExamples(t *testing.T) {
	t.Parallel()
	for folder, files := range examples(t) {
		if !slices.ContainsFunc(files, func(f goFile) bool { return f.main }) {
			t.Errorf("%s has no func main", folder)
		}
		if !slices.ContainsFunc(files, func(f goFile) bool { return f.test }) {
			t.Errorf("%s has no test", folder)
		}
	}
}

// TestProgramSize builds the quickstart and weighs it.
func TestProgramSize(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it builds a program")
	}
	all := examples(t)
	if len(all) == 0 {
		t.Skip("there are no examples yet")
	}
	if _, ok := all[quickstart]; !ok {
		t.Fatalf("%s is not there: its size stands for that of every program without a cloud", quickstart)
	}
	hold(t, weigh(t), largest)
}

// weigh builds the quickstart, stripped, and returns its size.
func weigh(t *testing.T, flags ...string) int64 {
	t.Helper()
	program := filepath.Join(t.TempDir(), "quickstart")
	args := append([]string{"build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", program}, flags...)
	cmd := exec.Command("go", append(args, "./"+quickstart)...)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	info, err := os.Stat(program)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// hold compares a size with what it may be.
func hold(t *testing.T, size, limit int64) {
	t.Helper()
	t.Logf("%.1f MB of %d", float64(size)/(1<<20), limit>>20)
	if size > limit {
		t.Errorf("the program has %d bytes, more than %d", size, limit)
	}
}

// examples returns the folders right under examples that have Go files, but internal.
func examples(t *testing.T) map[string][]goFile {
	found := map[string][]goFile{}
	for folder, files := range tree(t) {
		name, ok := strings.CutPrefix(folder, "examples/")
		if ok && !strings.Contains(name, "/") && name != "internal" {
			found[folder] = files
		}
	}
	return found
}
