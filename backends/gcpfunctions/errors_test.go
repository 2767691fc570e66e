package gcpfunctions

import (
	"compress/flate"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"

	"cloud.google.com/go/functions/apiv2/functionspb"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/program"
	"github.com/gowren/gowren/internal/servers/gcf"
)

// wantError checks class and words of an error, and that it has no credentials.
func wantError(t *testing.T, s *gcf.Server, err, class error, words ...string) {
	t.Helper()
	if err == nil || !errors.Is(err, class) {
		t.Errorf("the error is %v, want one of %v", err, class)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q lacks %q", err, w)
		}
	}
	for _, secret := range []string{s.Access, "X-Goog-Signature", "Bearer", "eyJ"} {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%q has a credential, or a part of it", err)
		}
	}
}

func TestPrepareErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name    string
		options gcf.Options
		change  func(*Config)
		class   error
		words   []string
	}{
		{"interface not enabled", gcf.Options{Disabled: true}, nil, backends.ErrRefused, []string{"gcloud services enable cloudfunctions.googleapis.com"}},
		{"no get", gcf.Options{Deny: []string{"cloudfunctions.functions.get"}}, nil, backends.ErrRefused, []string{"cloudfunctions.functions.get", "docs/gcp.md"}},
		{"no create", gcf.Options{Deny: []string{"cloudfunctions.functions.create"}}, nil, backends.ErrRefused, []string{"cloudfunctions.functions.create"}},
		{"no upload", gcf.Options{Deny: []string{"cloudfunctions.functions.sourceCodeSet"}}, nil, backends.ErrRefused, []string{"cloudfunctions.functions.sourceCodeSet"}},
		{"no actAs", gcf.Options{Deny: []string{"iam.serviceAccounts.actAs"}}, nil, backends.ErrRefused, []string{"roles/iam.serviceAccountUser"}},
		{"no invoke", gcf.Options{Deny: []string{"run.routes.invoke"}}, nil, backends.ErrRefused, []string{"roles/run.invoker"}},
		{"region", gcf.Options{}, func(c *Config) { c.Region = "europe-east9" }, backends.ErrInvalid, []string{"no such region", "europe-east9"}},
		{"project", gcf.Options{}, func(c *Config) { c.Project = "nobodys-project" }, backends.ErrRefused, []string{"nobodys-project", "no such project"}},
		{"service account", gcf.Options{}, func(c *Config) { c.ServiceAccount = "none@test-project.iam.gserviceaccount.com" }, backends.ErrInvalid,
			[]string{"none@test-project.iam.gserviceaccount.com", "gcloud iam service-accounts create"}},
		{"runtime", gcf.Options{}, func(c *Config) { c.Runtime = "go122" }, backends.ErrInvalid, []string{"go122"}},
		{"build", gcf.Options{BuildError: "go: cannot find module"}, nil, backends.ErrInvalid, []string{"go: cannot find module", "roles/cloudbuild.builds.builder"}},
		{"too large", gcf.Options{MaxSource: 1000}, nil, backends.ErrInvalid, []string{"upload the source", "larger than the maximum"}},
		{"access token", gcf.Options{}, func(c *Config) { c.Tokens = tokens{s: c.Tokens.(tokens).s, wrong: true} }, backends.ErrRefused, []string{"gcloud auth application-default login"}},
		{"expired ID token", gcf.Options{}, func(c *Config) { c.Tokens = tokens{s: c.Tokens.(tokens).s, expired: true} }, backends.ErrRefused, []string{"ID token", "expired"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := gcf.New(t, c.options)
			cfg := config(s)
			if c.change != nil {
				c.change(&cfg)
			}
			b := newBackend(t, cfg)
			b.pace.settle = 0
			wantError(t, s, prepare(t, b, bucket(t)), c.class, c.words...)
		})
	}
}

func TestNoBucket(t *testing.T) {
	t.Parallel()
	s := gcf.New(t, gcf.Options{})
	wantError(t, s, prepare(t, newBackend(t, config(s)), nil), backends.ErrInvalid, "bucket")
}

func TestTooLargeToDeploy(t *testing.T) {
	t.Parallel()
	f, err := os.CreateTemp(t.TempDir(), "large")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Truncate(maxArchive + 1); err != nil { // it stays as large, since it is not compressed
		t.Fatal(err)
	}
	_, err = archive(&program.Executable{Path: f.Name(), Hash: "0", Size: 101 << 20}, flate.NoCompression)
	if !errors.Is(err, backends.ErrInvalid) || !strings.Contains(err.Error(), "100 MB") || !strings.Contains(err.Error(), "stripped") {
		t.Errorf("a program of 101 MB: %v", err)
	}
}

