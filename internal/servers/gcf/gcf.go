// Package gcf is a stand-in for Google Cloud Functions of the second generation, for tests: the control plane over REST,
// whose routes and messages are those of the vendor's own definitions; a build that compiles what was uploaded as Google's
// buildpack does; and functions that run as processes of this machine behind a front that scales, throttles and checks
// tokens as Cloud Run does.
//
// What it knows of the service is in its checks: what the real one refuses, it refuses, with the same class of error. What
// it does not know: quotas of builds, revisions and traffic, VPC, and how long things take.
package gcf

import (
	"crypto/rand"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"cloud.google.com/go/functions/apiv2/functionspb"
)

// Options change how the service behaves. The zero value is a service in which everything works.
type Options struct {
	Projects        []string // those there are; defaults to "test-project"
	Regions         []string // defaults to "europe-west1"
	ServiceAccounts []string // those there are, by their emails; defaults to Worker
	Deny            []string // permissions that the caller lacks
	Disabled        bool     // the API is not enabled
	Work            time.Duration
	BuildError      string // the message of each build, which fails
	MaxSource       int64  // bytes of an uploaded archive; defaults to 100 MB
	StopGrace       time.Duration
	Freeze          bool // an instance without a request is stopped
}

// Worker is the service account that there is where Options name no other.
const Worker = "worker@test-project.iam.gserviceaccount.com"

// Server is one service with its functions.
type Server struct {
	functionspb.UnimplementedFunctionServiceServer
	Endpoint string // http://host:port of the control plane
	Access   string // the access token of the caller

	options Options
	control *httptest.Server
	dir     string
	idle    sync.WaitGroup // operations under way, and instances

	mu         sync.Mutex
	closed     bool
	functions  map[string]*function
	operations map[string]*operation
	uploads    map[string]*upload
	tokens     map[string]identity // ID tokens that were given out
	used       map[string]bool     // permissions
	calls      []string            // methods, in order
	fronts     []*front            // of functions that were deleted too
	busy       map[string]int      // method: how many calls are still answered RESOURCE_EXHAUSTED
	faults     faults

	writing sync.Mutex // of programs into dir
}

// New starts a service that ends with the test.
func New(t testing.TB, o Options) *Server {
	t.Helper()
	if len(o.Projects) == 0 {
		o.Projects = []string{"test-project"}
	}
	if len(o.Regions) == 0 {
		o.Regions = []string{"europe-west1"}
	}
	if len(o.ServiceAccounts) == 0 {
		o.ServiceAccounts = []string{Worker}
	}
	if o.MaxSource == 0 {
		o.MaxSource = 100 << 20
	}
	if o.StopGrace == 0 {
		o.StopGrace = 10 * time.Second
	}
	s := &Server{
		options: o, dir: t.TempDir(), Access: "ya29." + rand.Text(),
		functions: map[string]*function{}, operations: map[string]*operation{}, uploads: map[string]*upload{},
		tokens: map[string]identity{}, used: map[string]bool{}, busy: map[string]int{},
	}
	mux := http.NewServeMux()
	mux.HandleFunc("PUT /upload/{id}", s.put)
	mux.HandleFunc("POST /token", s.give)
	mux.Handle("/", s.rest())
	s.control = httptest.NewServer(mux)
	s.Endpoint = s.control.URL
	t.Cleanup(s.Close)
	return s
}

// Close ends the service, its instances included.
func (s *Server) Close() {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.closed = true
	fronts := s.fronts
	s.mu.Unlock()
	for _, f := range fronts {
		f.close()
		f.ended()
		f.http.CloseClientConnections()
		f.http.Close()
	}
	s.control.Close()
	s.idle.Wait()
}

// Permissions returns the permissions that were needed so far, sorted.
func (s *Server) Permissions() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for p := range s.used {
		all = append(all, p)
	}
	slices.Sort(all)
	return all
}

// Calls returns the names of the methods that were called, in order.
func (s *Server) Calls() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

// Throttle answers the next n calls of a method with RESOURCE_EXHAUSTED.
func (s *Server) Throttle(method string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy[method] = n
}

// Remove deletes a function, if it is there, behind the caller's back, and returns when its instances are gone.
func (s *Server) Remove(id string) {
	s.mu.Lock()
	var found *function
	for name, f := range s.functions {
		if f.id == id {
			found = f
			delete(s.functions, name)
		}
	}
	s.mu.Unlock()
	if found != nil && found.front != nil {
		found.front.close()
	}
}

// Relabel gives a function other labels, behind the caller's back.
func (s *Server) Relabel(id string, labels map[string]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.functions {
		if f.id == id {
			f.spec.Labels = labels
		}
	}
}

// Functions returns the ids of the functions there are, sorted.
func (s *Server) Functions() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ids []string
	for _, f := range s.functions {
		ids = append(ids, f.id)
	}
	slices.Sort(ids)
	return ids
}

// listen returns a listener on a free port.
func listen() (net.Listener, error) { return net.Listen("tcp", "127.0.0.1:0") }
