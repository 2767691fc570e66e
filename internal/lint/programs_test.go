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
	program := filepath.Join(t.TempDir(), "quickstart")
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", program, "./"+quickstart)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	info, err := os.Stat(program)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s: %.1f MB of %d", quickstart, float64(info.Size())/(1<<20), largest>>20)
	if info.Size() > largest {
		t.Errorf("%s has %d bytes, more than %d", quickstart, info.Size(), largest)
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
