package httpworker_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/httpworker"
	"github.com/gowren/gowren/internal/program"
	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/filestore"
)

func reopen(t *testing.T, b storage.Bucket) storage.Bucket {
	t.Helper()
	again, err := storage.Open(t.Context(), b.URL())
	if err != nil {
		t.Fatal(err)
	}
	return again
}

func awaitFile(t *testing.T, path string) {
	t.Helper()
	await(t, path, func() bool { _, err := os.Stat(path); return err == nil })
}

func create(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}

// TestRefusesToStart: a worker that would run what anybody sends does not start.
func TestRefusesToStart(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ variable, words string }{
		"no token":         {"GOWREN_WORKER_TOKEN=", "GOWREN_WORKER_AUTH=platform"},
		"unknown platform": {"GOWREN_WORKER_AUTH=mine", "platform"},
		"no bucket":        {backends.BucketVariable + "=", backends.BucketVariable},
		"no driver":        {backends.BucketVariable + "=s3://bucket", "storage/s3store"},
		"bad slots":        {"GOWREN_WORKER_SLOTS=none", "GOWREN_WORKER_SLOTS"},
		"bad grace":        {"GOWREN_WORKER_GRACE=long", "GOWREN_WORKER_GRACE"},
		"no token file":    {"GOWREN_WORKER_TOKEN_FILE=/no/such/file", "GOWREN_WORKER_TOKEN_FILE"},
		"bad address":      {"GOWREN_WORKER_ADDR=nowhere.invalid:1", "nowhere.invalid"},
	} {
		cmd := exec.CommandContext(t.Context(), os.Getenv("GOWREN_PROGRAM"))
		cmd.Env = append(os.Environ(), backends.RoleVariable+"=http", backends.BucketVariable+"=file://"+t.TempDir(), "GOWREN_WORKER_TOKEN="+token, c.variable)
		said, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || !strings.Contains(string(said), c.words) || strings.Contains(string(said), token) {
			t.Errorf("%s: %v: %s", name, err, said)
		}
	}
}

// TestEndpoints: only the health of a worker is for everybody.
func TestEndpoints(t *testing.T) {
	t.Parallel()
	url, _ := startWorker(t, newBucket(t))
	for _, c := range []struct {
		method, path, token string
		want                int
	}{
		{"GET", "/healthz", "", 200},
		{"GET", "/ping", "", 401},
		{"GET", "/ping", "wrong", 401},
		{"GET", "/ping", token, 200},
		{"POST", "/invoke", "", 401},
		{"POST", "/invoke", token + "x", 401},
		{"POST", "/drain", "", 401},
		{"GET", "/invoke", token, 405},
		{"GET", "/", token, 404},
	} {
		req, err := http.NewRequestWithContext(t.Context(), c.method, url+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.token != "" {
			req.Header.Set("Authorization", "Bearer "+c.token)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != c.want {
			t.Errorf("%s %s with %q: %d, want %d", c.method, c.path, c.token, resp.StatusCode, c.want)
		}
	}
	http.DefaultClient.CloseIdleConnections()
}

// TestEnvironment: a task does not see the token.
func TestEnvironment(t *testing.T) {
	t.Parallel()
	bucket := newBucket(t)
	file := t.TempDir() + "/token"
	if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	url, _ := startWorker(t, bucket, "GOWREN_WORKER_TOKEN=", "GOWREN_WORKER_TOKEN_FILE="+file)
	got, err := mapper.Call(t.Context(), mustOpen(t, bucket, url), environment, 0)
	if err != nil || strings.Contains(got, "GOWREN_WORKER_TOKEN") || strings.Contains(got, token) {
		t.Errorf("%v, or a task sees the token", err)
	}
}

// TestTerminate: on SIGTERM a worker takes no more work, ends what it has, and exits in good order.
func TestTerminate(t *testing.T) {
	t.Parallel()
	for name, drain := range map[string]func(url string, cmd *exec.Cmd) error{
		"SIGTERM": func(_ string, cmd *exec.Cmd) error { return cmd.Process.Signal(syscall.SIGTERM) },
		"drain": func(url string, _ *exec.Cmd) error {
			req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, url+"/drain", nil)
			if err != nil {
				return err
			}
			req.Header.Set("Authorization", "Bearer "+token)
			go func() {
				if resp, err := http.DefaultClient.Do(req); err == nil {
					_, _ = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
				}
				http.DefaultClient.CloseIdleConnections()
			}()
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bucket, dir := newBucket(t), t.TempDir()
			url, cmd := startWorker(t, bucket)
			ex := mustOpen(t, bucket, url)
			done := make(chan error, 1)
			go func() {
				_, err := mapper.Map(context.WithoutCancel(t.Context()), ex, slowly, []string{dir})
				done <- err
			}()
			awaitFile(t, dir+"/begun")
			if err := drain(url, cmd); err != nil {
				t.Fatal(err)
			}
			await(t, "the end of its health", func() bool {
				resp, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Get(url + "/healthz")
				if err != nil {
					return true
				}
				_ = resp.Body.Close()
				return resp.StatusCode == http.StatusServiceUnavailable
			})
			create(t, dir+"/go")
			if err := <-done; err != nil {
				t.Errorf("what it had when it was told to end: %v", err)
			}
			if name == "SIGTERM" {
				if err := cmd.Wait(); err != nil {
					t.Errorf("it exits with %v", err)
				}
			}
		})
	}
}

