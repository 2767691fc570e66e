package redisstore

import (
	"crypto/tls"
	"encoding/pem"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/gowren/gowren/storage"
)

func TestURLs(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]struct{ addr, url string }{
		"redis://h":                 {"h:6379", "redis://h/0"},
		"redis://h/":                {"h:6379", "redis://h/0"},
		"redis://h:1/2":             {"h:1", "redis://h:1/2"},
		"redis://h:1/2/":            {"h:1", "redis://h:1/2"},
		"redis://h:/0":              {"h:6379", "redis://h:/0"},
		"redis://[::1]/0":           {"[::1]:6379", "redis://[::1]/0"},
		"redis://[::1]:7/0":         {"[::1]:7", "redis://[::1]:7/0"},
		"redis://h:1/2/a/b?ttl=24h": {"h:1", "redis://h:1/2/a/b?ttl=24h"},
		"rediss://h/0/a%20b/":       {"h:6379", "rediss://h/0/a%20b"},
	} {
		b, err := storage.Open(t.Context(), url)
		if err != nil {
			t.Errorf("%s: %v", url, err)
			continue
		}
		whole := b
		for {
			part, ok := whole.(interface{ Unwrap() storage.Bucket })
			if !ok {
				break
			}
			whole = part.Unwrap()
		}
		inner := whole.(*bucket)
		if o := inner.client.Options(); o.Addr != want.addr || b.URL() != want.url {
			t.Errorf("%s: the server is %s, the URL %s, want %s and %s", url, o.Addr, b.URL(), want.addr, want.url)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
	for url, words := range map[string]string{
		"redis:///0":           "host",
		"redis://h/a/b":        "/0/a/b",
		"redis://h/-1":         "number",
		"redis://h/0?ttl=":     "24h",
		"redis://h/0?ttl=1ms":  "second",
		"redis://h/0?ttl=-24h": "second",
		"redis://h/0?tll=24h":  "ttl",
	} {
		_, err := storage.Open(t.Context(), url)
		if !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v does not say %q", url, err, words)
		}
	}
	if _, err := storage.Open(t.Context(), "redis://u:"+secret+"@h/0"); err == nil || strings.Contains(err.Error(), secret) {
		t.Errorf("a password in the URL: %v", err)
	}
}

// TestTLS talks to Redis over TLS, and not to a server that has another's certificate. It sets what the system trusts,
// which works once in a process, and on Linux.
func TestTLS(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the system's certificates are not in a file")
	}
	web := httptest.NewUnstartedServer(nil)
	web.StartTLS() // for its certificate, which is 127.0.0.1's
	certificates := web.TLS.Certificates
	trusted := filepath.Join(t.TempDir(), "trusted.pem")
	err := os.WriteFile(trusted, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw}), 0o600)
	web.Close()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("SSL_CERT_FILE", trusted)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: certificates})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	plain := server(t)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go pass(conn, plain)
		}
	}()
	url := strings.Replace(freshURL(t, l.Addr().String()), "redis://", "rediss://", 1)
	b := opened(t, url)
	put(t, b, "k", text(100_000))
	if err := wantRead(t.Context(), b, "k", text(100_000)); err != nil {
		t.Error(err)
	}
	for name, url := range map[string]string{
		"another's name": strings.Replace(url, "127.0.0.1", "localhost", 1),
		"without TLS":    strings.Replace(url, "rediss", "redis", 1),
	} {
		if _, err := opened(t, url).Stat(t.Context(), "k"); err == nil || errors.Is(err, fs.ErrNotExist) ||
			name == "another's name" && !strings.Contains(err.Error(), "x509") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// pass connects a client with a server.
func pass(client net.Conn, addr string) {
	defer client.Close()
	server, err := net.Dial("tcp", addr)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		_, _ = io.Copy(server, client)
		server.Close()
	}()
	_, _ = io.Copy(client, server)
}
