package httpworker_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/httpworker"
	"github.com/gowren/gowren/internal/servers"
	"github.com/gowren/gowren/mapper"
)

const page = "<html><body><h1>502 Bad Gateway</h1></body></html>"

// TestFaults: what goes wrong on the way costs attempts, and neither a task nor a result.
func TestFaults(t *testing.T) {
	t.Parallel()
	invoke := regexp.MustCompile("/invoke")
	html := http.Header{"Content-Type": {"text/html"}}
	for name, rule := range map[string]servers.Rule{
		"throttled":       {Status: 429},
		"unavailable":     {Status: 503},
		"bad gateway":     {Status: 502, Header: html, Body: page},
		"a proxy's page":  {Status: 200, Header: html, Body: page},
		"reset":           {Fault: servers.Reset},
		"the reply lost":  {Fault: servers.Lose},
		"no status":       {Fault: servers.Cut},
		"cut in a header": {Fault: servers.Cut, At: 5},
		"cut in a frame":  {Fault: servers.Cut, At: 15},
		"a byte changed":  {Fault: servers.FlipAnswer, At: 12},
		"a byte of ours":  {Fault: servers.FlipRequest, At: 40},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bucket := newBucket(t)
			url, _ := startWorker(t, bucket)
			var rules []servers.Rule
			for _, nth := range []int{1, 3, 5} {
				rule.URL, rule.Nth = invoke, nth
				rules = append(rules, rule)
			}
			ex := mustOpen(t, bucket, servers.NewProxy(t, url, rules...).URL)
			wantDoubles(t, ex.With(mapper.Options{BatchSize: 3}), 30)
		})
	}
}

// TestFinal: what no further attempt can mend ends the job, and says what to do.
func TestFinal(t *testing.T) {
	t.Parallel()
	invoke := regexp.MustCompile("/invoke")
	for name, c := range map[string]struct {
		rule  servers.Rule
		class error
		words []string
	}{
		"unauthorized": {servers.Rule{Status: 401}, backends.ErrRefused, []string{"401", "GOWREN_WORKER_TOKEN"}},
		"forbidden":    {servers.Rule{Status: 403, Body: "<p>\nwho are\n  you"}, backends.ErrRefused, []string{"403", "<p> who are you"}},
		"gone":         {servers.Rule{Status: 404}, backends.ErrInvalid, []string{"404", "no gowren worker"}},
		"too large":    {servers.Rule{Status: 413}, backends.ErrInvalid, []string{"413", "too large"}},
		"redirected":   {servers.Rule{Status: 302, Header: http.Header{"Location": {"http://elsewhere.example/"}}}, backends.ErrInvalid, []string{"302", "elsewhere.example"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bucket := newBucket(t)
			url, _ := startWorker(t, bucket)
			c.rule.URL = invoke
			proxy := servers.NewProxy(t, url, c.rule)
			ex := mustOpen(t, bucket, proxy.URL)
			_, err := mapper.Map(t.Context(), ex, double, []int{1, 2, 3})
			wantError(t, err, c.class, c.words...)
		})
	}
	t.Run("always a page", func(t *testing.T) {
		t.Parallel()
		bucket := newBucket(t)
		url, _ := startWorker(t, bucket)
		proxy := servers.NewProxy(t, url, servers.Rule{URL: invoke, Status: 200, Header: http.Header{"Content-Type": {"text/html"}}, Body: page})
		_, err := mapper.Map(t.Context(), mustOpen(t, bucket, proxy.URL), double, []int{1})
		var lost *backends.LostError
		if !errors.As(err, &lost) {
			t.Errorf("%v, want a *backends.LostError", err)
		}
		wantError(t, err, nil, "not a gowren worker's answer", "text/html")
	})
}

// TestUnreachable: of two workers one ends, and the other does its part; with none left the job says so.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	bucket := newBucket(t)
	first, one := startWorker(t, bucket)
	second, two := startWorker(t, bucket)
	ex := mustOpen(t, bucket, first, second)
	wantDoubles(t, ex, 50)
	if err := one.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = one.Wait() // it was killed
	wantDoubles(t, ex.With(mapper.Options{BatchSize: 1}), 50)
	// With none left the job waits for one to come back, which is no attempt of its tasks.
	if err := two.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = two.Wait() // it was killed
	done := make(chan error, 1)
	go func() {
		_, err := mapper.Map(context.WithoutCancel(t.Context()), ex, double, []int{1})
		done <- err
	}()
	select {
	case err := <-done:
		t.Fatalf("without workers the job ends: %v", err)
	case <-time.After(300 * time.Millisecond):
	}
	startWorker(t, bucket, "GOWREN_WORKER_ADDR="+strings.TrimPrefix(second, "http://"))
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestBadWorkers: a worker that takes no connections, or answers with errors, or no more, costs little where there are
// others, and the others do the work.
func TestBadWorkers(t *testing.T) {
	t.Parallel()
	for name, rule := range map[string]servers.Rule{
		"errors":    {Status: 502, Body: "bad gateway"},
		"throttled": {Status: 429},
		"silent":    {Fault: servers.Stall},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bucket := newBucket(t)
			good, _ := startWorker(t, bucket)
			bad, _ := startWorker(t, bucket)
			rule.URL = regexp.MustCompile("/invoke")
			start := time.Minute
			if rule.Fault == servers.Stall {
				start = 2 * time.Second // which the good one needs on a busy machine
			}
			ex, err := open(t, bucket, httpworker.Config{URLs: []string{servers.NewProxy(t, bad, rule).URL, good}, Token: token, Start: start})
			if err != nil {
				t.Fatal(err)
			}
			for range 3 {
				wantDoubles(t, ex.With(mapper.Options{BatchSize: 1}), 5)
			}
		})
	}
}

