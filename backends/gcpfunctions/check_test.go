package gcpfunctions

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/servers/gcf"
	"github.com/gowren/gowren/storage"
)

// TestCheck: all lines are there, and each that fails has a remedy, which names the command.
func TestCheck(t *testing.T) { // not in parallel, for one that sets a variable
	lines := []string{"credentials", "project, region, permissions", "concurrency", "service account", "function", "test invocation"}
	for name, c := range map[string]struct {
		options gcf.Options
		change  func(*Config)
		on      func(storage.Bucket) storage.Bucket
		lines   int // that there are, of which the last fails
		remedy  string
	}{
		"all is well":   {lines: 6},
		"access token":  {change: func(c *Config) { c.Tokens = &google{} }, lines: 1, remedy: "gcloud auth application-default login"},
		"interface":     {options: gcf.Options{Disabled: true}, lines: 2, remedy: "gcloud services enable cloudfunctions.googleapis.com"},
		"no get":        {options: gcf.Options{Deny: []string{"cloudfunctions.functions.get"}}, lines: 2, remedy: "gcloud projects add-iam-policy-binding test-project --member=DRIVER --role=projects/test-project/roles/gowrenDriver"},
		"region":        {change: func(c *Config) { c.Region = "europe-east9" }, lines: 2, remedy: "gcloud functions regions list"},
		"no create":     {options: gcf.Options{Deny: []string{"cloudfunctions.functions.create"}}, lines: 5, remedy: "roles/gowrenDriver"},
		"no actAs":      {options: gcf.Options{Deny: []string{"iam.serviceAccounts.actAs"}}, lines: 5, remedy: "gcloud iam service-accounts add-iam-policy-binding " + gcf.Worker},
		"build":         {options: gcf.Options{BuildError: "it happens"}, lines: 5, remedy: "gcloud builds list"},
		"no invoke":     {options: gcf.Options{Deny: []string{"run.routes.invoke"}}, lines: 5, remedy: "roles/run.invoker"},
		"workers' role": {on: func(b storage.Bucket) storage.Bucket { return refusing{b} }, lines: 5, remedy: "gcloud storage buckets add-iam-policy-binding gs://BUCKET --member=serviceAccount:" + gcf.Worker},
		"runtime":       {change: func(c *Config) { c.Runtime = "go122" }, lines: 5, remedy: "gcloud functions describe gowren-"},
	} {
		t.Run(name, func(t *testing.T) {
			if name != "access token" {
				t.Parallel()
			} else {
				t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", t.TempDir()+"/none.json")
			}
			s := gcf.New(t, c.options)
			cfg, on := config(s), bucket(t)
			if c.change != nil {
				c.change(&cfg)
			}
			if c.on != nil {
				on = c.on(on)
			}
			b := newBackend(t, cfg)
			b.pace.settle = 0
			found := b.Check(t.Context(), backends.Deployment{Bucket: on, Program: os.Getenv("GOWREN_PROGRAM")})
			var got []string
			for i, f := range found {
				got = append(got, f.What)
				if fails := c.remedy != "" && i == c.lines-1; (f.Err != nil) != fails {
					t.Errorf("%s: %v", f.What, f.Err)
				} else if fails && !strings.Contains(f.Remedy, c.remedy) {
					t.Errorf("%s: %v: the remedy is %q, want %q", f.What, f.Err, f.Remedy, c.remedy)
				}
			}
			if !slices.Equal(got, lines[:c.lines]) {
				t.Errorf("there are %v", got)
			}
		})
	}
}

// TestWho: the credentials tell whose they are, and nothing that is secret.
func TestWho(t *testing.T) {
	s := gcf.New(t, gcf.Options{})
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", s.Credentials(t))
	g := &google{}
	if _, err := g.Access(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := g.who(); got != "driver@test-project.iam.gserviceaccount.com" {
		t.Errorf("of a key file: %q", got)
	}
}
