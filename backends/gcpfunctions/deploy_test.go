package gcpfunctions

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/servers/gcf"
	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/filestore"
)

var square = mapper.Func("gcpfunctions/square", func(_ context.Context, x int) (int, error) { return x * x, nil })

// bucket returns one that ends with the test.
func bucket(t *testing.T) storage.Bucket {
	t.Helper()
	b, err := filestore.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// prepare prepares a backend for this program, or for another.
func prepare(t *testing.T, b *Backend, on storage.Bucket, program ...string) error {
	t.Helper()
	d := backends.Deployment{Bucket: on, Program: os.Getenv("GOWREN_PROGRAM")}
	if len(program) > 0 {
		d.Program = program[0]
	}
	return b.Prepare(t.Context(), d)
}

// count is how often a method was called.
func count(s *gcf.Server, method string) int {
	n := 0
	for _, c := range s.Calls() {
		if c == method {
			n++
		}
	}
	return n
}

// squares runs a job and checks its results.
func squares(t *testing.T, b backends.Backend, on storage.Bucket, n int) {
	t.Helper()
	ex, err := mapper.New(t.Context(), b, on, mapper.Options{Quiet: true})
	if err != nil {
		t.Fatal(err)
	}
	inputs := make([]int, n)
	for i := range inputs {
		inputs[i] = i
	}
	got, err := mapper.Map(t.Context(), ex, square, inputs)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range got {
		if v != i*i {
			t.Fatalf("result %d is %d", i, v)
		}
	}
}

func TestPrepareDeploysOnce(t *testing.T) {
	t.Parallel()
	s := gcf.New(t, gcf.Options{})
	on := bucket(t)
	whole, err := os.Executable() // once, what is deployed is as large as programs are
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		squaresOf(t, newBackend(t, config(s)), on, whole)
	}
	if n := count(s, "CreateFunction"); n != 1 || count(s, "UpdateFunction") > 0 {
		t.Errorf("%d functions were created; calls: %v", n, s.Calls())
	}
	c := config(s)
	c.Env = map[string]string{"A": "b"}
	if err := prepare(t, newBackend(t, c), on); err != nil {
		t.Fatal(err)
	}
	ids := s.Functions()
	if len(ids) != 2 || !strings.HasPrefix(ids[0], "gowren-v1-amd64-1024-") {
		t.Errorf("another configuration has no function of its own: %v", ids)
	}
}

func TestChangedProgramIsLiveWithoutDeployment(t *testing.T) {
	t.Parallel()
	s := gcf.New(t, gcf.Options{})
	on := bucket(t)
	if err := prepare(t, newBackend(t, config(s)), on); err != nil {
		t.Fatal(err)
	}
	before := len(s.Calls())
	data, err := os.ReadFile(os.Getenv("GOWREN_PROGRAM"))
	if err != nil {
		t.Fatal(err)
	}
	changed := filepath.Join(t.TempDir(), "changed")
	if err := os.WriteFile(changed, append(data, "another build"...), 0o700); err != nil {
		t.Fatal(err)
	}
	b := newBackend(t, config(s))
	if err := prepare(t, b, on, changed); err != nil {
		t.Fatal(err)
	}
	squaresOf(t, b, on, changed)
	if calls := s.Calls()[before:]; slices.ContainsFunc(calls, func(c string) bool { return c != "GetFunction" }) {
		t.Errorf("a changed program needed %v", calls)
	}
}

// squaresOf runs a job with a program that was named.
func squaresOf(t *testing.T, b backends.Backend, on storage.Bucket, program string) {
	t.Helper()
	squares(t, named{b, program}, on, 10)
}

// named is a backend whose deployments have a program.
type named struct {
	backends.Backend
	program string
}

func (n named) Prepare(ctx context.Context, d backends.Deployment) error {
	d.Program = n.program
	return n.Backend.Prepare(ctx, d)
}

func TestDriversAtOnce(t *testing.T) {
	t.Parallel()
	s := gcf.New(t, gcf.Options{})
	on := bucket(t)
	var all sync.WaitGroup
	for range 4 {
		b := newBackend(t, config(s))
		all.Go(func() {
			if err := prepare(t, b, on); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if ids := s.Functions(); len(ids) != 1 || count(s, "UpdateFunction") > 0 {
		t.Errorf("functions %v, calls %v", ids, s.Calls())
	}
}

func TestBadProgramDoesNotBreakTheRest(t *testing.T) {
	t.Parallel()
	s := gcf.New(t, gcf.Options{})
	on := bucket(t)
	bad := newBackend(t, config(s))
	bad.pace.settle = 0
	err := prepare(t, bad, on, "/bin/false")
	if err == nil || !strings.Contains(err.Error(), "does not answer as it should") {
		t.Fatalf("a program that ends at once: %v", err)
	}
	squares(t, newBackend(t, config(s)), on, 10)
	if n := count(s, "CreateFunction"); n != 1 || count(s, "UpdateFunction") != 2 {
		t.Errorf("calls: %v", s.Calls())
	}
}

func TestFailedDeploymentIsMended(t *testing.T) {
	t.Parallel()
	s := gcf.New(t, gcf.Options{})
	on := bucket(t)
	s.FailBuilds("step 2 exited with status 1", 1)
	if err := prepare(t, newBackend(t, config(s)), on); !errors.Is(err, backends.ErrInvalid) || !strings.Contains(err.Error(), "step 2 exited") {
		t.Fatalf("a failed build: %v", err)
	}
	squares(t, newBackend(t, config(s)), on, 10)
}

func TestControlPlaneThrottles(t *testing.T) {
	t.Parallel()
	s := gcf.New(t, gcf.Options{})
	for _, method := range []string{"GetFunction", "GenerateUploadUrl", "CreateFunction", "ListRuntimes", "GetOperation"} {
		s.Throttle(method, 2)
	}
	squares(t, newBackend(t, config(s)), bucket(t), 10)
}

func TestArchivesOfOneProgramAreEqual(t *testing.T) {
	t.Parallel()
	var texts [2]string
	for i := range texts {
		f := archiveOf(t, "/bin/false")
		data, err := io.ReadAll(f)
		if err != nil {
			t.Fatal(err)
		}
		texts[i] = string(data)
	}
	if texts[0] != texts[1] {
		t.Error("two archives of one program differ")
	}
}
