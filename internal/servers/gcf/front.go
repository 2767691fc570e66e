package gcf

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"cloud.google.com/go/functions/apiv2/functionspb"
)

const (
	largestRequest = 32 << 20
	// patience is how long a request waits for an instance before it is answered 429.
	patience = 10 * time.Second
)

// front is where a function's requests arrive: it checks tokens and gives each request to an instance.
type front struct {
	s     *Server
	http  *httptest.Server
	ended context.CancelFunc

	mu        sync.Mutex
	revision  *revision
	instances []*instance
	changed   chan struct{} // closed, and made anew, when an instance becomes free or goes
	closed    bool
}

// revision is what instances are started from.
type revision struct {
	program string
	env     []string
	timeout time.Duration
	max     int
	name    string
}

// serveFunction makes a revision that all further requests get.
func (s *Server) serveFunction(f *function, program string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errors.New("the service has ended")
	}
	c := f.spec.GetServiceConfig()
	r := &revision{program: program, timeout: time.Duration(c.GetTimeoutSeconds()) * time.Second, max: int(c.GetMaxInstanceCount())}
	if r.max == 0 {
		r.max = 100
	}
	if f.front == nil {
		f.front = &front{s: s, changed: make(chan struct{})}
		ctx, cancel := context.WithCancel(context.Background())
		f.front.ended = cancel
		s.fronts = append(s.fronts, f.front)
		f.front.http = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			// An instance is not told that the caller has gone: that ends neither the context nor the reading of the answer.
			f.front.serve(&deaf{ResponseWriter: w}, r.WithContext(context.WithValue(ctx, http.ServerContextKey, r.Context().Value(http.ServerContextKey))))
		}))
	}
	f.front.mu.Lock()
	defer f.front.mu.Unlock()
	r.name = fmt.Sprintf("%s-%05d-abc", f.id, len(s.operations))
	// The race detector would let each process sleep at its end.
	r.env = []string{
		"K_SERVICE=" + f.id, "K_REVISION=" + r.name, "K_CONFIGURATION=" + f.id, "FUNCTION_SIGNATURE_TYPE=http",
		"FUNCTION_TARGET=" + f.spec.GetBuildConfig().GetEntryPoint(), "LOG_EXECUTION_ID=true", "GORACE=atexit_sleep_ms=0", "PATH=/usr/local/bin:/usr/bin:/bin",
	}
	for name, value := range maps.All(c.GetEnvironmentVariables()) {
		r.env = append(r.env, name+"="+value)
	}
	f.front.revision = r
	for _, i := range f.front.instances {
		if i.idle {
			i.end()
		}
	}
	f.spec.Url, c.Uri, c.Revision = f.front.http.URL, f.front.http.URL, r.name
	parent, _, _ := strings.Cut(f.spec.GetName(), "/functions/")
	c.Service = parent + "/services/" + f.id
	if c.ServiceAccountEmail == "" {
		c.ServiceAccountEmail = "123456789012-compute@developer.gserviceaccount.com"
	}
	f.spec.Environment = functionspb.Environment_GEN_2
	return nil
}

// close ends the function's instances, and returns when they are gone. Its address still answers, that there is nothing.
func (f *front) close() {
	f.mu.Lock()
	f.closed = true
	for _, i := range f.instances {
		i.end()
	}
	instances := slices.Clone(f.instances)
	f.wake()
	f.mu.Unlock()
	for _, i := range instances {
		i.gone()
	}
}

// wake tells who waits for an instance. The caller holds mu.
func (f *front) wake() {
	close(f.changed)
	f.changed = make(chan struct{})
}

// deaf takes an answer to its end, whether or not anybody is there.
type deaf struct {
	http.ResponseWriter
	reset bool // the connection to the caller breaks after the first bytes
	gone  bool
}

func (d *deaf) Write(p []byte) (int, error) {
	if d.gone {
		return len(p), nil
	}
	if !d.reset || len(p) == 0 {
		_, _ = d.ResponseWriter.Write(p)
		return len(p), nil
	}
	d.gone = true
	_, _ = d.ResponseWriter.Write(p[:min(len(p), 16)])
	if conn, _, err := http.NewResponseController(d.ResponseWriter).Hijack(); err == nil { // which sends it
		_ = conn.Close()
	}
	return len(p), nil
}

// FlushError implements what [http.ResponseController] looks for.
func (d *deaf) FlushError() error {
	if d.gone {
		return nil
	}
	_ = http.NewResponseController(d.ResponseWriter).Flush()
	return nil
}

// page answers as Google's front end does.
func page(w http.ResponseWriter, code int, text string) {
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	w.WriteHeader(code)
	_, _ = fmt.Fprintf(w, "<html><head>\n<meta http-equiv=\"content-type\" content=\"text/html;charset=utf-8\">\n<title>%d %s</title>\n"+
		"</head>\n<body text=#000000 bgcolor=#ffffff>\n<h1>Error: %s</h1>\n<h2>%s</h2>\n<h2></h2>\n</body></html>\n", code, http.StatusText(code), http.StatusText(code), text)
}

