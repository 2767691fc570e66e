package gcsstore

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"errors"
	"hash/crc32"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"cloud.google.com/go/auth/credentials"

	"github.com/gowren/gowren/storage"
)

const (
	secretToken = "ya29.SECRET-TOKEN"
	keyID       = "SECRET-KEY-ID"
)

// cloud is a service over TLS that gives tokens for a key file, and wants them.
type cloud struct {
	*httptest.Server
	keyFile, key string

	mu        sync.Mutex
	grant     func(w http.ResponseWriter) // instead of a token
	refuse    bool                        // the token is no good
	tokens    int
	anonymous int // requests without a token
}

func newCloud(t *testing.T) *cloud {
	t.Helper()
	c := &cloud{}
	c.Server = httptest.NewTLSServer(c)
	t.Cleanup(c.Close)
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	c.key = string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	// The token server is asked over plain http, since the SDK's own client knows no certificate of ours.
	tokens := newStub(t, c.serveToken)
	file, err := json.Marshal(map[string]string{
		"type": "service_account", "project_id": "p", "private_key_id": keyID, "private_key": c.key,
		"client_email": "w@p.iam.gserviceaccount.com", "client_id": "1", "token_uri": tokens + "/token",
	})
	if err != nil {
		t.Fatal(err)
	}
	c.keyFile = filepath.Join(t.TempDir(), "key.json")
	if err := os.WriteFile(c.keyFile, file, 0o600); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *cloud) serveToken(w http.ResponseWriter, _ *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tokens++
	w.Header().Set("Content-Type", "application/json")
	if c.grant != nil {
		c.grant(w)
		return
	}
	_, _ = w.Write([]byte(`{"access_token":"` + secretToken + `","token_type":"Bearer","expires_in":3600}`))
}

func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	switch given := r.Header.Get("Authorization"); {
	case given == "":
		c.anonymous++
		fallthrough
	case c.refuse || given != "Bearer "+secretToken:
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(says(401, "authError", "Invalid Credentials")))
	default:
		sum := base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, crc32.Checksum([]byte("a"), castagnoli)))
		_, _ = w.Write([]byte(`{"name":"k","size":"1","generation":"1","timeCreated":"2026-01-02T03:04:05Z","crc32c":"` + sum + `"}`))
	}
}

// bucket opens a bucket of the cloud, whose certificate it trusts.
func (c *cloud) bucket(t *testing.T) *Bucket {
	t.Helper()
	b := openAt(t, c.URL, "bucket")
	b.http.Transport.(*transport).base.TLSClientConfig = c.Client().Transport.(*http.Transport).TLSClientConfig
	return b
}

// noCredentials takes away what this machine may have, but for the service account of one of Google's.
func noCredentials(t *testing.T) {
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", "")
	t.Setenv("HOME", t.TempDir())
	t.Setenv("APPDATA", t.TempDir())
	t.Setenv("CLOUDSDK_CONFIG", t.TempDir())
}

// TestCredentials has no test beside it: credentials come from the environment.
func TestCredentials(t *testing.T) {
	invalid := func(w http.ResponseWriter) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"error":"invalid_grant","error_description":"Invalid JWT Signature."}`))
	}
	down := func(w http.ResponseWriter) { w.WriteHeader(http.StatusServiceUnavailable) }
	for name, c := range map[string]struct {
		prepare func(c *cloud)
		file    func(c *cloud) string
		want    error
		words   string
	}{
		"good":         {want: nil},
		"none":         {file: func(*cloud) string { return "" }, want: fs.ErrPermission, words: "no usable credentials are found"},
		"no file":      {file: func(*cloud) string { return "/no/such/file" }, want: fs.ErrPermission, words: "GOOGLE_APPLICATION_CREDENTIALS"},
		"revoked":      {prepare: func(c *cloud) { c.grant = invalid }, want: fs.ErrPermission, words: "Invalid JWT Signature"},
		"expired":      {prepare: func(c *cloud) { c.refuse = true }, want: fs.ErrPermission, words: "have expired"},
		"tokens fail":  {prepare: func(c *cloud) { c.grant = down }, want: errAny, words: "give no access token"},
		"broken file":  {file: brokenFile(t), want: fs.ErrPermission, words: "no usable credentials"},
		"useless file": {file: uselessFile(t), want: fs.ErrPermission, words: "credentials"},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "none" && credentials.OnGCE() {
				t.Skip("this machine has a service account")
			}
			noCredentials(t)
			cloud := newCloud(t)
			file := cloud.keyFile
			if c.file != nil {
				file = c.file(cloud)
			}
			t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", file)
			if c.prepare != nil {
				c.prepare(cloud)
			}
			b := cloud.bucket(t)
			for op, do := range map[string]func() error{
				"stat": func() error { _, err := b.Stat(t.Context(), "k"); return err },
				"put":  func() error { return b.Put(t.Context(), "k", strings.NewReader("a")) },
			} {
				err := do()
				if c.want == nil {
					if err != nil {
						t.Errorf("%s: %v", op, err)
					}
					continue
				}
				var e *storage.Error
				if !errors.As(err, &e) || !strings.Contains(err.Error(), c.words) ||
					errors.Is(err, fs.ErrPermission) != (c.want == fs.ErrPermission) {
					t.Errorf("%s: %v", op, err)
				}
				secretive(t, err, cloud)
			}
			if cloud.anonymous > 0 {
				t.Errorf("%d requests without credentials", cloud.anonymous)
			}
		})
	}
}

// secretive holds that an error has no part of the credentials.
func secretive(t *testing.T, err error, c *cloud) {
	t.Helper()
	for _, secret := range append(strings.Split(strings.TrimSpace(c.key), "\n")[1:3], secretToken, keyID, "assertion") {
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the error has a secret: %v", err)
		}
	}
}

func brokenFile(t *testing.T) func(*cloud) string {
	return written(t, `{"type":"service_account","private_key":"SECRET-KEY-ID`)
}

func uselessFile(t *testing.T) func(*cloud) string {
	return written(t, `{"type":"service_account","private_key_id":"SECRET-KEY-ID","private_key":"SECRET-KEY-ID","client_email":"x"}`)
}

func written(t *testing.T, content string) func(*cloud) string {
	name := filepath.Join(t.TempDir(), "file.json")
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return func(*cloud) string { return name }
}

// TestNoCredentialsOverHTTP has credentials, and a server that is asked in clear text.
func TestNoCredentialsOverHTTP(t *testing.T) {
	noCredentials(t)
	cloud := newCloud(t)
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", cloud.keyFile)
	leaked := false
	stub := newStub(t, func(w http.ResponseWriter, r *http.Request) {
		leaked = leaked || r.Header.Get("Authorization") != ""
		http.Error(w, "no", http.StatusForbidden)
	})
	b := openAt(t, stub, "bucket")
	if _, err := b.Stat(t.Context(), "k"); !errors.Is(err, fs.ErrPermission) || leaked || cloud.tokens > 0 {
		t.Errorf("%v, sent: %v", err, leaked)
	}
}

// TestNoRedirect has a server that sends the client, and so its credentials, elsewhere.
func TestNoRedirect(t *testing.T) {
	noCredentials(t)
	cloud := newCloud(t)
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", cloud.keyFile)
	asked := false
	thief := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	defer thief.Close()
	cloud.Config.Handler = http.RedirectHandler(thief.URL, http.StatusTemporaryRedirect)
	b := cloud.bucket(t)
	if _, err := get(t.Context(), b, "k"); err == nil || asked {
		t.Errorf("%v, followed: %v", err, asked)
	}
}
