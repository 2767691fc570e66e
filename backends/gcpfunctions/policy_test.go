package gcpfunctions

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/servers/gcf"
)

// TestPolicy compares the permissions that are documented with those that the service has asked for.
func TestPolicy(t *testing.T) {
	t.Parallel()
	s := gcf.New(t, gcf.Options{})
	on := bucket(t)
	s.FailBuilds("it happens", 1)
	if err := prepare(t, newBackend(t, config(s)), on); err == nil {
		t.Error("a failed build is no error")
	}
	b := newBackend(t, config(s))
	for _, f := range b.Check(t.Context(), backends.Deployment{Bucket: on, Program: os.Getenv("GOWREN_PROGRAM")}) {
		if f.Err != nil {
			t.Errorf("%s: %v", f.What, f.Err)
		}
	}
	if err := b.Destroy(t.Context(), on.URL()); err != nil {
		t.Error(err)
	}
	var want []string
	for _, p := range Permissions() {
		want = append(want, p.Name)
	}
	if got := s.Permissions(); !slices.Equal(got, want) {
		t.Errorf("documented are %v\nused were %v", want, got)
	}
}

// TestDocuments holds docs/gcp.md to the code.
func TestDocuments(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../../docs/gcp.md")
	if err != nil {
		t.Fatal(err)
	}
	condition, err := StoreCondition("gs://$BUCKET/team")
	if err != nil {
		t.Fatal(err)
	}
	// The shell puts the bucket's name into it.
	condition = "--condition=\"title=gowren,expression=" + strings.ReplaceAll(condition, `"`, `\"`) + `"`
	for _, part := range []string{table(Permissions()), Role(), table(StorePermissions()), condition} {
		if !strings.Contains(string(data), part) {
			t.Errorf("docs/gcp.md lacks what the code has:\n%s", part)
		}
	}
}

func TestStoreCondition(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"gs://b":            "",
		"gs://b/":           "",
		"gs://b/a/b?param=": `resource.name.startsWith("projects/_/buckets/b/objects/a/b/")`,
	} {
		if got, err := StoreCondition(url); got != want || err != nil {
			t.Errorf("%s: %s, %v", url, got, err)
		}
	}
	for _, url := range []string{"s3://b/a", "gs:", ":"} {
		if got, err := StoreCondition(url); !errors.Is(err, backends.ErrInvalid) {
			t.Errorf("%s: %s, %v", url, got, err)
		}
	}
}
