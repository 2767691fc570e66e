package azfunc

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// Options adapt a server. Zero fields have the defaults named.
type Options struct {
	Subscription string   // 00000000-0000-0000-0000-000000000001
	Group        string   // the one resource group, gowren
	Location     string   // where Flex Consumption is, westeurope
	Accounts     []string // storage accounts of the group, gowrenstore
	Identities   []string // user-assigned identities of the group, none
	Taken        []string // beginnings of app names that are others', none

	Deny   []string           // actions that the caller lacks
	Refuse map[string]Refusal // what an action answers instead of its work
	// Polls is how often an operation is asked for before it is done. With 0 there are no operations: calls answer when
	// their work is done. RetryAfter is what an answer asks to wait, 1 second.
	Polls      int
	RetryAfter string
	// Propagation is how many deployments fail before a role that was assigned is in force.
	Propagation int
	// Contended deployments go on only when another was refused meanwhile.
	Contended bool
	// Loading is how often a function's key is asked for in vain after a deployment: its host takes time to load it.
	Loading    int
	MaxPackage int64 // bytes of a deployment, 1 GiB

	Instances   int           // processes at once, whatever the app may have: 4
	Queue       int           // requests that wait for an instance before they are throttled: 1000
	Cut         time.Duration // the front ends a request after that: 230 s
	MaxRequest  int64         // bytes of a request, 100 MiB
	Environment []string      // added to what workers get, as NAME=value
}

// Refusal is an error of the resource manager.
type Refusal struct {
	Status        int
	Code, Message string
}

// Server is one. Its methods may be called at any time.
type Server struct {
	URL    string // the resource manager's
	Token  string // one that it takes, as the identity's endpoint gives them
	Faults Faults

	options Options
	root    string // the folder of what was deployed
	manager *httptest.Server

	mu         sync.Mutex
	throttled  int
	tokens     map[string]bool // whether still in force
	secret     string          // of the identity's endpoint
	used       map[string]int  // calls by action
	plans      map[string]*plan
	sites      map[string]*site
	deleted    []*site
	containers map[string]*container // by account/name
	roles      map[string]assignment
	operations map[string]*operation
	unpacked   map[string]string // folders of packages by their hash
}

// Start returns a server that ends with the test.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// New returns a server. Close ends it.
func New(o Options) (*Server, error) {
	o.Subscription = or(o.Subscription, "00000000-0000-0000-0000-000000000001")
	o.Group, o.Location = or(o.Group, "gowren"), or(o.Location, "westeurope")
	o.RetryAfter = or(o.RetryAfter, "1")
	if o.Accounts == nil {
		o.Accounts = []string{"gowrenstore"}
	}
	o.Instances, o.Queue = or(o.Instances, 4), or(o.Queue, 1000)
	o.Cut, o.MaxRequest, o.MaxPackage = or(o.Cut, 230*time.Second), or(o.MaxRequest, 100<<20), or(o.MaxPackage, 1<<30)
	root, err := os.MkdirTemp("", "gowren-azfunc-")
	if err != nil {
		return nil, err
	}
	s := &Server{
		options: o, root: root, tokens: map[string]bool{}, used: map[string]int{}, secret: rand.Text(),
		plans: map[string]*plan{}, sites: map[string]*site{}, containers: map[string]*container{}, roles: map[string]assignment{},
		operations: map[string]*operation{}, unpacked: map[string]string{},
	}
	s.Token = s.issue()
	s.manager = httptest.NewUnstartedServer(s.routes())
	s.URL = "http://" + s.manager.Listener.Addr().String() // before there are requests
	s.manager.Start()
	return s, nil
}

// Close ends all workers and answers no more.
func (s *Server) Close() error {
	s.manager.Close()
	s.mu.Lock()
	sites := append(slices.Collect(maps.Values(s.sites)), s.deleted...)
	s.mu.Unlock()
	for _, a := range sites {
		a.end()
	}
	return errors.Join(os.RemoveAll(s.root))
}

// Used returns the actions that calls needed so far, in order, each once.
func (s *Server) Used() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var used []string
	for action := range s.used {
		used = append(used, action)
	}
	slices.Sort(used)
	return used
}

// Calls returns how many calls needed an action so far.
func (s *Server) Calls(action string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.used[action]
}

// Spoil takes an app's package away, so that its host has nothing to load.
func (s *Server) Spoil(name string) {
	s.mu.Lock()
	a := s.sites[name]
	s.mu.Unlock()
	a.unload()
}