// archiveOf packs a program into a file that ends with the test.
func archiveOf(t *testing.T, path string) *os.File {
	t.Helper()
	f, err := archive(&program.Executable{Path: path, Hash: "0"}, flate.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		f.Close()
		_ = os.Remove(f.Name())
	})
	return f
}

func TestOlderWorker(t *testing.T) {
	t.Parallel()
	old := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"protocol":0,"worker":"old"}`))
	}))
	defer old.Close()
	s := gcf.New(t, gcf.Options{})
	b := newBackend(t, config(s))
	if err := b.connect(old.URL); err != nil {
		t.Fatal(err)
	}
	f, err := b.config.function("")
	if err != nil {
		t.Fatal(err)
	}
	err = b.ping(t.Context(), f)
	wantError(t, s, err, backends.ErrInvalid, "version 0", f.id)
}

func TestConfig(t *testing.T) {
	t.Parallel()
	parsed := func(raw string) (*Backend, error) {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		c, err := parse(u)
		if err != nil {
			return nil, err
		}
		return New(c)
	}
	b, err := parsed("gcpfunctions://my-project/europe-west1?memory=4096&cpu=2&timeout=1800&max=500&min=1&serviceaccount=w@my-project.iam.gserviceaccount.com" +
		"&buildserviceaccount=b@my-project.iam.gserviceaccount.com&invoker=i@my-project.iam.gserviceaccount.com&vpcconnector=net&ingress=internal&prefix=team&env.X=1&label.cost=ml")
	if err != nil {
		t.Fatal(err)
	}
	f, err := b.config.function("gs://bucket")
	if err != nil {
		t.Fatal(err)
	}
	service := f.spec.ServiceConfig
	if service.AvailableMemory != "4096Mi" || service.AvailableCpu != "2" || service.TimeoutSeconds != 1800 || service.MaxInstanceCount != 500 ||
		service.VpcConnector != "projects/my-project/locations/europe-west1/connectors/net" || service.IngressSettings != functionspb.ServiceConfig_ALLOW_INTERNAL_ONLY ||
		service.EnvironmentVariables["X"] != "1" || f.spec.Labels["cost"] != "ml" || f.id != "team-v1-amd64-4096-6ccef73f" || len(f.id) > 63 {
		t.Errorf("%s: %+v, %v", f.id, service, f.spec.Labels)
	}
	if l := b.Limits(); l.Concurrency != 500 || l.CPUs != 2 || l.MaxDuration.Minutes() != 29.5 || !l.Remote {
		t.Errorf("%+v", l)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	for raw, word := range map[string]string{
		"gcpfunctions://":                                          "gcpfunctions://my-project/europe-west1",
		"gcpfunctions://my-project":                                "project and region",
		"gcpfunctions://my-project/europe-west1?memroy=1":          "memory, cpu, timeout",
		"gcpfunctions://my-project/europe-west1?memory=64":         "256 to 4096",
		"gcpfunctions://my-project/europe-west1?memory=8192&cpu=1": "256 to 4096",
		"gcpfunctions://my-project/europe-west1?cpu=3":             "1, 2, 4, 6 or 8",
		"gcpfunctions://my-project/europe-west1?timeout=2h":        "60 to 3600",
		"gcpfunctions://my-project/europe-west1?timeout=soon":      "30m",
		"gcpfunctions://my-project/europe-west1?max=2&min=3":       "kept warm",
		"gcpfunctions://my-project/europe-west1?ingress=none":      "internal-and-gclb",
		"gcpfunctions://my-project/europe-west1?serviceaccount=me": "email",
		"gcpfunctions://my-project/europe-west1?env.PORT=1":        "env.PORT",
		"gcpfunctions://my-project/europe-west1?label.goog-a=b":    "label.goog-a",
		"gcpfunctions://my-project/europe-west1?prefix=Team":       "prefix",
		"gcpfunctions://my-project/europe-west1?runtime=python3":   "go126",
		"gcpfunctions://my-project/europe-west1?endpoint=here":     "endpoint",
	} {
		if _, err := parsed(raw); !errors.Is(err, backends.ErrInvalid) || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: %v, want %q", raw, err, word)
		}
	}
	for memory, cpu := range map[int]int{256: 1, 2048: 1, 4096: 2, 8192: 4, 16384: 8, 32768: 8} {
		if c := (Config{MemoryMB: memory}).complete(); c.CPU != cpu {
			t.Errorf("with %d MB there are %d CPUs, want %d", memory, c.CPU, cpu)
		}
	}
}
