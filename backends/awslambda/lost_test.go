package awslambda_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/awslambda"
	"github.com/gowren/gowren/internal/servers/lambda"
	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/memstore"
)

// haunt leaves a file as long as it runs.
var haunt = mapper.Func("awslambda/haunt", func(ctx context.Context, dir string) (int, error) {
	path := filepath.Join(dir, "here")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		return 0, err
	}
	fmt.Println("here") // the reply begins
	<-ctx.Done()
	return 0, errors.Join(ctx.Err(), os.Remove(path))
})

// TestAbandoned loses the connections of invocations. They are told to stop: nobody waits for them any more, and what is
// tried in their place would run beside them.
func TestAbandoned(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		way  string
		loss *severer // nil is a reset of the stream by the stand-in
	}{
		"stream":   {"stream", &severer{}},
		"plain":    {"plain", &severer{}},
		"detached": {"detached", &severer{}},
		"reset":    {"stream", nil},
		"cut":      {"stream", &severer{cut: true}},
		"silent":   {"stream", &severer{stall: true}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t, lambda.Options{RoleDelay: -1})
			bucket, way := newBucket(t), ways[x.way]
			config := awslambda.Config{Role: c.role(t), Concurrency: 2, Plain: way.plain, Timeout: time.Minute}
			if x.loss != nil {
				x.loss.HTTPClient = plain
				cfg := c.aws.Copy()
				cfg.HTTPClient = x.loss
				config.AWS = &cfg
				t.Cleanup(x.loss.all.Wait)
			}
			ex := open(t, c.backend(t, config), bucket, mapper.Options{Retries: -1, Detached: way.detached})
			dir := t.TempDir()
			here := func() bool { _, err := os.Stat(filepath.Join(dir, "here")); return err == nil }
			if x.loss != nil {
				x.loss.arm(here)
			} else {
				c.SetFaults(lambda.Faults{ResetStream: 1})
			}
			_, err := mapper.Call(t.Context(), ex, haunt, dir)
			c.told(t, name, err, mapper.ErrWorkerLost)
			await(t, "the end of what was lost", func() bool { return !here() })
		})
	}
}

// severer is a client that loses the connection of an invocation.
type severer struct {
	aws.HTTPClient
	cut, stall bool // the stream, after its first bytes; else the answer to the call

	mu   sync.Mutex
	when func() bool // it has begun; nil is not armed
	all  sync.WaitGroup
}

func (s *severer) arm(when func() bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.when = when
}

func (s *severer) Do(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	when := s.when
	if strings.HasSuffix(r.URL.Path, "invocations") {
		s.when = nil
	} else {
		when = nil
	}
	s.mu.Unlock()
	switch {
	case when == nil:
		return s.HTTPClient.Do(r)
	case s.cut || s.stall:
		resp, err := s.HTTPClient.Do(r)
		if err == nil {
			resp.Body = &severed{ReadCloser: resp.Body, stall: s.stall, closed: make(chan struct{})}
		}
		return resp, err
	}
	s.all.Go(func() {
		if resp, err := s.HTTPClient.Do(r.WithContext(context.WithoutCancel(r.Context()))); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body) // the test looks at the function itself
			resp.Body.Close()
		}
	})
	for !when() {
		select {
		case <-r.Context().Done():
			return nil, r.Context().Err()
		case <-time.After(2 * time.Millisecond):
		}
	}
	return nil, syscall.ECONNRESET
}

// severed is the body of a response of which only the first bytes come.
type severed struct {
	io.ReadCloser
	stall  bool
	some   bool
	closed chan struct{}
	once   sync.Once
}

func (s *severed) Read(p []byte) (int, error) {
	if !s.some {
		s.some = true
		return s.ReadCloser.Read(p)
	}
	if s.stall {
		<-s.closed
	}
	return 0, io.EOF
}

func (s *severed) Close() error {
	s.once.Do(func() { close(s.closed) })
	return s.ReadCloser.Close()
}

// TestUnheard has calls fail without a word of the platform, and with one. Only those that may have begun are told to
// stop, beside what the caller does, and before Close returns.
func TestUnheard(t *testing.T) {
	t.Parallel()
	c := newCloud(t, lambda.Options{RoleDelay: -1, Unconfined: true})
	says := func(status int, code string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			if code != "" {
				w.Header().Set("X-Amzn-Errortype", code)
			}
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "<html></html>")
		}
	}
	for what, x := range map[string]struct {
		handler http.HandlerFunc // nil is no server
		begun   bool
	}{
		"closed":    {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, true},
		"a page":    {says(200, ""), true},
		"busy":      {says(503, ""), true},
		"throttled": {says(429, "TooManyRequestsException"), false},
		"refused":   {says(403, "AccessDeniedException"), false},
		"deleted":   {says(404, "ResourceNotFoundException"), false},
		"nobody":    {nil, false},
	} {
		for _, plain := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, plain %t", what, plain), func(t *testing.T) {
				t.Parallel()
				s := httptest.NewServer(x.handler)
				t.Cleanup(s.Close)
				if x.handler == nil {
					s.Close()
				}
				bucket := &slowPuts{Bucket: memstore.New(), began: make(chan struct{}, 1), proceed: make(chan struct{})}
				b := c.misled(t, awslambda.Config{Concurrency: 1, Plain: plain}, s.URL, bucket)
				r, err := b.Invoke(t.Context(), backends.Request{Body: []byte("x")})
				if err == nil {
					_, err = io.Copy(io.Discard, r)
					r.Close()
				}
				if err == nil {
					t.Fatal("there is no error")
				}
				closed := make(chan error, 1)
				go func() { closed <- b.Close() }()
				if x.begun {
					select {
					case <-bucket.began: // while the call is long over
					case err := <-closed:
						t.Fatal(err, "Close has not waited, or nothing is told")
					}
				}
				close(bucket.proceed)
				if err := <-closed; err != nil {
					t.Error(err)
				}
				told := 0
				for _, err := range bucket.List(t.Context(), "canceled/") {
					if err != nil {
						t.Fatal(err)
					}
					told++
				}
				if want := map[bool]int{true: 1}[x.begun]; told != want {
					t.Errorf("%d invocations are told to stop, want %d", told, want)
				}
			})
		}
	}
}

// slowPuts is a bucket whose writes wait.
type slowPuts struct {
	storage.Bucket
	began, proceed chan struct{}
}

func (s *slowPuts) Put(ctx context.Context, key string, r io.Reader) error {
	s.began <- struct{}{}
	<-s.proceed
	return s.Bucket.Put(ctx, key, r)
}
