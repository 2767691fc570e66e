package azstore

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gowren/gowren/storage"
)

// TestIdentity has an identity endpoint such as functions have, and a store that takes its tokens.
func TestIdentity(t *testing.T) {
	var tokens atomic.Int64
	identity := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Connection", "close") // the SDK's client keeps it open otherwise
		if r.Header.Get("X-IDENTITY-HEADER") != "proof" || r.FormValue("resource") != "https://storage.azure.com" {
			http.Error(w, "no", http.StatusBadRequest)
			return
		}
		tokens.Add(1)
		_, _ = io.WriteString(w, `{"access_token":"the-token","expires_in":"86400","resource":"https://storage.azure.com","token_type":"Bearer"}`)
	}))
	defer identity.Close()
	status := http.StatusOK
	store := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer the-token" || status != http.StatusOK {
			w.Header().Set("X-Ms-Error-Code", "InvalidAuthenticationInfo")
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		switch {
		case r.Method != http.MethodPut:
			w.Header().Set("Etag", `"1"`)
		case r.Header.Get("Content-Md5") == "":
			w.WriteHeader(http.StatusBadRequest)
		default:
			w.WriteHeader(http.StatusCreated)
		}
	}))
	defer store.Close()
	for name, value := range map[string]string{
		"AZURE_TOKEN_CREDENTIALS": "ManagedIdentityCredential", "IDENTITY_ENDPOINT": identity.URL, "IDENTITY_HEADER": "proof",
	} {
		t.Setenv(name, value)
	}
	env := variables()
	env.client.transport = func(tr *http.Transport) {
		roots := x509.NewCertPool()
		roots.AddCert(store.Certificate())
		tr.TLSClientConfig = &tls.Config{RootCAs: roots}
	}
	b := opened(t, "az://account/container?endpoint="+store.URL, env)
	for i := range 3 {
		if err := b.Put(t.Context(), fmt.Sprint("k", i), strings.NewReader("x")); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Stat(t.Context(), "k"); err != nil {
			t.Fatal(err)
		}
	}
	if tokens.Load() != 1 {
		t.Errorf("%d tokens were asked for", tokens.Load())
	}
	status = http.StatusUnauthorized
	err := b.Put(t.Context(), "k", strings.NewReader("x"))
	if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "the identity in use") || strings.Contains(err.Error(), "the-token") {
		t.Error(err)
	}
	// Tokens are no use to who listens on the way.
	b = opened(t, "az://account/container?endpoint=http://127.0.0.1:1/account", env)
	err = b.Put(t.Context(), "k", strings.NewReader("x"))
	if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "not sent over http") {
		t.Error(err)
	}
}

func TestNoCredentials(t *testing.T) {
	for _, name := range []string{"AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET"} {
		t.Setenv(name, "")
	}
	t.Setenv("AZURE_TOKEN_CREDENTIALS", "EnvironmentCredential")
	b := opened(t, "az://account/container?endpoint=https://127.0.0.1:1", variables())
	for op, err := range each(t.Context(), b) {
		if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "no credentials were found: set AZURE_STORAGE_KEY") {
			t.Errorf("%s: %v", op, err)
		}
		if e := new(storage.Error); !errors.As(err, &e) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v", op, err)
		}
	}
	t.Setenv("AZURE_TOKEN_CREDENTIALS", "nonsense")
	_, err := storage.Open(t.Context(), "az://account/container")
	if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "nonsense") {
		t.Error(err)
	}
}
