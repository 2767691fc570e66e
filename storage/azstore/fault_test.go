package azstore

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gowren/gowren/internal/servers"
	"github.com/gowren/gowren/storage"
)

// refused is an answer of the service's.
func refused(status int, code string) servers.Rule {
	return servers.Rule{
		Fault: servers.Answer, Status: status,
		Header: http.Header{"X-Ms-Error-Code": {code}, "X-Ms-Request-Id": {"request-7"}, "Content-Type": {"application/xml"}},
		Body: fmt.Sprintf("\ufeff<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>%s</Code><Message>Words of the service.\n"+
			"RequestId:request-7\nTime:2026-01-02T03:04:05.0000000Z</Message><AuthenticationErrorDetail>signed what</AuthenticationErrorDetail></Error>", code),
	}
}

func fault(f servers.Fault, at int64) servers.Rule { return servers.Rule{Fault: f, At: at} }

// on makes a rule for the requests of a kind.
func on(k kind, r servers.Rule) servers.Rule {
	r.Method = [kinds]string{kindPut: "PUT", kindGet: "GET", kindList: "GET", kindDelete: "DELETE", kindHead: "HEAD", kindPart: "PUT"}[k]
	r.URL = regexp.MustCompile([kinds]string{
		kindPut: `/k[^?]*($|\?comp=blocklist)`, kindGet: `/k`, kindList: `comp=list`, kindDelete: `/k`, kindHead: `/k`, kindPart: `comp=block$`,
	}[k])
	return r
}

func nth(n int, r servers.Rule) servers.Rule {
	r.Nth = n
	return r
}

// quick is what programs use, with short pauses.
func quick(b storage.Bucket) storage.Bucket {
	return storage.Retry(b, storage.RetryPolicy{Base: time.Millisecond})
}

// storeAndRead puts an object by the operation, and reads it back where that went well.
func storeAndRead(ctx context.Context, b storage.Bucket, op string, size int) error {
	want := pattern(size)
	store := b.Put
	if op == "putnew" {
		store = b.PutNew
	}
	if err := store(ctx, "k", strings.NewReader(want)); err != nil {
		return err
	}
	if got, err := get(ctx, b, "k", 0, -1); err != nil || got != want {
		return fmt.Errorf("read %d bytes of %d: %w", len(got), size, err)
	}
	return nil
}

// TestWriteFaults has a request for an object, or a part of one, fail once.
func TestWriteFaults(t *testing.T) {
	t.Parallel()
	busy := refused(503, "ServerBusy")
	any := errors.New("any error")
	for name, c := range map[string]struct {
		op   string
		size int
		rule servers.Rule
		err  error // without storage.Retry; nil where the SDK's retries are enough
	}{
		"put busy":            {"put", 100, on(kindPut, busy), nil},
		"put reset":           {"put", 100, on(kindPut, fault(servers.Reset, 0)), nil},
		"put lost":            {"put", 100, on(kindPut, fault(servers.Lose, 0)), nil},
		"put damaged":         {"put", 100, on(kindPut, fault(servers.FlipRequest, 50)), any},
		"putnew busy":         {"putnew", 100, on(kindPut, busy), storage.ErrThrottled},
		"putnew 429":          {"putnew", 100, on(kindPut, refused(429, "TooManyRequests")), storage.ErrThrottled},
		"putnew 500":          {"putnew", 100, on(kindPut, refused(500, "InternalError")), any},
		"putnew reset":        {"putnew", 100, on(kindPut, fault(servers.Reset, 0)), any},
		"putnew lost":         {"putnew", 100, on(kindPut, fault(servers.Lose, 0)), any},
		"putnew damaged":      {"putnew", 100, on(kindPut, fault(servers.FlipRequest, 0)), any},
		"large put lost":      {"put", 9 * mib, on(kindPut, fault(servers.Lose, 0)), nil},
		"large putnew busy":   {"putnew", 9 * mib, on(kindPut, busy), storage.ErrThrottled},
		"large putnew lost":   {"putnew", 9 * mib, on(kindPut, fault(servers.Lose, 0)), any},
		"part busy":           {"putnew", 20 * mib, nth(2, on(kindPart, busy)), nil},
		"part reset":          {"putnew", 20 * mib, nth(2, on(kindPart, fault(servers.Reset, 0))), nil},
		"part lost":           {"put", 20 * mib, nth(3, on(kindPart, fault(servers.Lose, 0))), nil},
		"part damaged":        {"putnew", 20 * mib, nth(2, on(kindPart, fault(servers.FlipRequest, 3*mib))), any},
		"commit list damaged": {"put", 20 * mib, on(kindPut, fault(servers.FlipRequest, 120)), any},
		"head lost":           {"putnew", 9 * mib, on(kindHead, fault(servers.Reset, 0)), nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.rule.Nth == 0 {
				c.rule.Nth = 1
			}
			for _, retried := range []bool{false, true} {
				b, p := fresh(t, c.rule)
				whole := storage.Bucket(b)
				if retried {
					whole = quick(b)
				}
				err := storeAndRead(t.Context(), whole, c.op, c.size)
				switch {
				case err != nil && (retried || c.err == nil), err == nil && !retried && c.err != nil:
					t.Errorf("retried %v: %v", retried, err)
				case err != nil && c.err != any && !errors.Is(err, c.err):
					t.Errorf("%v, want %v", err, c.err)
				case err != nil && c.err == any && (errors.Is(err, fs.ErrExist) || errors.Is(err, storage.ErrThrottled)):
					t.Errorf("%v is of no kind", err)
				case err != nil && !errors.As(err, new(*storage.Error)):
					t.Errorf("%v is no *storage.Error", err)
				}
				if err == nil && c.err == nil && b.Stats().Retries == 0 {
					t.Errorf("no retry was counted; seen: %q", p.Seen())
				}
			}
		})
	}
}

