package lent

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// early answers before it has read the request, as a server does that refuses, and goes on to read.
type early struct {
	status int
	err    error
	goOn   chan struct{}
	read   chan error
}

func (e *early) RoundTrip(r *http.Request) (*http.Response, error) {
	go func() {
		<-e.goOn
		_, err := io.Copy(io.Discard, r.Body)
		_ = r.Body.Close() // it is of this attempt
		e.read <- err
	}()
	if e.err != nil {
		return nil, e.err
	}
	return &http.Response{StatusCode: e.status, Body: http.NoBody}, nil
}

// seeker is a body that its owner rewinds.
type seeker struct {
	*bytes.Reader
	closed bool
}

func (s *seeker) Close() error { s.closed = true; return nil }

// TestTakenBack: when there is an answer, or an error, the body is its owner's alone.
func TestTakenBack(t *testing.T) {
	t.Parallel()
	lost := errors.New("connection reset")
	for _, e := range []*early{{status: 503}, {err: lost}, {status: 201}} {
		e.goOn, e.read = make(chan struct{}), make(chan error, 1)
		s := &seeker{Reader: bytes.NewReader(make([]byte, 1<<20))}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://x", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Body, r.GetBody = s, func() (io.ReadCloser, error) { t.Error("the transport rewinds it"); return s, nil }
		answer, err := RoundTrip(e, r) //nolint:bodyclose // it has none
		if !errors.Is(err, e.err) || err == nil && (answer.StatusCode != e.status || answer.Request != r) {
			t.Errorf("%+v, %v", answer, err)
		}
		if _, err := s.Seek(0, io.SeekStart); err != nil { // beside which nobody may read: the race detector tells
			t.Error(err)
		}
		close(e.goOn)
		if err := <-e.read; err != nil || s.closed || s.Len() != 1<<20 {
			t.Errorf("the transport's read ends with %v, closed %v, %d bytes are left", err, s.closed, s.Len())
		}
	}
}

// TestReused: a connection serves the next request, though its writer looks for more of a body that was taken back; one whose
// request was not sent whole does not.
func TestReused(t *testing.T) {
	t.Parallel()
	var opened atomic.Int64
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/refuse" {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	send := func(path string, size int) error {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, s.URL+path, bytes.NewReader(make([]byte, size)))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := RoundTrip(transport, r)
		if err != nil {
			return err
		}
		_, err = io.Copy(io.Discard, answer.Body)
		return errors.Join(err, answer.Body.Close())
	}
	for range 50 {
		if err := send("/take", 100_000); err != nil {
			t.Error(err)
		}
	}
	if n := opened.Load(); n > 3 { // the idle connection is put back a moment after the answer's end
		t.Errorf("%d connections for 50 requests", n)
	}
	_ = send("/refuse", 8<<20) // its answer may be lost with the connection
	if err := send("/take", 10); err != nil {
		t.Error(err)
	}
}

// TestNoBody: a request without one goes as it is.
func TestNoBody(t *testing.T) {
	t.Parallel()
	for _, b := range []io.ReadCloser{nil, http.NoBody} {
		r := &http.Request{Body: b}
		seen := seenBy{}
		if _, err := RoundTrip(&seen, r); err != nil || seen.r != r { //nolint:bodyclose // it has none
			t.Errorf("%v: another request goes out, %v", b, err)
		}
	}
}

type seenBy struct{ r *http.Request }

func (s *seenBy) RoundTrip(r *http.Request) (*http.Response, error) {
	s.r = r
	return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
}
