package gcpfunctions

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"cloud.google.com/go/auth"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/servers"
	"github.com/gowren/gowren/internal/servers/gcf"
	"github.com/gowren/gowren/mapper"
)

// credentialsFile makes the application default credentials those of a file. Tests that use it do not run in parallel.
func credentialsFile(t *testing.T, content map[string]string) {
	t.Helper()
	data, err := json.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "credentials.json")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", path)
}

// TestOpenByURL runs a job as a program does that was told by its environment alone: a backend by URL, a store by URL, and a
// service account's key file.
func TestOpenByURL(t *testing.T) {
	s := gcf.New(t, gcf.Options{})
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", s.Credentials(t))
	store := servers.GCS(t).Endpoint
	resp, err := http.Post(store+"/storage/v1/b?project=test-project", "application/json", strings.NewReader(`{"name":"end-to-end"}`))
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("make a bucket: %s, %v", resp.Status, err)
	}
	ex, err := mapper.Open(t.Context(), mapper.Config{
		Backend: "gcpfunctions://" + project + "/" + region + "?memory=1024&max=2&serviceaccount=" + gcf.Worker + "&endpoint=" + s.Endpoint,
		Storage: "gs://end-to-end/a/prefix?endpoint=" + store,
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := mapper.Map(t.Context(), ex.With(mapper.Options{Quiet: true}), square, []int{1, 2, 3})
	if err != nil || !slices.Equal(got, []int{1, 4, 9}) {
		t.Errorf("%v, %v", got, err)
	}
	if err := errors.Join(ex.Close(), servers.Close()); err != nil { // no connection to the store is left then
		t.Error(err)
	}
	http.DefaultClient.CloseIdleConnections()
}

func TestPersonNeedsAnAccount(t *testing.T) {
	credentialsFile(t, map[string]string{"type": "authorized_user", "client_id": "c", "client_secret": "a-secret", "refresh_token": "a-refresh-token"})
	g := &google{}
	_, err := g.Identity(t.Context(), "https://function.example")
	if !errors.Is(err, backends.ErrRefused) || !strings.Contains(err.Error(), "invoker") {
		t.Errorf("a person without an account: %v", err)
	}
	for _, secret := range []string{"a-secret", "a-refresh-token"} {
		if err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%v has a credential", err)
		}
	}
	for _, g := range []*google{{worker: "w@test-project.iam.gserviceaccount.com"}, {invoker: "i@test-project.iam.gserviceaccount.com"}} {
		if creds, err := g.identify("https://function.example"); err != nil || creds == nil {
			t.Errorf("a person with an account to impersonate: %v", err)
		}
	}
}

func TestNoCredentials(t *testing.T) {
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", filepath.Join(t.TempDir(), "none.json"))
	for _, ask := range []func(*google) (string, error){
		func(g *google) (string, error) { return g.Access(t.Context()) },
		func(g *google) (string, error) { return g.Identity(t.Context(), "https://function.example") },
	} {
		if _, err := ask(&google{}); !errors.Is(err, backends.ErrRefused) {
			t.Errorf("without credentials: %v", err)
		}
	}
}

// TestTokenErrors: a busy or unreachable token server is a passing thing, and a refusal is not.
func TestTokenErrors(t *testing.T) {
	t.Parallel()
	answer := func(status int) error { return &auth.Error{Response: &http.Response{StatusCode: status}} }
	for _, c := range []struct{ err, class error }{
		{answer(503), backends.ErrThrottled},
		{answer(502), backends.ErrThrottled},
		{answer(429), backends.ErrThrottled},
		{answer(400), backends.ErrRefused}, // invalid_grant
		{answer(401), backends.ErrRefused},
		{errors.New("impersonate: status code 503: try again"), backends.ErrThrottled},
		{errors.New("impersonate: status code 403: Permission 'iam.serviceAccounts.getOpenIdToken' denied"), backends.ErrRefused},
		{errors.New("compute: Received 503 `starting`"), backends.ErrThrottled},
		{errors.New("compute: Received 404 `no account`"), backends.ErrRefused},
		{fmt.Errorf("auth: cannot fetch token: %w", &url.Error{Op: "Post", URL: "x", Err: io.ErrUnexpectedEOF}), backends.ErrThrottled},
		{fmt.Errorf("auth: cannot fetch token: %w", io.ErrUnexpectedEOF), backends.ErrThrottled},
		{errors.New("the key cannot be parsed"), backends.ErrRefused},
	} {
		_, err := take(t.Context(), auth.NewCredentials(&auth.CredentialsOptions{TokenProvider: failing{c.err}}))
		if !errors.Is(err, c.class) {
			t.Errorf("%v: %v, want %v", c.err, err, c.class)
		}
	}
}

// failing gives no tokens.
type failing struct{ err error }

func (f failing) Token(context.Context) (*auth.Token, error) { return nil, f.err }
