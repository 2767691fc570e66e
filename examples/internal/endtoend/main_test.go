package endtoend

import (
	"bytes"
	"fmt"
	"maps"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// programs are the examples with their arguments: what they print is the same each time.
var programs = map[string][]string{
	"wordcount": {"-all", "-split", "200000"},
	"join":      {"-kind", "full"},
	"pi":        {"-darts", "2000000", "-tasks", "20"},
	"sort":      {"-gen", "20000", "-check"},
}

// build builds the examples as a user does, for all clouds, and returns their folder.
func build(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	args := []string{"build", "-tags", "clouds,disable_grpc_modules,grpcnotrace", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", "-o", dir + "/"}
	for _, name := range append(slices.Collect(maps.Keys(programs)), "doctor") {
		args = append(args, "github.com/gowren/gowren/examples/"+name)
	}
	cmd := exec.CommandContext(t.Context(), "go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	return dir
}

// run runs an example with nothing of the environment but what is given, and returns what it printed.
func run(t *testing.T, program string, env []string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, programs[filepath.Base(program)]...)
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "TMPDIR=" + os.TempDir()}, env...)
	var out, bad bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &bad
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%w: %s", err, bad.String())
	}
	return steady(out.String()), nil
}

// times are in what examples say of their speed.
var times = regexp.MustCompile(` in [0-9.]+ s`)

func steady(text string) string { return times.ReplaceAllString(text, "") }

// place is where programs run: its variables for a program of that path.
type place struct {
	name string
	env  func(t *testing.T, program string) []string
}

// TestSame runs each program on this machine, and then everywhere else.
func TestSame(t *testing.T) {
	if testing.Short() {
		t.Skip("it builds programs, and starts servers")
	}
	dir := build(t)
	for name := range programs {
		program := filepath.Join(dir, name)
		want, err := run(t, program, []string{"GOWREN_BACKEND=local://?workers=2", "GOWREN_STORAGE=file://" + t.TempDir()})
		if err != nil || want == "" {
			t.Fatalf("%s on this machine: %q, %v", name, want, err)
		}
		for _, p := range []place{{"http", onHTTP}, {"aws", onAWS}, {"google", onGoogle}, {"azure", onAzure}} {
			t.Run(name+"/"+p.name, func(t *testing.T) {
				got, err := run(t, program, p.env(t, program))
				if err != nil {
					t.Fatal(err)
				}
				if got != want {
					t.Errorf("it printed %d bytes:\n%.500s\nwhere it prints %d on this machine:\n%.500s", len(got), got, len(want), want)
				}
			})
		}
	}
}

// query writes parameters of a URL.
func query(pairs ...string) string {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Set(pairs[i], pairs[i+1])
	}
	return "?" + v.Encode()
}
