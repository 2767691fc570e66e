package gcf

import (
	"errors"
	"io"
	"net/http"
	"time"
)

// Fault is what goes wrong with one request to a function.
type Fault int

// The faults.
const (
	None        Fault = iota
	Throttled         // it is answered 429, and no instance sees it
	ProxyPage         // it is answered 200 with a page of HTML, and no instance sees it
	SlowStart         // the instance that is started for it takes Slowness longer
	Reset             // the connection breaks after the first bytes of the answer; the instance is not told
	Lost              // the work is done, and its answer never comes
	Unavailable       // it is answered 503, as where no instance could start
	Killed            // the instance is killed when the first bytes of the answer have come
)

// Slowness is how much longer a slow instance takes to start, where SetSlowness says nothing else.
const Slowness = time.Second

// faults are those to come. Server.mu guards them.
type faults struct {
	next   []Fault
	slow   time.Duration
	builds int    // how many still fail
	text   string // why
}

// FailBuilds lets the next n builds fail with a message.
func (s *Server) FailBuilds(text string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.text, s.faults.builds = text, n
}

// Inject lets the next invocations, one after another, meet these faults.
func (s *Server) Inject(all ...Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.next = append(s.faults.next, all...)
}

// SetSlowness says how much longer SlowStart takes.
func (s *Server) SetSlowness(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults.slow = d
}

func (s *Server) slowness() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.faults.slow > 0 {
		return s.faults.slow
	}
	return Slowness
}

// nextFault takes the fault of a request. What is no invocation meets none.
func (s *Server) nextFault(path string) Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.faults.next) == 0 || path != "/invoke" {
		return None
	}
	f := s.faults.next[0]
	s.faults.next = s.faults.next[1:]
	return f
}

var errSpoiled = errors.New("a fault was injected")

// spoil changes an answer as the fault says.
func spoil(resp *http.Response, fault Fault, kill func()) error {
	switch fault {
	case Lost:
		_, err := io.Copy(io.Discard, resp.Body)
		return errors.Join(err, errSpoiled)
	case Killed:
		resp.Body = &cutBody{ReadCloser: resp.Body, at: kill}
	}
	return nil
}

// cutBody breaks off after the first bytes.
type cutBody struct {
	io.ReadCloser
	at    func() // what happens then
	begun bool
}

func (b *cutBody) Read(p []byte) (int, error) {
	if b.begun {
		b.at()
		return 0, errSpoiled
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), 16)])
	b.begun = n > 0
	return n, err
}
