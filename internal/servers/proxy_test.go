package servers

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// echo is a server that answers with what it was sent, and counts.
func echo(t *testing.T) (url string, served *atomic.Int64) {
	served = new(atomic.Int64)
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served.Add(1)
		if r.URL.Path == "/base/started" {
			w.Header().Set("Location", "http://"+r.Host+"/base/continued")
		}
		w.Header().Set("X-Host", r.Host)
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		_, _ = w.Write(body) // the client may be gone
	}))
	t.Cleanup(s.Close)
	return s.URL + "/base", served
}

// reply is what a client gets; without a status, nothing.
type reply struct {
	status int
	header http.Header
	body   string
}

// send makes one request on a connection of its own.
func send(ctx context.Context, url, body string, header ...string) (reply, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, url, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	r, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	if err != nil {
		return reply{}, err
	}
	defer r.Body.Close()
	data, err := io.ReadAll(r.Body)
	return reply{r.StatusCode, r.Header, string(data)}, err
}

func TestProxyFaults(t *testing.T) {
	t.Parallel()
	const sent = "0123456789"
	for name, c := range map[string]struct {
		rule   Rule
		got    string
		err    error
		status int
		served int64
	}{
		"none":         {Rule{Nth: 2, Fault: Reset}, sent, nil, 200, 1},
		"answer":       {Rule{Fault: Answer, Status: 503, Header: http.Header{"X-Why": {"busy"}}, Body: "<SlowDown/>"}, "<SlowDown/>", nil, 503, 0},
		"reset":        {Rule{Fault: Reset}, "", syscall.ECONNRESET, 0, 0},
		"lose":         {Rule{Fault: Lose}, "", syscall.ECONNRESET, 0, 1},
		"stall":        {Rule{Fault: Stall}, "", context.DeadlineExceeded, 0, 0},
		"cut":          {Rule{Fault: Cut, At: 4}, "0123", io.ErrUnexpectedEOF, 200, 1},
		"cut at once":  {Rule{Fault: Cut}, "", io.ErrUnexpectedEOF, 200, 1},
		"stall amid":   {Rule{Fault: StallAt, At: 4}, "0123", context.DeadlineExceeded, 200, 1},
		"flip answer":  {Rule{Fault: FlipAnswer, At: 3}, "0122456789", nil, 200, 1},
		"flip request": {Rule{Fault: FlipRequest, At: 9}, "0123456788", nil, 200, 1},
		"flip nothing": {Rule{Fault: FlipRequest, At: 10}, sent, nil, 200, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, served := echo(t)
			p := NewProxy(t, server, c.rule)
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			r, err := send(ctx, p.URL, sent)
			if r.body != c.got || !errors.Is(err, c.err) || c.err == nil && err != nil {
				t.Errorf("got %q, %v, want %q, %v", r.body, err, c.got, c.err)
			}
			if r.status != c.status || served.Load() != c.served {
				t.Errorf("status %d after %d requests, want %d after %d", r.status, served.Load(), c.status, c.served)
			}
			if name == "answer" && r.header.Get("X-Why") != "busy" {
				t.Errorf("header %v", r.header)
			}
		})
	}
}

func TestProxyRules(t *testing.T) {
	t.Parallel()
	server, _ := echo(t)
	busy := Rule{Fault: Answer, Status: 503}
	p := NewProxy(t, server)
	third, path, method := busy, busy, busy
	third.Nth, third.URL = 3, regexp.MustCompile(`/a%20b\?`)
	path.Status, path.URL = 500, regexp.MustCompile(`/z$`)
	method.Method = http.MethodGet
	p.Set(third, path, method)
	for i, want := range []int{200, 200, 503, 200, 500} {
		url := p.URL + "/a%20b?x=1;y"
		if want == 500 {
			url = p.URL + "/z"
		}
		r, err := send(t.Context(), url, "")
		if err != nil || r.status != want {
			t.Errorf("request %d: %v, %v, want %d", i+1, r, err, want)
		}
	}
	p.Set()
	r, err := send(t.Context(), p.URL+"/z", "")
	if err != nil || r.status != 200 {
		t.Errorf("without rules: %v, %v", r, err)
	}
	seen := p.Seen()
	if len(seen) != 6 || !slices.Contains(seen, "PUT /base/a%20b?x=1;y") {
		t.Errorf("seen: %q", seen)
	}
}

// TestProxyHost is about what servers do with their own address.
func TestProxyHost(t *testing.T) {
	t.Parallel()
	server, _ := echo(t)
	p := NewProxy(t, server)
	host := func(url string) string { return strings.Split(url, "/")[2] }
	r, err := send(t.Context(), p.URL+"/started", "")
	if err != nil || r.header.Get("Location") != p.URL+"/continued" || r.header.Get("X-Host") != host(server) {
		t.Errorf("%v, %v", r, err)
	}
	r, err = send(t.Context(), p.URL+"/signed", "", "Authorization", "AWS4-HMAC-SHA256 Credential=x")
	if err != nil || r.header.Get("X-Host") != host(p.URL) {
		t.Errorf("a signed host was replaced: %v, %v", r, err)
	}
}

func TestProxyServerGone(t *testing.T) {
	t.Parallel()
	addr, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := send(t.Context(), NewProxy(t, "http://"+addr).URL, "x"); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("error %v, want a reset", err)
	}
}
