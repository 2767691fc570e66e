package gcpfunctions

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gowren/gowren/backends"
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

func TestServiceAccountCallsAsItself(t *testing.T) {
	token := "x." + strings.ReplaceAll("eyJleHAiOjQxMDI0NDQ4MDB9", "=", "") + ".y" // valid until 2100
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ParseForm() != nil || r.PostForm.Get("assertion") == "" {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"id_token":"` + token + `","access_token":"a","expires_in":3600,"token_type":"Bearer"}`))
	}))
	defer service.Close()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	credentialsFile(t, map[string]string{
		"type": "service_account", "client_email": "driver@test-project.iam.gserviceaccount.com", "private_key_id": "1", "token_uri": service.URL,
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})),
	})
	g := &google{}
	got, err := g.Identity(t.Context(), "https://function.example")
	if err != nil || got != token {
		t.Errorf("the identity is %q, %v", got, err)
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
