package storagetest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gowren/gowren/storage"
)

// WordCount builds the example program wordcount with all drivers, and runs it with its data and its input in the bucket,
// as the README writes it. The environment is this process's, and env. It is for stores that other processes reach.
func WordCount(t *testing.T, b storage.Bucket, env ...string) {
	t.Helper()
	if testing.Short() {
		t.Skip("it builds a program")
	}
	root, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "wordcount")
	build := exec.CommandContext(t.Context(), "go", "build", "-tags", "clouds", "-o", program, "./examples/wordcount")
	build.Dir = strings.TrimSpace(string(root))
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	texts := storage.Prefix(b, "texts")
	for key, text := range map[string]string{"a.txt": "to be or not to be", "below/b.txt": strings.Repeat("be\n", 100), "c": ""} {
		if err := texts.Put(t.Context(), key, strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
	}
	run := exec.CommandContext(t.Context(), program, "-all", "-split", "50", texts.URL())
	run.Env = append(append(os.Environ(), "GOWREN_BACKEND=local://?workers=2", "GOWREN_STORAGE="+b.URL()), env...)
	var problem strings.Builder
	run.Stderr = &problem
	out, err := run.Output()
	if want := "102\tbe\n2\tto\n1\tnot\n1\tor\n"; err != nil || string(out) != want {
		t.Errorf("%q, want %q: %v\n%s", out, want, err, problem.String())
	}
	for o, err := range b.List(t.Context(), "jobs/") {
		t.Errorf("%s stays: %v", o.Key, err)
	}
}
