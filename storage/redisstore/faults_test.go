package redisstore

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gowren/gowren/internal/servers"
	"github.com/gowren/gowren/storage"
)

// linked opens an empty bucket whose connections fail by rule. The second one has no faults.
func linked(t *testing.T) (faulty, sound *bucket, link *servers.Link) {
	addr := server(t)
	link = servers.NewLink(t, addr)
	url := freshURL(t, addr)
	return opened(t, strings.Replace(url, addr, link.Addr, 1)).(*bucket), opened(t, url).(*bucket), link
}

// TestLostConnections makes one attempt fail, and then lets Retry overcome it.
func TestLostConnections(t *testing.T) {
	t.Parallel()
	b, sound, link := linked(t)
	b.part, sound.part = 70_000, 70_000
	ctx, want := t.Context(), text(200_000)
	retried := storage.Retry(b, storage.RetryPolicy{Base: time.Millisecond})
	put(t, sound, "k", want)
	if _, err := b.Stat(ctx, "k"); err != nil { // the connection is there
		t.Fatal(err)
	}
	ops := map[string]struct {
		sent string // by the request that fails
		do   func(storage.Bucket) error
	}{
		"put":       {"evalsha", func(b storage.Bucket) error { return b.Put(ctx, "new", strings.NewReader("x")) }},
		"put large": {"gowren:p:", func(b storage.Bucket) error { return b.Put(ctx, "k", strings.NewReader(want)) }},
		"commit":    {"evalsha", func(b storage.Bucket) error { return b.Put(ctx, "k", strings.NewReader(want)) }},
		"stat":      {"getrange", func(b storage.Bucket) error { _, err := b.Stat(ctx, "k"); return err }},
		"delete":    {"evalsha", func(b storage.Bucket) error { return b.Delete(ctx, "gone") }},
		"list": {"evalsha", func(b storage.Bucket) (err error) {
			for _, err = range b.List(ctx, "") {
			}
			return err
		}},
		"get": {"getrange", func(b storage.Bucket) error { return wantRead(ctx, b, "k", want) }},
		"get amid": {"gowren:p:", func(b storage.Bucket) error {
			return wantRead(ctx, b, "k", want)
		}},
	}
	for name, op := range ops {
		for fault, rule := range map[string]servers.LinkRule{
			"reset": {Fault: servers.Reset}, "lose": {Fault: servers.Lose}, "cut": {Fault: servers.Cut, At: 1},
		} {
			rule.Sent, rule.Nth = op.sent, 1
			link.Set(rule)
			err := op.do(b)
			var e *storage.Error
			if !errors.As(err, &e) {
				t.Errorf("%s, %s: error %v, want one attempt that fails", name, fault, err)
			}
			for _, known := range []error{fs.ErrNotExist, fs.ErrExist, fs.ErrPermission, fs.ErrInvalid, fs.ErrClosed, storage.ErrThrottled, storage.ErrChanged} {
				if errors.Is(err, known) {
					t.Errorf("%s, %s: %v is %v", name, fault, err, known)
				}
			}
			link.Set(rule)
			if err := op.do(retried); err != nil {
				t.Errorf("%s, %s, tried again: %v", name, fault, err)
			}
		}
	}
	if err := wantRead(ctx, sound, "k", want); err != nil {
		t.Error(err)
	}
}

// wantRead reads an object and compares.
func wantRead(ctx context.Context, b storage.Bucket, key, want string) error {
	got, err := read(ctx, b, key, 0, -1)
	if err == nil && got != want {
		return errors.New("other bytes")
	}
	return err
}