// TestGrace: what goes on for longer than the grace is ended, and its driver is told.
func TestGrace(t *testing.T) {
	t.Parallel()
	bucket, dir := newBucket(t), t.TempDir()
	url, cmd := startWorker(t, bucket, "GOWREN_WORKER_GRACE=50ms")
	ex := mustOpen(t, bucket, url)
	done := make(chan error, 1)
	go func() {
		_, err := mapper.Map(context.WithoutCancel(t.Context()), ex.With(mapper.Options{Retries: -1}), slowly, []string{dir})
		done <- err
	}()
	awaitFile(t, dir+"/begun")
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	wantError(t, <-done, nil, "slowly")
}

// TestFetchedProgram: workers of another build get the program through the bucket, once.
func TestFetchedProgram(t *testing.T) {
	t.Parallel()
	bucket := newBucket(t)
	url, _ := startWorker(t, bucket, backends.ProgramVariable+"="+strings.Repeat("0", 64))
	for range 2 {
		wantDoubles(t, mustOpen(t, reopen(t, bucket), url), 20)
	}
	n := 0
	for o, err := range bucket.List(t.Context(), "programs/") {
		if err != nil || !program.ValidHash(strings.TrimSuffix(strings.TrimPrefix(o.Key, "programs/"), ".zst")) {
			t.Errorf("%s, %v", o.Key, err)
		}
		n++
	}
	if n != 1 {
		t.Errorf("%d programs are in the bucket", n)
	}
}

// TestURL: workers are found by a URL in place of code, and the token by the environment.
func TestURL(t *testing.T) {
	bucket := newBucket(t)
	one, _ := startWorker(t, bucket)
	two, _ := startWorker(t, bucket)
	t.Setenv("GOWREN_WORKER_TOKEN", token)
	ex, err := mapper.Open(t.Context(), mapper.Config{
		Backend: one + "?worker=" + strings.TrimPrefix(two, "http://") + "&concurrency=3&timeout=1h", Storage: bucket.(*filestore.Bucket).URL(),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer ex.Close()
	wantDoubles(t, ex, 100)
	if err := ex.Prewarm(t.Context(), 2); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"?nothing=1", "?concurrency=0", "?timeout=soon"} {
		if _, err := backends.Open(t.Context(), one+bad); !errors.Is(err, backends.ErrInvalid) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// TestHTTP2: where the other side offers it, one connection carries many requests.
func TestHTTP2(t *testing.T) {
	t.Parallel()
	bucket, dir := newBucket(t), t.TempDir()
	roots := certificate(t, dir)
	url, _ := startWorker(t, bucket, "GOWREN_WORKER_TLS_CERT="+dir+"/cert.pem", "GOWREN_WORKER_TLS_KEY="+dir+"/key.pem")
	url = strings.Replace(url, "http://", "https://", 1)
	transport := &http.Transport{TLSClientConfig: roots, ForceAttemptHTTP2: true}
	defer transport.CloseIdleConnections()
	var versions atomic.Int64
	ex, err := open(t, bucket, httpworker.Config{URLs: []string{url}, Token: token, Transport: seen{transport, &versions}})
	if err != nil {
		t.Fatal(err)
	}
	wantDoubles(t, ex, 50)
	if versions.Load() != 2 {
		t.Errorf("HTTP/%d was spoken", versions.Load())
	}
	if _, err := open(t, reopen(t, bucket), httpworker.Config{URLs: []string{url}, Token: token}); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("a certificate that nobody vouches for: %v", err)
	}
}

// seen notes which version of HTTP was spoken last.
type seen struct {
	http.RoundTripper
	version *atomic.Int64
}

func (s seen) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := s.RoundTripper.RoundTrip(r)
	if err == nil {
		s.version.Store(int64(resp.ProtoMajor))
	}
	return resp, err
}
