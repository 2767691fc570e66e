package servers

import (
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// Rule says which requests through a [Proxy] fail, and how. The first rule that matches a request and is due applies; the
// others count it all the same.
type Rule struct {
	Method string         // empty matches all
	URL    *regexp.Regexp // for the path, as it was sent, and the query; nil matches all
	Nth    int            // makes the rule due at the n-th match alone, counted from 1; 0: at each

	Fault Fault
	At    int64

	// What is answered by Answer.
	Status int
	Header http.Header
	Body   string
}

// Proxy stands between the client of an HTTP server and the server. It ends with the test.
type Proxy struct {
	URL string // that a client is given as the endpoint: of the server's, with another host and port

	server *httptest.Server
	target *url.URL
	ended  chan struct{}

	mu    sync.Mutex
	rules []Rule
	due   *due
	seen  []string
}

// NewProxy returns a proxy to the server at endpoint, under rules.
func NewProxy(t testing.TB, endpoint string, rules ...Rule) *Proxy {
	t.Helper()
	target, err := url.Parse(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{target: target, ended: make(chan struct{})}
	p.Set(rules...)
	transport := &http.Transport{DisableCompression: true}
	forward := &httputil.ReverseProxy{
		Rewrite:        p.rewrite,
		ModifyResponse: p.modify,
		Transport:      transport,
		FlushInterval:  -1, // the bytes before a fault are to arrive
		ErrorHandler:   p.failed,
		ErrorLog:       log.New(io.Discard, "", 0),
	}
	p.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { p.serve(forward, w, r) }))
	p.server.Config.ErrorLog = forward.ErrorLog // broken connections are its business
	p.server.Start()
	t.Cleanup(func() {
		close(p.ended)
		p.server.CloseClientConnections()
		p.server.Close()
		transport.CloseIdleConnections()
	})
	p.URL = p.server.URL + target.Path
	return p
}

// Set replaces the rules, and begins to count anew.
func (p *Proxy) Set(rules ...Rule) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rules, p.due = slices.Clone(rules), &due{}
}

// Seen returns all requests so far, those that failed included: "PUT /bucket/key?x-id=PutObject".
func (p *Proxy) Seen() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.seen)
}

// find notes a request and returns the rule that applies to it.
func (p *Proxy) find(r *http.Request) *Rule {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen = append(p.seen, r.Method+" "+r.RequestURI)
	i := p.due.find(len(p.rules), func(i int) (bool, int) {
		rule := &p.rules[i]
		ok := (rule.Method == "" || rule.Method == r.Method) && (rule.URL == nil || rule.URL.MatchString(r.RequestURI))
		return ok, rule.Nth
	})
	if i < 0 {
		return nil
	}
	return &p.rules[i]
}

// serve does what is due before the server hears of a request, and leaves the rest to forward.
func (p *Proxy) serve(forward http.Handler, w http.ResponseWriter, r *http.Request) {
	rule := p.find(r)
	if rule == nil {
		forward.ServeHTTP(w, r)
		return
	}
	switch rule.Fault {
	case Answer:
		_, _ = io.Copy(io.Discard, r.Body) // so that the client is not cut off before it reads the answer
		for name, values := range rule.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(rule.Status)
		_, _ = io.WriteString(w, rule.Body) // the client may be gone
	case Reset:
		hijack(w)
	case Stall:
		_, _ = io.Copy(io.Discard, r.Body) // until then, the end of the connection would not be seen
		p.stall(r)
	default:
		forward.ServeHTTP(headerFirst{w}, r.WithContext(withRule(r.Context(), rule)))
	}
}

// headerFirst sends a header before anything of the body is read, so that a fault at the first byte comes after it, not
// sometimes before.
type headerFirst struct{ http.ResponseWriter }

func (w headerFirst) WriteHeader(status int) {
	w.ResponseWriter.WriteHeader(status)
	_ = http.NewResponseController(w.ResponseWriter).Flush() // the client may be gone
}

// Unwrap is for [http.ResponseController].
func (w headerFirst) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// stall waits until the client gives up, or the test ends.
func (p *Proxy) stall(r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-p.ended:
	}
	panic(http.ErrAbortHandler)
}

// rewrite sends a request to the server. A signature of Amazon's covers the host, which stays then.
func (p *Proxy) rewrite(r *httputil.ProxyRequest) {
	r.Out.URL.Scheme, r.Out.URL.Host = p.target.Scheme, p.target.Host
	r.Out.URL.RawQuery = r.In.URL.RawQuery // byte for byte
	r.Out.Host = p.target.Host
	if r.Out.Body != nil {
		r.Out.Body = &ended{ReadCloser: r.Out.Body}
	}
	if strings.HasPrefix(r.In.Header.Get("Authorization"), "AWS4-") || r.In.URL.Query().Has("X-Amz-Signature") {
		r.Out.Host = r.In.Host
	}
	if rule := ruleOf(r.In.Context()); rule != nil && rule.Fault == FlipRequest && r.Out.Body != nil {
		r.Out.Body = &broken{ReadCloser: r.Out.Body, fault: FlipAnswer, left: rule.At}
	}
}

// ended is a request's body that stays at its end. net/http closes the body of a request whose answer begins, and whoever
// forwards it looks once more for its end; where that look comes later, it is an error, and cuts the answer off.
type ended struct {
	io.ReadCloser
	at bool
}

func (e *ended) Read(p []byte) (int, error) {
	if e.at {
		return 0, io.EOF
	}
	n, err := e.ReadCloser.Read(p)
	e.at = err == io.EOF
	return n, err
}

// errLost makes the proxy reset the connection.
var errLost = errors.New("the answer is lost, as a rule says")

// modify does what is due to an answer. Where the server sends the client to another of its own addresses, as for an
// upload in parts, the client is to come by here too.
func (p *Proxy) modify(r *http.Response) error {
	if location := r.Header.Get("Location"); location != "" {
		r.Header.Set("Location", strings.Replace(location, p.target.Host, strings.TrimPrefix(p.server.URL, "http://"), 1))
	}
	rule := ruleOf(r.Request.Context())
	if rule == nil {
		return nil
	}
	switch rule.Fault {
	case Lose:
		return errLost
	case Cut, StallAt, FlipAnswer:
		r.Body = &broken{ReadCloser: r.Body, fault: rule.Fault, left: rule.At, wait: func() {
			select {
			case <-r.Request.Context().Done():
			case <-p.ended:
			}
		}}
	}
	return nil
}

// failed is for a server that cannot be reached, or hangs up; the client is to see no less.
func (p *Proxy) failed(w http.ResponseWriter, _ *http.Request, _ error) { hijack(w) }

// hijack resets the connection of a request.
func hijack(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	reset(conn)
}