// refused answers a request without a good token, and tells whether it has.
func (f *front) refused(w http.ResponseWriter, r *http.Request) bool {
	token, bearer := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	f.s.mu.Lock()
	id, known := f.s.tokens[token]
	err := f.s.need(invoke, f.http.URL)
	f.s.mu.Unlock()
	switch {
	case !bearer:
		page(w, http.StatusForbidden, "Your client does not have permission to get URL <code>"+r.URL.Path+"</code> from this server.")
	case !known || id.expired || id.audience != f.http.URL:
		w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token" error_description="The access token could not be verified"`)
		page(w, http.StatusUnauthorized, "Your client does not have permission to the requested URL <code>"+r.URL.Path+"</code>.")
	case err != nil:
		page(w, http.StatusForbidden, "Your client does not have permission to get URL <code>"+r.URL.Path+"</code> from this server.")
	default:
		return false
	}
	return true
}

func (f *front) serve(w *deaf, r *http.Request) {
	f.mu.Lock()
	closed := f.closed
	f.mu.Unlock()
	if closed {
		page(w, http.StatusNotFound, "The requested URL <code>"+r.URL.Path+"</code> was not found on this server.")
		return
	}
	if f.refused(w, r) {
		return
	}
	if r.ContentLength > largestRequest {
		page(w, http.StatusRequestEntityTooLarge, "Your client issued a request that was too large.")
		return
	}
	fault := f.s.nextFault(r.URL.Path)
	if fault == Throttled {
		page(w, http.StatusTooManyRequests, "Rate exceeded.")
		return
	}
	if fault == Unavailable {
		page(w, http.StatusServiceUnavailable, "The request failed because the instance could not start successfully.")
		return
	}
	if fault == ProxyPage {
		page(w, http.StatusOK, "Please log in to the network.")
		return
	}
	w.reset = fault == Reset
	i, err := f.take(r.Context(), fault)
	switch {
	case errors.Is(err, errNoInstance):
		page(w, http.StatusTooManyRequests, "The request was aborted because there was no available instance.")
		return
	case err != nil:
		page(w, http.StatusServiceUnavailable, "The request failed because the instance could not start successfully: "+err.Error())
		return
	}
	defer f.giveBack(i)
	ctx, cancel := context.WithTimeout(r.Context(), i.revision.timeout)
	defer cancel()
	proxy := &httputil.ReverseProxy{
		Rewrite: func(p *httputil.ProxyRequest) {
			p.SetURL(&url.URL{Scheme: "http", Host: i.addr})
			p.Out.Header.Del("Authorization")
			p.SetXForwarded()
		},
		Transport: i.transport, FlushInterval: -1, ErrorLog: log.New(io.Discard, "", 0),
		ModifyResponse: func(resp *http.Response) error { return spoil(resp, fault, i.kill) },
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			switch {
			case errors.Is(err, errSpoiled):
				panic(http.ErrAbortHandler)
			case ctx.Err() == context.DeadlineExceeded:
				page(w, http.StatusGatewayTimeout, "upstream request timeout")
			default:
				page(w, http.StatusServiceUnavailable, "The request failed because either the HTTP response was malformed or connection to the instance had an error.")
			}
		},
	}
	r.Body = http.MaxBytesReader(w, r.Body, largestRequest)
	proxy.ServeHTTP(w, r.WithContext(ctx))
}

var errNoInstance = errors.New("no available instance")

// take finds an idle instance, starts one, or waits for one.
func (f *front) take(ctx context.Context, fault Fault) (*instance, error) {
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		f.mu.Lock()
		if f.closed {
			f.mu.Unlock()
			return nil, errors.New("the function is gone")
		}
		for n := len(f.instances) - 1; n >= 0; n-- {
			if i := f.instances[n]; i.idle && i.alive() {
				i.idle = false
				i.thaw()
				f.mu.Unlock()
				return i, nil
			}
		}
		if len(f.instances) < f.revision.max {
			i := f.newInstance()
			f.mu.Unlock()
			if fault == SlowStart {
				select {
				case <-time.After(f.s.slowness()):
				case <-ctx.Done():
				}
			}
			return i, i.start(ctx)
		}
		changed := f.changed
		f.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-deadline.C:
			return nil, errNoInstance
		}
	}
}

// giveBack makes an instance free for the next request.
func (f *front) giveBack(i *instance) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed || i.revision != f.revision {
		i.end()
		return
	}
	i.idle = true
	if f.s.options.Freeze {
		i.freeze()
	}
	f.wake()
}

// Logs returns what a function's instances have written.
func (s *Server) Logs() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all strings.Builder
	for _, f := range s.functions {
		if f.front == nil {
			continue
		}
		f.front.mu.Lock()
		for _, i := range f.front.instances {
			_, _ = io.WriteString(&all, i.log.String())
		}
		f.front.mu.Unlock()
	}
	return all.String()
}
