package gcsstore

import (
	"errors"
	"io/fs"
	"net/http"
	"strings"
	"testing"

	"github.com/gowren/gowren/internal/servers"
	"github.com/gowren/gowren/storage"
)

func TestURL(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		"gs://bucket":                   "gs://bucket",
		"gs://bucket/":                  "gs://bucket",
		"gs://my_bucket.example/a/b/":   "gs://my_bucket.example/a/b",
		"gs://bucket/a%20b?project=p-1": "gs://bucket/a%20b?project=p-1",
		"gs://bucket/x?endpoint=http://127.0.0.1:1&project=p": "gs://bucket/x?endpoint=http%3A%2F%2F127.0.0.1%3A1&project=p",
	} {
		for range 2 { // the second time, of its own URL
			b, err := storage.Open(t.Context(), given)
			if err != nil {
				t.Fatalf("%s: %v", given, err)
			}
			if b.URL() != want {
				t.Errorf("%s: %s, want %s", given, b.URL(), want)
			}
			given = b.URL()
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	for given, words := range map[string]string{
		"gs://":                      "no bucket's name",
		"gs://b":                     "no bucket's name",
		"gs://Bucket/x":              "no bucket's name",
		"gs://bucket:80/x":           "no bucket's name",
		"gs:///bucket":               "no bucket's name",
		"gs://user@bucket":           "no user",
		"gs://bucket?region=eu":      "gs:// URLs take endpoint, project",
		"gs://bucket?endpoint=x:1":   "the endpoint",
		"gs://bucket?endpoint=ftp:x": "the endpoint",
		"gs://bucket?endpoint=http://SECRET:SECRET@host":    "the endpoint",
		"gs://bucket?endpoint=http://host/path":             "the endpoint",
		"gs://bucket?endpoint=http://host?key=SECRET":       "the endpoint",
		"gs://bucket?endpoint=http%3A%2F%2Fhost%3Fk=SECRET": "the endpoint",
	} {
		_, err := storage.Open(t.Context(), given)
		if !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), words) || strings.Contains(err.Error(), "SECRET") {
			t.Errorf("%s: %v", given, err)
		}
	}
}

// TestEmulatorHost has the SDK's own variable name the server.
func TestEmulatorHost(t *testing.T) {
	server := servers.GCS(t)
	name := newName(t, server)
	t.Setenv("STORAGE_EMULATOR_HOST", strings.TrimPrefix(server.Endpoint, "http://"))
	b, err := storage.Open(t.Context(), "gs://"+name+"/p")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := b.PutNew(t.Context(), "k", strings.NewReader("data")); err != nil {
		t.Fatal(err)
	}
	wantBytes(t, b, "k", []byte("data"))
	wantBytes(t, openAt(t, server.Endpoint, name), "p/k", []byte("data"))
}

// TestProject has the project that pays go with every request.
func TestProject(t *testing.T) {
	t.Parallel()
	missing := 0
	stub := newStub(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("userProject") != "payer" {
			missing++
		}
		http.Error(w, "no", http.StatusForbidden)
	})
	b, err := storage.Open(t.Context(), "gs://bucket?project=payer&endpoint="+stub)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	for op, do := range operations(b) {
		if err := do(t.Context()); !errors.Is(err, fs.ErrPermission) || missing > 0 {
			t.Errorf("%s: %v", op, err)
		}
	}
}
