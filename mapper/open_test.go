package mapper_test

import (
	"context"
	"strings"
	"testing"

	"github.com/gowren/gowren/backends/inproc"
	"github.com/gowren/gowren/backends/local"
	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/storage/memstore"
)

var openDouble = mapper.Func("open-double", func(_ context.Context, x int) (int, error) { return 2 * x, nil })

// TestOpenErrors: each says what is wrong and what to write instead.
func TestOpenErrors(t *testing.T) {
	t.Parallel()
	const mem, file = "mem://open-errors", "file:///tmp/open-errors"
	for _, c := range []struct {
		name, backend, storage string
		words                  []string
	}{
		{"unknown backend", "locale", file, []string{`"locale"`, "inproc, local"}},
		{"backend of a cloud", "awslambda://eu-central-1", file, []string{`import _ "github.com/gowren/gowren/backends/awslambda"`}},
		{"backend by http", "https://example.org", file, []string{`import _ "github.com/gowren/gowren/backends/httpworker"`}},
		{"no backend's URL", "local://%zz", file, []string{"local://?workers=2"}},
		{"parameter of local", "local://?wrokers=1", file, []string{`"wrokers"`, "workers, cpus, memory"}},
		{"parameter of inproc", "inproc://?memory=1", file, []string{`"memory"`, "workers"}},
		{"word for a number", "local://?workers=two", file, []string{"workers=", `"two"`, "at least 1"}},
		{"no workers", "local://?workers=0", file, []string{"workers=", "at least 1"}},
		{"less than no memory", "local://?memory=-5", file, []string{"memory=", "at least 1"}},
		{"parameters that are none", "local://?workers=%zz", file, []string{"local", "cannot be read", "%zz"}},
		{"path for a backend", "/tmp", file, []string{"local://?workers=2"}},
		{"no workers inproc", "inproc://?workers=0", file, []string{"workers=", "at least 1"}},
		{"unknown storage", "inproc", "ftp://host/x", []string{"ftp://", "file"}},
		{"storage of a cloud", "inproc", "s3://bucket", []string{`import _ "github.com/gowren/gowren/storage/s3store"`}},
		{"path for a URL", "inproc", "/tmp/open-errors", []string{"file:///tmp/open-errors"}},
		{"parameter of storage", "inproc", file + "?region=eu", []string{`"region"`}},
		{"memory for processes", "local", mem, []string{mem, "lives in this process", "file://"}},
		{"memory prefix for processes", "local", mem + "/prefix", []string{"lives in this process"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			ex, err := mapper.Open(t.Context(), mapper.Config{Backend: c.backend, Storage: c.storage})
			mentions(t, err, append(c.words, "mapper: open: ")...)
			if ex != nil {
				t.Error("there is an executor beside the error")
			}
		})
	}
}

// TestOpenSecret: URLs are logged and sent to workers. One with a password is refused, and not repeated.
func TestOpenSecret(t *testing.T) {
	t.Parallel()
	for _, c := range []mapper.Config{
		{Backend: "https://me:hunter2@example.org", Storage: "mem://secret"},
		{Backend: "local://me:hunter2@", Storage: "file:///tmp/secret"},
		{Backend: "local://me:hunter2@%zz", Storage: "file:///tmp/secret"},
		{Backend: "inproc", Storage: "redis://me:hunter2@localhost/0"},
		{Backend: "inproc", Storage: "mem://me:hunter2@secret"},
		{Backend: "inproc", Storage: "mem://me:hunter2@%zz"},
	} {
		_, err := mapper.Open(t.Context(), c)
		if err == nil {
			t.Errorf("%+v is accepted", c)
		} else if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the password is repeated: %v", err)
		}
	}
}

// TestOpenPrecedence: Config stands above the environment. What is empty there is as if it were not set.
func TestOpenPrecedence(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		name                      string
		backend, storage, program string // in the environment
		config                    mapper.Config
		url                       string
		fails                     string
	}{
		{name: "environment", backend: "inproc", storage: "mem://from-env", url: "mem://from-env"},
		{name: "config", backend: "nonsense", storage: "nonsense://", config: mapper.Config{Backend: "inproc", Storage: "mem://from-config"}, url: "mem://from-config"},
		{name: "backend alone", backend: "nonsense", storage: "mem://from-env", config: mapper.Config{Backend: "inproc"}, url: "mem://from-env"},
		{name: "empty", storage: "file://" + dir, url: "file://" + dir},
		{name: "bad backend", backend: "nonsense", fails: `GOWREN_BACKEND: `},
		{name: "bad storage", backend: "inproc", storage: "nonsense://", fails: "GOWREN_STORAGE: storage: no driver for nonsense://"},
		{name: "bad program", storage: "file://" + dir, program: dir + "/from-env", fails: dir + "/from-env"},
		{name: "program", storage: "file://" + dir, program: dir + "/from-env", config: mapper.Config{Program: dir + "/from-config"}, fails: dir + "/from-config"},
		{name: "program unused", backend: "inproc", storage: "file://" + dir, program: dir + "/from-env", url: "file://" + dir},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("GOWREN_BACKEND", c.backend)
			t.Setenv("GOWREN_STORAGE", c.storage)
			t.Setenv("GOWREN_PROGRAM", c.program)
			ex, err := mapper.Open(t.Context(), c.config)
			if c.fails != "" {
				mentions(t, err, c.fails)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer ex.Close()
			if got := ex.Bucket().URL(); got != c.url {
				t.Errorf("the bucket is %s, want %s", got, c.url)
			}
			if got, err := mapper.Call(t.Context(), ex, openDouble, 4); got != 8 || err != nil {
				t.Errorf("%d, %v", got, err)
			}
		})
	}
}

// TestNewRefused: what New refuses is still the caller's, open and of use.
func TestNewRefused(t *testing.T) {
	t.Parallel()
	bucket := memstore.New()
	defer memstore.Delete(bucket.Name())
	processes := local.New(local.Config{Workers: 1})
	_, err := mapper.New(t.Context(), processes, bucket, mapper.Options{})
	mentions(t, err, "lives in this process")
	if err := processes.Close(); err != nil {
		t.Error(err)
	}
	ex, err := mapper.New(t.Context(), inproc.New(1), bucket, mapper.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := ex.Close(); err != nil {
		t.Error(err)
	}
}
