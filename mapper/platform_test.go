package mapper_test

import (
	"context"
	"errors"
	"io/fs"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/inproc"
	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/memstore"
	"github.com/gowren/gowren/storage/storagetest"
)

// platform is a backend that has something to warm, to destroy and to check.
type platform struct {
	backends.Backend
	limits backends.Limits
	warm   int
	gone   string // the bucket for which it was destroyed
	fail   error
	found  []backends.Finding
}

func (p *platform) Limits() backends.Limits {
	l := p.Backend.Limits()
	l.MaxDuration, l.MaxReply = p.limits.MaxDuration, p.limits.MaxReply
	l.PricePerSecond, l.PricePerRequest = p.limits.PricePerSecond, p.limits.PricePerRequest
	return l
}

func (p *platform) Prewarm(_ context.Context, n int) error { p.warm += n; return p.fail }
func (p *platform) Destroy(_ context.Context, bucket string) error {
	p.gone = bucket
	return p.fail
}
func (p *platform) Check(context.Context, backends.Deployment) []backends.Finding {
	return p.found
}

func onPlatform(t *testing.T, p *platform) *mapper.Executor {
	t.Helper()
	p.Backend = inproc.New(2)
	ex, err := mapper.New(t.Context(), p, memstore.New(), mapper.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ex.Close() })
	return ex
}

func TestPrewarmAndDestroy(t *testing.T) {
	t.Parallel()
	p := &platform{}
	ex := onPlatform(t, p)
	if err := errors.Join(ex.Prewarm(t.Context(), 7), ex.Prewarm(t.Context(), 0), ex.Destroy(t.Context())); err != nil || p.warm != 7 || !strings.HasPrefix(p.gone, "mem://") {
		t.Errorf("%v; %d warmed, destroyed: %q", err, p.warm, p.gone)
	}
	p.fail = errors.New("no such region")
	mentions(t, ex.Prewarm(t.Context(), 1), "prewarm 1 workers", "no such region")
	mentions(t, ex.Destroy(t.Context()), "destroy", "no such region")

	plain, err := mapper.Open(t.Context(), mapper.Config{Backend: "inproc", Storage: "mem://plain"})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(plain.Prewarm(t.Context(), 3), plain.Destroy(t.Context()), plain.Close()); err != nil {
		t.Errorf("a backend without a platform: %v", err)
	}
	mentions(t, (&mapper.Executor{}).Prewarm(t.Context(), 1), "zero Executor")
	mentions(t, (&mapper.Executor{}).Destroy(t.Context()), "zero Executor")
}

// TestDestroyUnopened: what is left on a platform goes though an executor cannot be opened there.
func TestDestroyUnopened(t *testing.T) {
	t.Parallel()
	p := &platform{Backend: inproc.New(1), fail: errors.New("no such role")}
	var closed atomic.Bool
	backends.Register("unopened", func(context.Context, *url.URL) (backends.Backend, error) { return closing{p, &closed}, nil })
	c := mapper.Config{Backend: "unopened", Storage: "mem://unopened"}
	mentions(t, mapper.Destroy(t.Context(), c), "destroy", "no such role")
	if p.gone != "mem://unopened" || !closed.Load() {
		t.Errorf("destroyed: %q, closed: %v", p.gone, closed.Load())
	}
	p.fail = nil
	if err := mapper.Destroy(t.Context(), c); err != nil {
		t.Error(err)
	}
	mentions(t, mapper.Destroy(t.Context(), mapper.Config{Backend: "nowhere"}), "destroy", "nowhere")
	mentions(t, mapper.Destroy(t.Context(), mapper.Config{Backend: "unopened", Storage: "nowhere://"}), "destroy", "nowhere")
	if err := mapper.Destroy(t.Context(), mapper.Config{Backend: "inproc", Storage: "mem://unopened"}); err != nil {
		t.Errorf("a backend without a platform: %v", err)
	}
}

// closing notes that a platform is closed.
type closing struct {
	*platform
	closed *atomic.Bool
}

func (c closing) Close() error { c.closed.Store(true); return c.platform.Close() }

