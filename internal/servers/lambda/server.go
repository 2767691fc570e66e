package lambda

import (
	"cmp"
	"net/http"
	"net/http/httptest"
	"os"
	"sync"
	"testing"
	"time"
)

// Options are how the stand-in differs from its defaults.
type Options struct {
	Region  string // default us-east-1
	Account string // 12 digits
	// Env is added to the environment of every function, as "NAME=value": endpoints of other servers of the test, such
	// as AWS_ENDPOINT_URL_S3. A function's own variables come after it.
	Env []string
	// Credentials are what functions get in place of their role's own, where a server of the test knows others.
	Credentials *Credentials
	// Driver are the driver's credentials, where a server of the test knows the same. Defaults to new ones.
	Driver *Credentials
	// Pending is how long a new function is Pending, and a changed one InProgress. Default 50 ms; below zero it is none.
	Pending time.Duration
	// RoleDelay is how long Lambda cannot assume a new role. Default 200 ms; below zero it is none.
	RoleDelay time.Duration
	// UpdateFailure, unless empty, is the reason for which each update fails.
	UpdateFailure string
	// Deny lists IAM actions, such as lambda:CreateFunction, that nobody may do.
	Deny []string
	// Concurrency is the account's limit. Default 1000.
	Concurrency int
	// MemoryLimit is the most MiB that a function may have. Default 10240; new accounts have 3008.
	MemoryLimit int
	// EventLimit is how many bytes an Event's payload may have. Default 1 MiB; it was 256 KiB for long.
	EventLimit int
	// EventRetry is how long the first retry of an Event waits; the second waits twice that. Default 10 ms, where
	// Lambda has a minute.
	EventRetry time.Duration
	// InitLimit is how long a start may take before it is tried once more in the time of the invocation. Default 10 s.
	InitLimit time.Duration
	// Unconfined does without control groups even where the machine has them.
	Unconfined bool
}

func (o *Options) defaults() {
	o.Region = cmp.Or(o.Region, "us-east-1")
	o.Account = cmp.Or(o.Account, "123456789012")
	o.Pending = max(0, cmp.Or(o.Pending, 50*time.Millisecond))
	o.RoleDelay = max(0, cmp.Or(o.RoleDelay, 200*time.Millisecond))
	o.Concurrency = cmp.Or(o.Concurrency, 1000)
	o.MemoryLimit = cmp.Or(o.MemoryLimit, 10240)
	o.EventLimit = cmp.Or(o.EventLimit, 1<<20)
	o.EventRetry = cmp.Or(o.EventRetry, 10*time.Millisecond)
	o.InitLimit = cmp.Or(o.InitLimit, 10*time.Second)
}

// Server is the stand-in. Its methods may be called at any time, from any goroutine.
type Server struct {
	Endpoint        string // http://host:port, of all services
	Region, Account string
	Credentials     Credentials // of the driver

	options Options
	dir     string // of unpacked archives
	http    *httptest.Server
	keys    *keys
	starter *starter
	jail    *jail // nil where the machine has no control groups for us

	once      sync.Once
	mu        sync.Mutex
	closed    bool
	functions map[string]*function
	roles     map[string]*role
	groups    map[string]*logGroup
	faults    Faults
	busy      int // invocations of functions without a reserve
	deploys   int // counts folders below dir
	stop      chan struct{}
	work      sync.WaitGroup // environments, events, the log's readers
}

// Start starts a server that ends with the test.
func Start(t testing.TB, o Options) *Server {
	t.Helper()
	o.defaults()
	s := &Server{
		Region: o.Region, Account: o.Account, options: o, dir: t.TempDir(),
		functions: map[string]*function{}, roles: map[string]*role{}, groups: map[string]*logGroup{},
		stop: make(chan struct{}),
	}
	if !o.Unconfined {
		var err error
		if s.jail, err = openJail(); err != nil {
			t.Fatal(err)
		}
	}
	s.keys = newKeys(s)
	s.Credentials = s.keys.driver()
	s.starter = newStarter()
	s.http = httptest.NewServer(s.routes())
	s.Endpoint = s.http.URL
	t.Cleanup(s.Close)
	return s
}

// Close ends all environments and requests, and returns when they are gone. The test's end does it too.
func (s *Server) Close() { s.once.Do(s.close) }

func (s *Server) close() {
	s.mu.Lock()
	s.closed = true
	close(s.stop)
	for _, f := range s.functions {
		for e := range f.environments {
			e.kill()
		}
	}
	s.mu.Unlock()
	s.work.Wait()
	s.http.CloseClientConnections()
	s.http.Close()
	s.starter.close()
	s.jail.close()
}

// Confines reports whether environments have their function's memory and no more, and are frozen by the kernel. It takes
// root, and version 1 control groups.
func (s *Server) Confines() bool { return s.jail != nil }

// routes tells the services apart: IAM and STS name an action in a form, CloudWatch Logs in a header, and Lambda has paths.
func (s *Server) routes() http.Handler {
	functions := s.functionRoutes()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &call{s: s, w: w, r: r, id: newID()}
		switch {
		case r.Header.Get("X-Amz-Target") != "":
			c.serveLogs()
		case r.Method == http.MethodPost && r.URL.Path == "/":
			c.serveQuery()
		default:
			w.Header().Set("X-Amzn-Requestid", c.id)
			functions.ServeHTTP(w, r.WithContext(withCall(r.Context(), c)))
		}
	})
}

// remove takes a folder away. It holds only what was unpacked, and t.TempDir tells of what stays.
func remove(dir string) { _ = os.RemoveAll(dir) }
