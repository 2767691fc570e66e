package supervisor

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/wire"
	"github.com/gowren/gowren/storage"
)

type nopCloser struct{ io.Reader }

func (nopCloser) Close() error { return nil }

// put stores bytes as a program and returns its hash.
func put(t *testing.T, b storage.Bucket, data []byte) string {
	t.Helper()
	var packed bytes.Buffer
	z, err := zstd.NewWriter(&packed)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Write(data); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(data)
	hash := hex.EncodeToString(sum[:])
	if err := errors.Join(z.Close(), b.Put(t.Context(), "programs/"+hash+".zst", &packed)); err != nil {
		t.Fatal(err)
	}
	return hash
}

// TestBeats: a silent reply says that it lives, and the driver's end leaves that out.
func TestBeats(t *testing.T) {
	t.Parallel()
	s, b := newSupervisor(t, Config{Beat: 10 * time.Millisecond})
	relay, err := s.Begin(t.Context(), Call{Program: ownHash, Bucket: b.URL(), Body: request("sleep")})
	if err != nil {
		t.Fatal(err)
	}
	var reply bytes.Buffer
	if err := relay.Pass(&reply); err != nil {
		t.Fatal(err)
	}
	beats := bytes.Count(reply.Bytes(), beatFrame)
	if beats < 1 {
		t.Errorf("%d heartbeats in 300 ms at one every 10", beats)
	}
	clean, err := io.ReadAll(NewReply(t.Context(), nopCloser{&reply}, ReplyOptions{}))
	if err != nil || bytes.Contains(clean, beatFrame) {
		t.Errorf("heartbeats come through, or %v", err)
	}
	if v, _, err := readReply(bytes.NewReader(clean)); v != "done" || err != nil {
		t.Errorf("%q, %v", v, err)
	}
}

// TestSilence: a worker of which nothing is heard is lost, long before its time is over; one that beats is not.
func TestSilence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		from, to := io.Pipe()
		defer to.Close()
		r := NewReply(t.Context(), from, ReplyOptions{Worker: "quiet", Silence: 20 * time.Second})
		defer r.Close()
		go func() {
			for range 20 {
				_, _ = to.Write(beatFrame) // the reader tells
				time.Sleep(5 * time.Second)
			}
			_, _ = to.Write(wire.AppendResult(nil, 0, []byte("last")))
		}()
		begun := time.Now()
		v, _, err := readReply(r)
		var lost *backends.LostError
		if v != "last" || !errors.As(err, &lost) || lost.Worker != "quiet" || !strings.Contains(err.Error(), "nothing was heard") {
			t.Errorf("%q, %v", v, err)
		}
		if took := time.Since(begun); took != 120*time.Second {
			t.Errorf("it was lost after %v", took)
		}
	})
}

// TestBrokenReplies: whatever comes in place of a reply, it is an error of the right class and never a shorter reply.
func TestBrokenReplies(t *testing.T) {
	t.Parallel()
	whole := wire.AppendEnd(wire.AppendResult(nil, 0, []byte("value")), wire.TypeEnd, &wire.End{Ran: 1})
	for n := range len(whole) {
		_, err := io.ReadAll(NewReply(t.Context(), nopCloser{bytes.NewReader(whole[:n])}, ReplyOptions{}))
		var lost *backends.LostError
		if !errors.As(err, &lost) {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
	}
	for i := range whole {
		changed := bytes.Clone(whole)
		changed[i] ^= 0x41
		if _, err := io.ReadAll(NewReply(t.Context(), nopCloser{bytes.NewReader(changed)}, ReplyOptions{})); err == nil {
			t.Fatalf("byte %d changed, and no error", i)
		}
	}
	old := bytes.Clone(whole)
	old[4] = wire.Version + 1
	if _, err := io.ReadAll(NewReply(t.Context(), nopCloser{bytes.NewReader(old)}, ReplyOptions{})); !errors.Is(err, backends.ErrInvalid) {
		t.Errorf("another version: %v", err)
	}
	if _, err := io.ReadAll(NewReply(t.Context(), nopCloser{bytes.NewReader(append(whole, whole...))}, ReplyOptions{})); !errors.Is(err, wire.ErrCorrupt) {
		t.Errorf("two replies: %v", err)
	}
	explained := errors.New("the page of a proxy")
	page := nopCloser{strings.NewReader("<html><body>Bad Gateway</body></html>")}
	if _, err := io.ReadAll(NewReply(t.Context(), page, ReplyOptions{Explain: func(error) error { return explained }})); !errors.Is(err, explained) {
		t.Errorf("a page: %v", err)
	}
}

// TestLosses: a class of error survives the way.
func TestLosses(t *testing.T) {
	t.Parallel()
	for _, want := range []error{backends.ErrThrottled, backends.ErrInvalid, backends.ErrRefused, backends.ErrOutOfMemory, backends.ErrTimeout} {
		inside := want
		if errors.Is(want, backends.ErrOutOfMemory) || errors.Is(want, backends.ErrTimeout) {
			inside = &backends.LostError{Worker: "w", Cause: want, Ran: time.Second, Output: "last line"}
		}
		frame := wire.AppendLost(nil, Loss("super", inside, 0))
		_, err := io.ReadAll(NewReply(t.Context(), nopCloser{bytes.NewReader(frame)}, ReplyOptions{}))
		if !errors.Is(err, want) {
			t.Errorf("%v became %v", want, err)
		}
		var lost, sent *backends.LostError
		if errors.As(inside, &sent) && (!errors.As(err, &lost) || lost.Worker != "w" || lost.Ran != time.Second || lost.Output != "last line") {
			t.Errorf("%+v became %+v", sent, lost)
		}
	}
}

func TestReplyEnds(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	from, to := io.Pipe()
	defer to.Close()
	done := 0
	r := NewReply(ctx, from, ReplyOptions{Done: func() { done++ }})
	cancel()
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, context.Canceled) {
		t.Errorf("Read: %v", err)
	}
	if err := errors.Join(r.Close(), r.Close()); err != nil || done != 1 {
		t.Errorf("%v, done %d times", err, done)
	}
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Read after Close: %v", err)
	}
}

