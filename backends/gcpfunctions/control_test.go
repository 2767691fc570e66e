package gcpfunctions

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/servers/gcf"
)

// TestCancelled holds each request of the control plane to its context, on a service that never answers.
func TestCancelled(t *testing.T) {
	t.Parallel()
	arrived, left := make(chan string), make(chan struct{})
	mute := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		arrived <- r.Method + " " + r.URL.Path
		<-r.Context().Done()
		left <- struct{}{}
	}))
	defer mute.Close()
	c := config(gcf.New(t, gcf.Options{}))
	c.Endpoint = mute.URL + "/"
	b := newBackend(t, c)
	f, err := b.config.function("file:///b")
	if err != nil {
		t.Fatal(err)
	}
	for want, f := range map[string]func(context.Context) error{
		"GET /v2/projects/test-project/locations/europe-west1/functions/" + f.id: func(ctx context.Context) error { return b.Destroy(ctx, "file:///b") },
		"GET /v2/projects/test-project/locations/europe-west1/functions/f": func(ctx context.Context) error {
			_, err := b.control.get(ctx, b.config.parent()+"/functions/f")
			return err
		},
		"GET /v2/projects/test-project/locations/europe-west1/operations/o": func(ctx context.Context) error {
			return b.control.await(ctx, "wait", b.config.parent()+"/operations/o")
		},
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		ended, stopped := make(chan error, 1), errors.New("stopped")
		go func() { ended <- f(ctx) }()
		if got := <-arrived; got != want {
			t.Errorf("asked was %q, want %q", got, want)
		}
		cancel(stopped)
		<-left // the request is over
		if err := <-ended; !errors.Is(err, stopped) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

// TestAnswerWithoutEnd reads no more than an answer may have.
func TestAnswerWithoutEnd(t *testing.T) {
	t.Parallel()
	endless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for text := []byte(strings.Repeat(" ", 1<<20)); ; {
			if _, err := w.Write(text); err != nil {
				return
			}
		}
	}))
	defer endless.Close()
	s := gcf.New(t, gcf.Options{})
	c := config(s)
	c.Endpoint = endless.URL
	wantError(t, s, newBackend(t, c).Destroy(t.Context(), "file:///b"), backends.ErrInvalid, "look for", "32 MB")
}
