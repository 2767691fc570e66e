package endtoend

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// schemes are those of the backends that GOWREN_LIVE names.
var schemes = map[string]string{"aws": "awslambda://", "google": "gcpfunctions://", "azure": "azurefunctions://", "http": "http"}

// TestLive runs the examples on a real account, which costs cents:
//
//	GOWREN_LIVE=aws GOWREN_LIVE_BACKEND=awslambda://eu-west-1 GOWREN_LIVE_STORAGE='s3://my-bucket?region=eu-west-1' go test ./...
//
// It looks whether all is there that is needed, as examples/doctor does, runs each program, compares what it prints with
// what it prints on this machine, and removes what was made. The variables have names of their own, since other tests
// run beside it.
func TestLive(t *testing.T) {
	live := os.Getenv("GOWREN_LIVE")
	if live == "" {
		t.Skip("it needs an account: docs/testing.md says how to name one by GOWREN_LIVE")
	}
	backend, store := os.Getenv("GOWREN_LIVE_BACKEND"), os.Getenv("GOWREN_LIVE_STORAGE")
	scheme, known := schemes[live]
	if !known || !strings.HasPrefix(backend, scheme) || store == "" {
		t.Fatalf("GOWREN_LIVE=%s needs GOWREN_LIVE_BACKEND=%s… and GOWREN_LIVE_STORAGE: aws, google, azure and http are known", live, scheme)
	}
	dir := build(t)
	env := append(os.Environ(), "GOWREN_BACKEND="+backend, "GOWREN_STORAGE="+store)
	doctor := func(args ...string) {
		cmd := exec.CommandContext(t.Context(), filepath.Join(dir, "doctor"), args...)
		cmd.Env = env
		said, err := cmd.CombinedOutput()
		if t.Logf("%s", said); err != nil {
			t.Fatal(err)
		}
	}
	doctor()
	for name := range programs {
		program := filepath.Join(dir, name)
		want, err := run(t, program, []string{"GOWREN_BACKEND=local", "GOWREN_STORAGE=file://" + t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := run(t, program, env); err != nil || got != want {
			t.Errorf("%s: %v, or it printed something else than on this machine:\n%.500s", name, err, got)
		}
	}
	doctor("-destroy")
}