// TestReadFaults has a request that changes nothing fail once.
func TestReadFaults(t *testing.T) {
	t.Parallel()
	busy := refused(503, "ServerBusy")
	const size = 14 * mib
	read := func(ctx context.Context, b storage.Bucket) error {
		if got, err := get(ctx, b, "k", 0, -1); err != nil || got != pattern(size) {
			return fmt.Errorf("read %d bytes of %d: %w", len(got), size, err)
		}
		return nil
	}
	stat := func(ctx context.Context, b storage.Bucket) error {
		o, err := b.Stat(ctx, "k")
		if err == nil && o.Size != size {
			return fmt.Errorf("the size is %d", o.Size)
		}
		return err
	}
	list := func(ctx context.Context, b storage.Bucket) error {
		n := 0
		for _, err := range b.List(ctx, "") {
			if err != nil {
				return err
			}
			n++
		}
		if n != 251 {
			return fmt.Errorf("%d keys are listed", n)
		}
		return nil
	}
	s := servers.Azure(t)
	container := newContainer(t, s)
	direct := opened(t, address(s, s.Endpoint, container), variables(keyVariable, s.Key))
	if err := direct.Put(t.Context(), "k", strings.NewReader(pattern(size))); err != nil {
		t.Fatal(err)
	}
	for i := range 250 { // and k: three pages
		if err := direct.Put(t.Context(), fmt.Sprint("l/", i), strings.NewReader("x")); err != nil {
			t.Fatal(err)
		}
	}
	for name, c := range map[string]struct {
		do      func(context.Context, storage.Bucket) error
		rule    servers.Rule
		needsIt bool // storage.Retry
	}{
		"get busy":           {read, nth(1, on(kindGet, busy)), false},
		"get reset":          {read, nth(1, on(kindGet, fault(servers.Reset, 0))), false},
		"get cut":            {read, nth(1, on(kindGet, fault(servers.Cut, mib))), false},
		"get cut at once":    {read, nth(1, on(kindGet, fault(servers.Cut, 0))), false},
		"get damaged":        {read, nth(1, on(kindGet, fault(servers.FlipAnswer, 4*mib-1))), false},
		"later part busy":    {read, nth(3, on(kindGet, busy)), false},
		"later part cut":     {read, nth(3, on(kindGet, fault(servers.Cut, 100))), false},
		"later part damaged": {read, nth(4, on(kindGet, fault(servers.FlipAnswer, 0))), false},
		"stat busy":          {stat, nth(1, on(kindHead, busy)), false},
		"stat reset":         {stat, nth(1, on(kindHead, fault(servers.Reset, 0))), false},
		"list busy":          {list, nth(2, on(kindList, busy)), false},
		"list cut":           {list, nth(2, on(kindList, fault(servers.Cut, 1000))), true},
		"list cut at once":   {list, nth(1, on(kindList, fault(servers.Cut, 0))), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, retried := range []bool{false, true} {
				p := servers.NewProxy(t, s.Endpoint, c.rule)
				b := opened(t, address(s, p.URL, container), variables(keyVariable, s.Key))
				whole := storage.Bucket(b)
				if retried {
					whole = quick(b)
				}
				if err := c.do(t.Context(), whole); (err != nil) != (c.needsIt && !retried) {
					t.Errorf("retried %v: %v", retried, err)
				}
				if !c.needsIt && b.Stats().Retries == 0 {
					t.Errorf("no retry was counted; seen: %q", p.Seen())
				}
			}
		})
	}
}