// TestNobodyAnswers: addresses that swallow connections are each tried once an invocation, and nothing has run.
func TestNobodyAnswers(t *testing.T) {
	t.Parallel()
	bucket := newBucket(t)
	url, cmd := startWorker(t, bucket)
	down := "http://" + freeAddr(t)
	b, err := httpworker.New(httpworker.Config{URLs: []string{down, url}, Token: token})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := b.Prepare(t.Context(), backends.Deployment{Bucket: bucket, Program: os.Getenv("GOWREN_PROGRAM")}); err != nil {
		t.Fatalf("with one of two workers: %v", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // it was killed
	for i := range 5 {
		_, err := b.Invoke(t.Context(), backends.Request{Body: []byte("x")})
		if lost := (*backends.LostError)(nil); i == 0 && errors.As(err, &lost) {
			continue // a connection was still open, and took some of the request
		}
		if !errors.Is(err, backends.ErrThrottled) || !errors.Is(err, httpworker.ErrUnreachable) {
			t.Errorf("%v, want backends.ErrThrottled", err)
		}
	}
}

// TestKilledWorker: a worker that is killed in the middle of a stream costs an attempt of what it had not yet answered.
func TestKilledWorker(t *testing.T) {
	t.Parallel()
	bucket, dir := newBucket(t), t.TempDir()
	first, one := startWorker(t, bucket)
	second, _ := startWorker(t, bucket)
	ex := mustOpen(t, bucket, first, second)
	done := make(chan error, 1)
	go func() {
		_, err := mapper.Map(context.WithoutCancel(t.Context()), ex, slowly, []string{dir})
		done <- err
	}()
	awaitFile(t, dir+"/begun")
	remove(t, dir+"/begun")
	// One of the two serves it; the other gets it next.
	if err := one.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	create(t, dir+"/go")
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestPrepare: what cannot work is found before the first job, and said.
func TestPrepare(t *testing.T) {
	t.Parallel()
	bucket, other := newBucket(t), newBucket(t)
	url, _ := startWorker(t, bucket)
	ping := regexp.MustCompile("/ping")
	json := http.Header{"Content-Type": {"application/json"}}
	for name, c := range map[string]struct {
		config httpworker.Config
		class  error
		words  []string
	}{
		"no token":     {httpworker.Config{URLs: []string{url}}, backends.ErrRefused, []string{"401"}},
		"wrong token":  {httpworker.Config{URLs: []string{url}, Token: "wrong" + token[:5]}, backends.ErrRefused, []string{"401"}},
		"other bucket": {httpworker.Config{URLs: []string{url}, Token: token}, backends.ErrInvalid, []string{bucket.URL(), "GOWREN_STORAGE"}},
		"nobody there": {httpworker.Config{URLs: []string{"http://" + freeAddr(t)}, Token: token}, httpworker.ErrUnreachable, nil},
		"a page": {httpworker.Config{Token: token, URLs: []string{servers.NewProxy(t, url,
			servers.Rule{URL: ping, Status: 200, Header: http.Header{"Content-Type": {"text/html"}}, Body: page}).URL}}, nil, []string{"not a gowren worker's answer"}},
		"another version": {httpworker.Config{Token: token, URLs: []string{servers.NewProxy(t, url,
			servers.Rule{URL: ping, Status: 200, Header: json, Body: `{"protocol":99}`}).URL}}, backends.ErrInvalid, []string{"version 99"}},
	} {
		_, err := open(t, reopen(t, other), c.config)
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		wantError(t, err, c.class, c.words...)
	}
	for _, urls := range [][]string{nil, {""}, {"ftp://x"}, {"http://"}, {":"}} {
		if _, err := httpworker.New(httpworker.Config{URLs: urls}); !errors.Is(err, backends.ErrInvalid) {
			t.Errorf("%q: %v", urls, err)
		}
	}
}