// TestLostReply has a PutNew win without knowing.
func TestLostReply(t *testing.T) {
	t.Parallel()
	for _, size := range []int{10, 100_000} {
		b, sound, link := linked(t)
		ctx, data := t.Context(), text(size)
		if _, err := b.Stat(ctx, "k"); !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		put(t, b, "warm", "the script is known")
		lose := servers.LinkRule{Sent: "evalsha", Nth: 1, Fault: servers.Lose}
		link.Set(lose)
		if err := b.PutNew(ctx, "k", strings.NewReader(data)); err == nil || errors.Is(err, fs.ErrExist) {
			t.Errorf("%d bytes: error %v, want one that leaves it open", size, err)
		}
		if err := wantRead(ctx, sound, "k", data); err != nil {
			t.Errorf("%d bytes: %v", size, err)
		}
		link.Set(lose)
		retried := storage.Retry(b, storage.RetryPolicy{Base: time.Millisecond})
		if err := retried.PutNew(ctx, "other", strings.NewReader(data)); err != nil {
			t.Errorf("%d bytes, tried again: %v", size, err)
		}
		if err := wantRead(ctx, sound, "other", data); err != nil {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

// TestStalls has operations end with their context, and not with a timeout of their own.
func TestStalls(t *testing.T) {
	t.Parallel()
	b, sound, link := linked(t)
	put(t, sound, "k", text(3<<20))
	link.Set(servers.LinkRule{Fault: servers.StallAt, Sent: "gowren:p:", At: 1000}, servers.LinkRule{Fault: servers.Stall, Sent: "evalsha"})
	for name, do := range map[string]func(ctx context.Context) error{
		"put": func(ctx context.Context) error { return b.Put(ctx, "k", strings.NewReader("new")) },
		"get": func(ctx context.Context) error { _, err := read(ctx, b, "k", 0, -1); return err },
		"list": func(ctx context.Context) (err error) {
			for _, err = range b.List(ctx, "") {
			}
			return err
		},
	} {
		begun := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		if err := do(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s with a deadline: %v", name, err)
		}
		cancel()
		ctx, cancel = context.WithCancel(t.Context())
		timer := time.AfterFunc(100*time.Millisecond, cancel)
		if err := do(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s, canceled: %v", name, err)
		}
		timer.Stop()
		if took := time.Since(begun); took > ioTimeout/2 {
			t.Errorf("%s took %v", name, took)
		}
	}
	link.Set()
	if err := wantRead(t.Context(), b, "k", text(3<<20)); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

// TestNoServer names the host, and finds the server when it is back.
func TestNoServer(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	b := opened(t, "redis://"+addr)
	for range 2 * connections {
		_, err := b.Stat(t.Context(), "k")
		if !errors.Is(err, syscall.ECONNREFUSED) || !strings.Contains(err.Error(), addr) || errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("error %v, want a refused connection to %s", err, addr)
		}
	}
	if l, err = net.Listen("tcp", addr); err != nil {
		t.Skip("another has taken the port")
	}
	defer l.Close()
	go answer(l, "-LOADING of the data goes on\r\n")
	if _, err := b.Stat(t.Context(), "k"); !errors.Is(err, storage.ErrThrottled) {
		t.Errorf("when the server is back: %v", err)
	}
}

// answer serves connections with one and the same answer to all requests, until the listener is closed.
func answer(l net.Listener, line string) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			r := bufio.NewReader(conn)
			for {
				request, err := request(r)
				if err != nil {
					return
				}
				said := line
				if line == echoing {
					said = fmt.Sprintf("-ERR unknown command, with args %q\r\n", request)
				}
				_, _ = io.WriteString(conn, said)
			}
		}()
	}
}

// echoing makes a server that repeats what it was sent.
const echoing = ""

// request reads one: *, the number of words and, for each, $, its length, and itself, on lines of their own.
func request(r *bufio.Reader) (words []string, err error) {
	number := func() (n int) {
		line, e := r.ReadString('\n')
		if e == nil {
			n, e = strconv.Atoi(strings.TrimSpace(line[1:]))
		}
		err = errors.Join(err, e)
		return n
	}
	for range number() {
		word := make([]byte, number()+2)
		if _, e := io.ReadFull(r, word); e != nil || err != nil {
			return nil, errors.Join(err, e)
		}
		words = append(words, string(word[:len(word)-2]))
	}
	return words, err
}

// TestOwnTimeout tells a timeout of the client library from the end of the caller's context.
func TestOwnTimeout(t *testing.T) {
	t.Parallel()
	b := whole(t)
	err := b.explain(t.Context(), fmt.Errorf("dial: %w", context.DeadlineExceeded))
	if errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "dial") {
		t.Errorf("a timeout: %v", err)
	}
	ctx, cancel := context.WithDeadline(t.Context(), time.Now())
	defer cancel()
	if err := b.explain(ctx, io.ErrUnexpectedEOF); !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("the context's end: %v", err)
	}
}

// TestClosed uses a bucket after its end.
func TestClosed(t *testing.T) {
	t.Parallel()
	b := whole(t)
	put(t, b, "k", "x")
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Stat(t.Context(), "k"); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Stat: %v", err)
	}
	sub := opened(t, b.URL()+"/below")
	put(t, sub, "k", "x")
	if err := sub.Close(); err != nil {
		t.Fatal(err)
	}
	if err := sub.Put(t.Context(), "k", strings.NewReader("x")); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Put below a prefix: %v", err)
	}
}