// TestDeleteFaults loses the answer to a delete, and has keys of a batch fail.
func TestDeleteFaults(t *testing.T) {
	t.Parallel()
	b, p := fresh(t)
	keys := make([]string, 40)
	for i := range keys {
		keys[i] = fmt.Sprint("k", i)
		if err := b.Put(t.Context(), keys[i], strings.NewReader("x")); err != nil {
			t.Fatal(err)
		}
	}
	p.Set(nth(5, on(kindDelete, fault(servers.Lose, 0))))
	if err := b.Delete(t.Context(), keys[:20]...); err != nil {
		t.Error(err)
	}
	no := refused(409, "BlobImmutableDueToPolicy")
	no.URL = regexp.MustCompile(`/k2[57]$`)
	p.Set(no)
	err := b.Delete(t.Context(), keys[20:]...)
	e := new(storage.Error)
	if !errors.As(err, &e) || e.Key != "k25" || !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), `"k27"`) {
		t.Errorf("%v", err)
	}
	p.Set()
	left := 0
	for _, err := range b.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		left++
	}
	if left != 2 {
		t.Errorf("%d keys are left", left)
	}
}

// TestAlways has a fault that does not pass: it ends, and with the right error.
func TestAlways(t *testing.T) {
	t.Parallel()
	b, p := fresh(t)
	if err := storeAndRead(t.Context(), b, "put", 9*mib); err != nil {
		t.Fatal(err)
	}
	ops := map[string]func(context.Context) error{
		"get":    func(ctx context.Context) error { _, err := get(ctx, b, "k", 0, -1); return err },
		"stat":   func(ctx context.Context) error { _, err := b.Stat(ctx, "k"); return err },
		"put":    func(ctx context.Context) error { return b.Put(ctx, "k", strings.NewReader("x")) },
		"putnew": func(ctx context.Context) error { return b.PutNew(ctx, "kk", strings.NewReader("x")) },
		"delete": func(ctx context.Context) error { return b.Delete(ctx, "k") },
		"large":  func(ctx context.Context) error { return b.Put(ctx, "k", strings.NewReader(pattern(20*mib))) },
		"list": func(ctx context.Context) error {
			for _, err := range b.List(ctx, "") {
				return err
			}
			return nil
		},
	}
	for op, do := range ops {
		p.Set(refused(503, "ServerBusy"))
		before := len(p.Seen())
		if err := do(t.Context()); !errors.Is(err, storage.ErrThrottled) {
			t.Errorf("%s of a busy store: %v", op, err)
		}
		if n, one := len(p.Seen())-before, op == "putnew"; one && n != 1 || !one && n < 4 || n > 16 {
			t.Errorf("%s of a busy store: %d requests", op, n)
		}
		p.Set(fault(servers.Stall, 0))
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		if err := do(ctx); !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, new(*storage.Error)) {
			t.Errorf("%s of a store that does not answer: %v", op, err)
		}
		cancel()
	}
	for name, c := range map[string]struct {
		rule servers.Rule
		err  error
	}{
		"damaged": {fault(servers.FlipAnswer, 17), storage.ErrDamaged},
		"cut":     {fault(servers.Cut, 17), nil},
		"stall":   {fault(servers.StallAt, 17), context.DeadlineExceeded},
	} {
		p.Set(c.rule)
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		got, err := get(ctx, b, "k", 0, -1)
		if err == nil || got != "" || c.err != nil && !errors.Is(err, c.err) || c.err == nil && ctx.Err() != nil {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
		cancel()
	}
}
