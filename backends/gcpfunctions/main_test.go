package gcpfunctions

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/gowren/gowren/backends/backendtest"
	"github.com/gowren/gowren/internal/servers/gcf"
)

func TestMain(m *testing.M) {
	// The program that workers run is this one, as it is: it need not be built anew to be statically linked.
	path, err := os.Executable()
	if err == nil {
		err = os.Setenv("GOWREN_PROGRAM", path)
	}
	if err != nil {
		panic(err)
	}
	backendtest.Main(m)
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