// ChangeKey gives an app's function another key.
func (s *Server) ChangeKey(name string) {
	s.mu.Lock()
	a := s.sites[name]
	s.mu.Unlock()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.key = "key-" + rand.Text()
}

// Throttle makes the resource manager answer its next n calls with 429.
func (s *Server) Throttle(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.throttled = n
}

// Load has an app's host answer in vain n more times who asks for its functions.
func (s *Server) Load(name string, n int) {
	s.mu.Lock()
	a := s.sites[name]
	s.mu.Unlock()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.loading = n
}

// Hide makes an app's address one that takes no connections, as behind a firewall that is in the way.
func (s *Server) Hide(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sites[name].front.Listener.Close()
}

// Permit ends all that Deny and Refuse of the options say.
func (s *Server) Permit() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.options.Deny, s.options.Refuse = nil, nil
}

// Untag takes its mark from what has the name: an app, a plan or a container.
func (s *Server) Untag(kind, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch kind {
	case "app":
		a := s.sites[name]
		a.mu.Lock()
		a.body.Tags = nil
		a.mu.Unlock()
	case "plan":
		s.plans[name].Tags = nil
	default:
		s.containers[s.options.Accounts[0]+"/"+name].Metadata = nil
	}
}

// Expire ends all tokens that were issued.
func (s *Server) Expire() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for token := range s.tokens {
		s.tokens[token] = false
	}
}

// Apps returns the names of the apps that are there.
func (s *Server) Apps() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for name := range s.sites {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Deployments returns how many packages were sent to the apps that are there.
func (s *Server) Deployments() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, a := range s.sites {
		a.mu.Lock()
		n += len(a.deployments)
		a.mu.Unlock()
	}
	return n
}

// Left returns what else is there: plans, containers and role assignments.
func (s *Server) Left() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var left []string
	for name := range s.plans {
		left = append(left, "plan "+name)
	}
	for name := range s.containers {
		left = append(left, "container "+name)
	}
	for id := range s.roles {
		left = append(left, "role "+id)
	}
	slices.Sort(left)
	return left
}

// Delete deletes an app, as its owner may at any time. Its address answers 404 then, as the front of all apps does.
func (s *Server) Delete(name string) {
	s.mu.Lock()
	a := s.sites[name]
	if a != nil {
		delete(s.sites, name)
		s.deleted = append(s.deleted, a)
	}
	s.mu.Unlock()
	if a != nil {
		a.stop()
	}
}

// Environment returns the variables by which a process takes its tokens from here, as an app with a managed identity does.
func (s *Server) Environment() []string {
	return []string{"IDENTITY_ENDPOINT=" + s.URL + "/identity/token", "IDENTITY_HEADER=" + s.secret}
}

// issue returns a new token.
func (s *Server) issue() string {
	claims := `{"upn":"driver@example.com","oid":"00000000-0000-0000-0000-00000000000d","tid":"00000000-0000-0000-0000-0000000000ff"}`
	token := "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + "." + rand.Text() // of the form of Entra's
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens[token] = true
	return token
}

// authorized returns what is wrong with a request's token, if anything is.
func (s *Server) authorized(r *http.Request) *Refusal {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	s.mu.Lock()
	defer s.mu.Unlock()
	fresh, known := s.tokens[token]
	switch {
	case !ok:
		return &Refusal{http.StatusUnauthorized, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing."}
	case !known:
		return &Refusal{http.StatusUnauthorized, "InvalidAuthenticationToken", "The access token is invalid."}
	case !fresh:
		return &Refusal{http.StatusUnauthorized, "ExpiredAuthenticationToken", "The access token has expired."}
	}
	return nil
}

// allowed notes that an action is used, and returns what is wrong with it, if anything is.
func (s *Server) allowed(action, scope string) *Refusal {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, denied := range s.options.Deny {
		if strings.EqualFold(denied, action) {
			return &Refusal{http.StatusForbidden, "AuthorizationFailed", "The client 'driver' with object id " +
				"'00000000-0000-0000-0000-00000000000d' does not have authorization to perform action '" + action +
				"' over scope '" + scope + "' or the scope is invalid. If access was recently granted, please refresh your credentials."}
		}
	}
	s.used[action]++
	if r, ok := s.options.Refuse[action]; ok {
		return &r
	}
	return nil
}

func or[T comparable](value, otherwise T) T {
	var zero T
	if value == zero {
		return otherwise
	}
	return value
}
