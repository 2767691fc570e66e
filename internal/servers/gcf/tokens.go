package gcf

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// identity is what an ID token says.
type identity struct {
	audience string
	expired  bool
}

// Token returns an ID token for an audience.
func (s *Server) Token(audience string) string {
	return s.token(identity{audience: audience})
}

// ExpiredToken returns one whose hour is over.
func (s *Server) ExpiredToken(audience string) string {
	return s.token(identity{audience: audience, expired: true})
}

func (s *Server) token(i identity) string {
	payload := fmt.Sprintf(`{"aud":%q,"exp":%d}`, i.audience, time.Now().Add(time.Hour).Unix())
	t := "eyJhbGciOiJSUzI1NiJ9." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + "." + rand.Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[t] = i
	return t
}

// Credentials writes a key file of a service account whose tokens this service gives and takes, and returns its path.
func (s *Server) Credentials(t testing.TB) string {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": "driver@test-project.iam.gserviceaccount.com", "private_key_id": "1",
		"project_id": "test-project", "token_uri": s.Endpoint + "/token",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})),
	})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "key.json")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// give exchanges an assertion for a token. Whose it is, it does not check.
func (s *Server) give(w http.ResponseWriter, r *http.Request) {
	var claims struct {
		Audience string `json:"target_audience"`
	}
	parts := strings.Split(r.PostFormValue("assertion"), ".")
	if len(parts) != 3 {
		http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
		return
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err == nil {
		err = json.Unmarshal(payload, &claims)
	}
	if err != nil {
		http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
		return
	}
	answer := map[string]any{"access_token": s.Access, "expires_in": 3600, "token_type": "Bearer"}
	if claims.Audience != "" {
		answer = map[string]any{"id_token": s.Token(claims.Audience)}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer) // who asked has gone
}
