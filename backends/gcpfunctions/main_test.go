package gcpfunctions

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/gowren/gowren/backends/backendtest"
	"github.com/gowren/gowren/internal/servers/gcf"
	"github.com/gowren/gowren/mapper"
)

func TestMain(m *testing.M) {
	mapper.Main() // ends here if this is a worker
	launcher, err := buildLauncher()
	if err == nil {
		// The file has no name any more, and so ends with this process.
		err = os.Setenv("GOWREN_PROGRAM", fmt.Sprintf("/proc/self/fd/%d", launcher.Fd()))
	}
	if err != nil {
		panic(err)
	}
	backendtest.Main(m)
	runtime.KeepAlive(launcher)
}

// buildLauncher returns the program that is deployed: it becomes this one, where that is. Deployed itself, this one would go
// through each test a dozen times, and it has 70 MB with the race detector, which looks at each byte.
func buildLauncher() (*os.File, error) {
	dir, err := os.MkdirTemp("", "gowren-launcher-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // it is in the system's folder for such files
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	source, out := filepath.Join(dir, "main.go"), filepath.Join(dir, "launcher")
	if err := os.WriteFile(source, fmt.Appendf(nil, `package main

import (
	"os"
	"syscall"
)

func main() { panic(syscall.Exec(%q, os.Args, os.Environ())) }
`, self), 0o600); err != nil {
		return nil, err
	}
	cmd := exec.Command("go", "build", "-ldflags=-s -w", "-o", out, source)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
	if said, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build: %w: %s", err, said)
	}
	return os.Open(out)
}

const (
	project = "test-project"
	region  = "europe-west1"
)

// tokens are those of the stand-in.
type tokens struct {
	s       *gcf.Server
	wrong   bool // the access token is not one
	expired bool // the ID tokens' hour is over
}

func (k tokens) Access(context.Context) (string, error) {
	if k.wrong {
		return "ya29.wrong", nil
	}
	return k.s.Access, nil
}

func (k tokens) Identity(_ context.Context, audience string) (string, error) {
	if k.expired {
		return k.s.ExpiredToken(audience), nil
	}
	return k.s.Token(audience), nil
}

// quick is a pace that tests can wait for.
var quick = pace{pause: 2 * time.Millisecond, patience: 20 * time.Second, settle: 2 * time.Second, deploy: 3 * time.Minute, stop: 20 * time.Second}

// config is that of a backend on a stand-in.
func config(s *gcf.Server) Config {
	return Config{
		Project: project, Region: region, MemoryMB: 1024, MaxInstances: 2, ServiceAccount: gcf.Worker,
		Tokens: tokens{s: s}, Endpoint: s.Endpoint, poll: 10 * time.Millisecond, loose: true,
	}
}

// newBackend returns a backend that ends with the test.
func newBackend(t *testing.T, c Config) *Backend {
	t.Helper()
	b, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	b.pace = quick
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return b
}
