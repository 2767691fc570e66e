package supervisor

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gowren/gowren/backends"
)

func TestCall(t *testing.T) {
	t.Parallel()
	s, b := newSupervisor(t, Config{})
	for range 3 {
		if v, _, err := call(t.Context(), s, Call{Program: ownHash, Bucket: b.URL(), Body: request("")}); v != "done" || err != nil {
			t.Fatalf("%q, %v", v, err)
		}
	}
	if v, _, err := call(t.Context(), s, Call{Program: ownHash, Bucket: b.URL(), Body: request("bucket")}); v != b.URL() || err != nil {
		t.Errorf("the child's bucket is %q, %v", v, err)
	}
	_, log, err := call(t.Context(), s, Call{Program: ownHash, Bucket: b.URL(), Body: request("print")})
	if err != nil || len(log) != 100 || log[99] != "line 99" {
		t.Errorf("%d lines came, %v", len(log), err)
	}
}

// TestPrograms: two builds of a program are served by one supervisor, each is fetched once, and what was fetched is what
// was asked for.
func TestPrograms(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, b := newSupervisor(t, Config{Slots: 2, Programs: dir})
	first, second := twin(t, "1"), twin(t, "2")
	for _, e := range []string{first.Hash, second.Hash} {
		_, _, err := call(t.Context(), s, Call{Program: e, Bucket: b.URL(), Body: request("")})
		if !errors.Is(err, backends.ErrInvalid) || !strings.Contains(err.Error(), e) {
			t.Errorf("a program that is not in the bucket: %v", err)
		}
	}
	if err := errors.Join(first.Upload(t.Context(), b), second.Upload(t.Context(), b), first.Upload(t.Context(), b)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for _, hash := range []string{first.Hash, second.Hash, ownHash} {
			if v, _, err := call(t.Context(), s, Call{Program: hash, Bucket: b.URL(), Body: request("")}); v != "done" || err != nil {
				t.Fatalf("program %.8s: %q, %v", hash, v, err)
			}
		}
		if err := b.Delete(t.Context(), "programs/"+first.Hash+".zst", "programs/"+second.Hash+".zst"); err != nil {
			t.Fatal(err)
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 2 {
		t.Errorf("the folder has %v, %v", files, err)
	}
}

// TestWrongHash: what the bucket has under a program's name is not run unless it is that program.
func TestWrongHash(t *testing.T) {
	t.Parallel()
	s, b := newSupervisor(t, Config{})
	e, other := twin(t, "right"), twin(t, "other")
	if err := errors.Join(e.Upload(t.Context(), b), other.Upload(t.Context(), b)); err != nil {
		t.Fatal(err)
	}
	r, err := b.Get(t.Context(), "programs/"+other.Hash+".zst", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(b.Put(t.Context(), "programs/"+e.Hash+".zst", r), r.Close()); err != nil {
		t.Fatal(err)
	}
	_, _, err = call(t.Context(), s, Call{Program: e.Hash, Bucket: b.URL(), Body: request("")})
	if !errors.Is(err, backends.ErrInvalid) || !strings.Contains(err.Error(), other.Hash) {
		t.Errorf("%v, want backends.ErrInvalid with the hash that was found", err)
	}
	if err := b.Put(t.Context(), "programs/"+e.Hash+".zst", strings.NewReader("no zstd")); err != nil {
		t.Fatal(err)
	}
	if _, _, err = call(t.Context(), s, Call{Program: e.Hash, Bucket: b.URL(), Body: request("")}); err == nil {
		t.Error("junk was run")
	}
	for _, hash := range []string{"", "x", "../../etc/passwd", strings.ToUpper(e.Hash), e.Hash[:40]} {
		if _, _, err = call(t.Context(), s, Call{Program: hash, Bucket: b.URL(), Body: request("")}); !errors.Is(err, backends.ErrInvalid) {
			t.Errorf("hash %q: %v", hash, err)
		}
	}
}

// TestBadProgram: a program that cannot start, or does not speak the protocol, fails its own calls alone.
func TestBadProgram(t *testing.T) {
	t.Parallel()
	s, b := newSupervisor(t, Config{})
	script := []byte("#!/bin/sh\necho no worker >&2\nexit 7\n")
	hash := put(t, b, script)
	for range 2 {
		_, _, err := call(t.Context(), s, Call{Program: hash, Bucket: b.URL(), Body: request("")})
		var lost *backends.LostError
		if !errors.As(err, &lost) {
			t.Fatalf("%v, want a *backends.LostError", err)
		}
		junk := put(t, b, bytes.Repeat([]byte("junk"), 1000))
		if _, _, err := call(t.Context(), s, Call{Program: junk, Bucket: b.URL(), Body: request("")}); !errors.Is(err, backends.ErrInvalid) {
			t.Fatalf("what is no executable: %v", err)
		}
		if v, _, err := call(t.Context(), s, Call{Program: ownHash, Bucket: b.URL(), Body: request("")}); v != "done" || err != nil {
			t.Fatalf("after it: %q, %v", v, err)
		}
	}
}

func TestOtherBucket(t *testing.T) {
	t.Parallel()
	s, b := newSupervisor(t, Config{})
	for _, url := range []string{"", b.URL() + "/x", "s3://another"} {
		_, _, err := call(t.Context(), s, Call{Program: ownHash, Bucket: url, Body: request("")})
		if !errors.Is(err, backends.ErrInvalid) || !strings.Contains(err.Error(), b.URL()) {
			t.Errorf("bucket %q: %v", url, err)
		}
	}
}

// TestLost: what is known of a child's end is the error of its driver, after what came before.
func TestLost(t *testing.T) {
	t.Parallel()
	s, b := newSupervisor(t, Config{})
	for what, words := range map[string][]string{"exit": {"exit status 3", "about to exit"}, "half": {"exit status 4"}} {
		v, _, err := call(t.Context(), s, Call{Program: ownHash, Bucket: b.URL(), Body: request(what)})
		var lost *backends.LostError
		if !errors.As(err, &lost) || lost.Worker == "" || lost.Ran <= 0 {
			t.Fatalf("%s: %v", what, err)
		}
		for _, w := range words {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: the error lacks %q: %v", what, w, err)
			}
		}
		if what == "half" && v != "first" {
			t.Errorf("before the end came %q", v)
		}
	}
	ctx, cancel := context.WithTimeoutCause(context.Background(), 100*time.Millisecond, context.DeadlineExceeded)
	defer cancel()
	relay, err := s.Begin(ctx, Call{Program: ownHash, Bucket: b.URL(), Body: request("ignore")})
	if err != nil {
		t.Fatal(err)
	}
	var reply bytes.Buffer
	if err := relay.Pass(&reply); err != nil {
		t.Fatal(err)
	}
	_, _, err = readReply(NewReply(t.Context(), nopCloser{&reply}, ReplyOptions{}))
	if !errors.Is(err, backends.ErrTimeout) {
		t.Errorf("past its deadline: %v", err)
	}
}

// TestSlots: a call waits for a slot no longer than it may, and then nothing of it has run.
func TestSlots(t *testing.T) {
	t.Parallel()
	s, b := newSupervisor(t, Config{Slots: 1, Wait: 10 * time.Millisecond})
	ctx, cancel := context.WithCancel(t.Context())
	relay, err := s.Begin(ctx, Call{Program: ownHash, Bucket: b.URL(), Body: request("wait")})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := call(t.Context(), s, Call{Program: ownHash, Bucket: b.URL(), Body: request("")}); !errors.Is(err, backends.ErrThrottled) {
		t.Errorf("%v, want backends.ErrThrottled", err)
	}
	cancel()
	var reply bytes.Buffer
	if err := relay.Pass(&reply); err != nil {
		t.Error(err)
	}
	if v, _, err := call(t.Context(), s, Call{Program: ownHash, Bucket: b.URL(), Body: request("")}); v != "done" || err != nil {
		t.Errorf("after it: %q, %v", v, err)
	}
}

// TestCancel: a driver without a connection stops a call through the bucket.
func TestCancel(t *testing.T) {
	t.Parallel()
	s, b := newSupervisor(t, Config{Poll: 5 * time.Millisecond})
	relay, err := s.Begin(t.Context(), Call{ID: "one", Program: ownHash, Bucket: b.URL(), Body: request("wait")})
	if err != nil {
		t.Fatal(err)
	}
	if err := Cancel(t.Context(), b, "one"); err != nil {
		t.Fatal(err)
	}
	var reply bytes.Buffer
	if err := relay.Pass(&reply); err != nil { // it ends
		t.Error(err)
	}
	for o, err := range b.List(t.Context(), "canceled/") {
		t.Errorf("%s is left, %v", o.Key, err)
	}
}