func TestGate(t *testing.T) {
	t.Parallel()
	g := NewGate("here", 1)
	inside, leave, err := g.Enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	if _, _, err := g.Enter(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a second one: %v", err)
	}
	leave()
	leave()
	if inside.Err() == nil {
		t.Error("the context lives on")
	}
	inside, leave, err = g.Enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	g.Close()
	<-inside.Done()
	if !errors.Is(context.Cause(inside), backends.ErrInvalid) {
		t.Error(context.Cause(inside))
	}
	leave()
	if _, _, err := g.Enter(t.Context()); !errors.Is(err, backends.ErrInvalid) {
		t.Errorf("after Close: %v", err)
	}
}

// TestEvict: programs that are no longer used make room for others.
func TestEvict(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, b := newSupervisor(t, Config{Programs: dir})
	for i := range 8 {
		hash := put(t, b, []byte("#!/bin/sh\nexit "+string(rune('0'+i))+"\n"))
		_, _, _ = call(t.Context(), s, Call{Program: hash, Bucket: b.URL(), Body: request("")}) // it is lost
		if _, err := os.Stat(filepath.Join(dir, hash)); err != nil {
			t.Error(err)
		}
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) > 3 {
		t.Errorf("%d files are kept, %v", len(files), err)
	}
}

// TestSlowReader: a caller that takes its time is no silence of the worker, and neither is a frame that comes slowly.
func TestSlowReader(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		from, to := io.Pipe()
		go func() {
			for _, b := range wire.AppendEnd(wire.AppendResult(nil, 0, []byte("value")), wire.TypeEnd, &wire.End{Ran: 1}) {
				_, _ = to.Write([]byte{b}) // the reader tells
				time.Sleep(3 * time.Second)
			}
			_ = to.Close()
		}()
		r := NewReply(t.Context(), from, ReplyOptions{Silence: 20 * time.Second})
		defer r.Close()
		var frames wire.Reader
		frames.Reset(r)
		for range 2 {
			if _, _, err := frames.Next(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Minute)
		}
		if _, _, err := frames.Next(); err != io.EOF {
			t.Error(err)
		}
	})
}

// TestBroken: who carries a reply hears that its connection broke, and not of what the supervisor told.
func TestBroken(t *testing.T) {
	t.Parallel()
	told := wire.AppendLost(nil, Loss("super", errors.New("it crashed"), 0))
	for name, c := range map[string]struct {
		data   []byte
		broken int
	}{"told": {told, 0}, "cut": {told[:5], 1}} {
		broken := 0
		_, _ = io.ReadAll(NewReply(t.Context(), nopCloser{bytes.NewReader(c.data)}, ReplyOptions{Broken: func() { broken++ }}))
		if broken != c.broken {
			t.Errorf("%s: told of %d times", name, broken)
		}
	}
}

// slow is a bucket whose reads wait.
type slow struct {
	storage.Bucket
	wait <-chan struct{}
}

func (s slow) Get(ctx context.Context, key string, off, n int64) (io.ReadCloser, error) {
	<-s.wait
	return s.Bucket.Get(ctx, key, off, n)
}

// TestEvictWhileFetching: a program whose callers have gone is not forgotten in the middle of its fetch.
func TestEvictWhileFetching(t *testing.T) {
	t.Parallel()
	s, b := newSupervisor(t, Config{Programs: t.TempDir()})
	wait := make(chan struct{})
	s.programs.bucket = func(context.Context) (storage.Bucket, error) { return slow{b, wait}, nil }
	hash := func(i int) string { return put(t, b, []byte("#!/bin/sh\nexit "+string(rune('0'+i))+"\n")) }
	for i := range 6 {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, _, err := s.programs.find(ctx, hash(i)); !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	close(wait)
	for i := range 6 {
		path, release, err := s.programs.find(t.Context(), hash(i))
		if err != nil {
			t.Fatalf("program %d: %v", i, err)
		}
		if _, err := os.Stat(path); err != nil {
			t.Error(err)
		}
		release()
	}
}

// TestFolders: what a killed supervisor has left is removed, and what another one uses is not.
func TestFolders(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	left := filepath.Join(os.TempDir(), folderPattern+"1")
	hourAgo := time.Now().Add(-time.Hour)
	if err := errors.Join(os.Mkdir(left, 0o700), os.Chtimes(left, hourAgo, hourAgo)); err != nil {
		t.Fatal(err)
	}
	first, err := makeFolder()
	if err != nil {
		t.Fatal(err)
	}
	second, err := makeFolder()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); err == nil {
		t.Error("what was left is still there")
	}
	if _, err := os.Stat(first.path); err != nil {
		t.Error(err)
	}
	if err := os.Chtimes(first.path, hourAgo, hourAgo); err != nil {
		t.Fatal(err)
	}
	third, err := makeFolder()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(first.path); err != nil {
		t.Errorf("a folder in use was removed: %v", err)
	}
	if err := errors.Join(first.close(), second.close(), third.close()); err != nil {
		t.Error(err)
	}
}