// TestMaxReply: a reply is no longer than the backend is good for, however large the batch; the rest travels by the bucket.
func TestMaxReply(t *testing.T) {
	t.Parallel()
	c := &counted{Bucket: memstore.New()}
	p := &platform{Backend: inproc.New(1), limits: backends.Limits{MaxReply: 5000}}
	ex, err := mapper.New(t.Context(), p, c, mapper.Options{BatchSize: 20})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ex.Close() })
	const each = 1000
	got, err := mapper.Map(t.Context(), ex, sized, slices.Repeat([]int{each}, 20))
	if err != nil || len(got) != 20 || slices.ContainsFunc(got, func(s string) bool { return len(s) != each }) {
		t.Fatalf("%d results, %v", len(got), err)
	}
	// One batch has one task alone, to learn how long they take.
	if puts, gets := c.count("put", "/out/"), c.count("get", "/out/"); puts < 10 || puts > 16 || gets != puts {
		t.Errorf("%d results went to the bucket, and %d were read there, want 20 less four a reply", puts, gets)
	}
}

var sized = mapper.Func("test/sized", func(_ context.Context, n int) (string, error) { return strings.Repeat("x", n), nil })

// TestImpossible: what the backend can never do is refused before anything is sent.
func TestImpossible(t *testing.T) {
	t.Parallel()
	ex := onPlatform(t, &platform{limits: backends.Limits{MaxDuration: 220 * time.Second}})
	for name, o := range map[string]mapper.Options{
		"Options.Timeout":  {Timeout: 221 * time.Second},
		"Options.Detached": {Detached: true},
	} {
		_, err := mapper.Map(t.Context(), ex.With(o), zeroSquare, []int{1})
		if !errors.Is(err, backends.ErrInvalid) {
			t.Errorf("%v, want backends.ErrInvalid", err)
		}
		mentions(t, err, name)
	}
	if _, err := mapper.Map(t.Context(), ex.With(mapper.Options{Timeout: 220 * time.Second}), zeroSquare, []int{1}); errors.Is(err, backends.ErrInvalid) {
		t.Error(err)
	}
}

// TestCheckStorage: where the bucket cannot be used, nothing is made for it.
func TestCheckStorage(t *testing.T) {
	t.Parallel()
	p := &platform{Backend: inproc.New(1), found: []backends.Finding{{What: "function"}}}
	backends.Register("checked", func(context.Context, *url.URL) (backends.Backend, error) { return p, nil })
	storage.Register("unchecked", func(context.Context, *url.URL) (storage.Bucket, error) {
		return named{storagetest.Faults(memstore.New(), storagetest.Rule{Op: "putnew", Before: fs.ErrPermission}), "az://unchecked"}, nil
	})
	found := mapper.Check(t.Context(), mapper.Config{Backend: "checked", Storage: "unchecked://"})
	if len(found) != 1 || !errors.Is(found[0].Err, fs.ErrPermission) || !strings.Contains(found[0].Remedy, "az login") {
		t.Errorf("%+v", found)
	}
	if found = mapper.Check(t.Context(), mapper.Config{Backend: "checked", Storage: "mem://checked"}); len(found) != 2 || found[1].What != "function" {
		t.Errorf("%+v", found)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good := mapper.Check(t.Context(), mapper.Config{Backend: "local://?workers=2", Storage: "file://" + dir})
	for _, f := range good {
		if f.Err != nil {
			t.Errorf("%+v", f)
		}
	}
	if len(good) != 2 || !strings.Contains(good[0].What, dir) || good[1].What != "workers" {
		t.Errorf("findings %+v", good)
	}
	for _, c := range []struct {
		config mapper.Config
		words  string
	}{
		{mapper.Config{Backend: "nowhere", Storage: "mem://check"}, "unknown backend"},
		{mapper.Config{Backend: "local", Storage: "nowhere://x"}, "nowhere"},
		{mapper.Config{Backend: "local", Storage: "mem://check"}, "lives in this process"},
		{mapper.Config{Backend: "local", Storage: "file://" + dir, Program: dir + "/none"}, "none"},
	} {
		var said []string
		for _, f := range mapper.Check(t.Context(), c.config) {
			if f.Err != nil {
				said = append(said, f.Err.Error())
			}
		}
		if !strings.Contains(strings.Join(said, "\n"), c.words) {
			t.Errorf("%+v: findings %q, want %q among them", c.config, said, c.words)
		}
	}
}
