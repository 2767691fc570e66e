package httpworker_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"regexp"
	"testing"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/httpworker"
	"github.com/gowren/gowren/internal/servers"
	"github.com/gowren/gowren/internal/supervisor"
	"github.com/gowren/gowren/internal/wire"
)

// TestRunning: a call whose connection broke may still be running, and one of which the worker or the platform said that it
// ended, or that it never began, is not.
func TestRunning(t *testing.T) {
	t.Parallel()
	bucket := newBucket(t)
	url, _ := startWorker(t, bucket)
	invoke := regexp.MustCompile("/invoke")
	html := http.Header{"Content-Type": {"text/html"}}
	for name, c := range map[string]struct {
		rule servers.Rule
		runs bool
	}{
		"reset":          {servers.Rule{Fault: servers.Reset}, true},
		"the reply lost": {servers.Rule{Fault: servers.Lose}, true},
		"cut in a frame": {servers.Rule{Fault: servers.Cut, At: 15}, true},
		"a proxy's page": {servers.Rule{Status: 200, Header: html, Body: page}, true},
		"timed out":      {servers.Rule{Status: 504}, true},
		"throttled":      {servers.Rule{Status: 429}, false},
		"unavailable":    {servers.Rule{Status: 503}, false},
		"forbidden":      {servers.Rule{Status: 403}, false},
		"no program":     {servers.Rule{URL: regexp.MustCompile("nothing")}, false}, // the worker tells in the reply
	} {
		if c.rule.URL == nil {
			c.rule.URL = invoke
		}
		err := call(t, httpworker.ClientConfig{URL: servers.NewProxy(t, url, c.rule).URL, Authorize: bearer}, bucket.URL())
		if err == nil || httpworker.Running(err) != c.runs {
			t.Errorf("%s: %v: running: %v", name, err, !c.runs)
		}
	}
	err := call(t, httpworker.ClientConfig{URL: "http://" + freeAddr(t), Authorize: bearer}, bucket.URL())
	if !errors.Is(err, httpworker.ErrUnreachable) || httpworker.Running(err) {
		t.Errorf("nobody there: %v", err)
	}
}

// bearer gives requests the token.
func bearer(r *http.Request) error {
	r.Header.Set("Authorization", "Bearer "+token)
	return nil
}

// call makes a call of a program that the bucket does not have, and returns its error.
func call(t *testing.T, c httpworker.ClientConfig, bucket string) error {
	t.Helper()
	client, err := httpworker.NewClient(c)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	reply, err := client.Invoke(t.Context(), supervisor.Call{
		ID: "id", Program: "00000000000000000000000000000000000000000000000000000000000000ab", Bucket: bucket,
		Body: wire.AppendRequest(nil, &wire.Request{}),
	}, nil)
	if err != nil {
		return err
	}
	defer reply.Close()
	_, err = io.Copy(io.Discard, reply)
	return err
}

// TestAuthorizeFails: without a token nothing is sent, and so nothing is lost.
func TestAuthorizeFails(t *testing.T) {
	t.Parallel()
	bucket := newBucket(t)
	url, _ := startWorker(t, bucket)
	ended, end := context.WithCancelCause(t.Context())
	over := errors.New("it is over")
	defer end(nil)
	for name, c := range map[string]struct {
		err, class error
		ctx        context.Context
	}{
		"network":   {&net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}, backends.ErrThrottled, t.Context()},
		"server":    {errors.New("the token server answers 503"), backends.ErrThrottled, t.Context()},
		"refusal":   {fmt.Errorf("the key was revoked: %w", backends.ErrRefused), backends.ErrRefused, t.Context()},
		"cancelled": {context.Canceled, over, ended},
	} {
		var fail error
		b, err := httpworker.New(httpworker.Config{URLs: []string{url}, Token: token, Authorize: func(*http.Request) error {
			if fail != nil && c.ctx == ended {
				end(over)
			}
			return fail
		}})
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Prepare(t.Context(), backends.Deployment{Bucket: bucket, Program: os.Getenv("GOWREN_PROGRAM")}); err != nil {
			t.Fatal(err)
		}
		fail = c.err
		_, err = b.Invoke(c.ctx, backends.Request{Body: []byte("x")})
		if !errors.Is(err, c.class) || errors.As(err, new(*backends.LostError)) || errors.Is(err, httpworker.ErrAuthorize) == (c.class == over) {
			t.Errorf("%s: %v, want %v", name, err, c.class)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestSilentTokenServer: the wait for a token is part of the time that a reply may take to begin.
func TestSilentTokenServer(t *testing.T) {
	t.Parallel()
	silent := func(r *http.Request) error {
		<-r.Context().Done()
		return r.Context().Err()
	}
	late := func(r *http.Request) error {
		<-r.Context().Done()
		return nil
	}
	for name, authorize := range map[string]func(*http.Request) error{"silent": silent, "late": late} {
		err := call(t, httpworker.ClientConfig{URL: "http://" + freeAddr(t), Authorize: authorize, Start: 10 * time.Millisecond}, "")
		wantError(t, err, httpworker.ErrAuthorize, "no answer began within 10ms")
		wantError(t, err, backends.ErrThrottled)
		if errors.Is(err, context.Canceled) || httpworker.Running(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
