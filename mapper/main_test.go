package mapper_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/storage"
)

func TestMain(m *testing.M) {
	// Before Main: some of them show what happens without it.
	if program := programs[os.Getenv(programVariable)]; program != nil {
		program()
		os.Exit(0)
	}
	mapper.Main()
	floor() // the programs that benchmarks compare with
	// The race detector makes each process wait for a second before it ends. Workers need not.
	if err := os.Setenv("GORACE", os.Getenv("GORACE")+" atexit_sleep_ms=0"); err != nil {
		panic(err)
	}
	code := m.Run()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// programVariable makes this test binary one of the programs that tests run as processes of their own.
const programVariable = "GOWREN_TEST_PROGRAM"

// output is what a program printed, and its exit status.
type output struct {
	stdout, stderr string
	status         int
}

// runProgram runs this test binary as one of the programs. None of the environment's GOWREN_ variables reach it.
func runProgram(t *testing.T, name string, env ...string) output {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr strings.Builder
	cmd := exec.CommandContext(t.Context(), path)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	for _, v := range os.Environ() {
		if !strings.HasPrefix(v, "GOWREN_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	cmd.Env = append(append(cmd.Env, env...), programVariable+"="+name)
	err = cmd.Run()
	if exit := new(exec.ExitError); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return output{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}

// open opens an executor on a backend's URL and a folder of its own, which must be empty when the test has ended.
func open(t testing.TB, backend string) *mapper.Executor {
	t.Helper()
	ex, err := mapper.Open(t.Context(), mapper.Config{Backend: backend, Storage: "file://" + t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, key := range keys(context.WithoutCancel(t.Context()), t, ex.Bucket()) {
			t.Errorf("%s stayed in the bucket", key)
		}
		if err := ex.Close(); err != nil {
			t.Error(err)
		}
	})
	return ex
}

func keys(ctx context.Context, t testing.TB, b storage.Bucket) []string {
	t.Helper()
	var keys []string
	for o, err := range b.List(ctx, "") {
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, o.Key)
	}
	return keys
}

// ints returns 0 to n-1.
func ints(n int) []int {
	s := make([]int, n)
	for i := range s {
		s[i] = i
	}
	return s
}

// mentions checks that an error is there and says all of the words.
func mentions(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("the error does not mention %q: %v", w, err)
		}
	}
}

// read returns an object.
func read(t testing.TB, b storage.Bucket, key string) string {
	t.Helper()
	r, err := b.Get(t.Context(), key, 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}
