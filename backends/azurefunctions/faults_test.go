package azurefunctions_test

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/azurefunctions"
	"github.com/gowren/gowren/internal/servers/azfunc"
	"github.com/gowren/gowren/mapper"
)

// TestFaults runs jobs while something goes wrong that another attempt mends.
func TestFaults(t *testing.T) {
	t.Parallel()
	cases := map[string]func(f *azfunc.Faults) *atomic.Int32{
		"throttled":       func(f *azfunc.Faults) *atomic.Int32 { return &f.Throttled },
		"full":            func(f *azfunc.Faults) *atomic.Int32 { return &f.Full },
		"a proxy's page":  func(f *azfunc.Faults) *atomic.Int32 { return &f.Page },
		"host fails":      func(f *azfunc.Faults) *atomic.Int32 { return &f.Unavailable },
		"connection lost": func(f *azfunc.Faults) *atomic.Int32 { return &f.Reset },
		"reply lost":      func(f *azfunc.Faults) *atomic.Int32 { return &f.Lost },
		"sent twice":      func(f *azfunc.Faults) *atomic.Int32 { return &f.Doubled },
		"worker killed":   func(f *azfunc.Faults) *atomic.Int32 { return &f.Killed },
	}
	for name, fault := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := azfunc.Start(t, azfunc.Options{Instances: azurefunctions.Instances})
			b, bucket := open(t, config(s)), folder(t)
			ex, err := mapper.New(t.Context(), b, bucket, mapper.Options{Quiet: true})
			if err != nil {
				t.Fatal(err)
			}
			defer ex.Close()
			n := fault(&s.Faults)
			n.Store(2)
			got, err := mapper.Map(t.Context(), ex, double, []int{1, 2, 3, 4, 5, 6, 7, 8})
			if err != nil {
				t.Fatal(err)
			}
			for i := range got {
				if got[i] != 2*(i+1) {
					t.Errorf("result %d is %d", i, got[i])
				}
			}
			if left := n.Load(); left != 0 {
				t.Errorf("%d of the faults met no request", left)
			}
		})
	}
}

// TestColdStart waits for instances that take their time.
func TestColdStart(t *testing.T) {
	t.Parallel()
	s := azfunc.Start(t, azfunc.Options{Instances: azurefunctions.Instances})
	s.Faults.SetColdStart(time.Second)
	b, bucket := open(t, config(s)), folder(t)
	if err := b.Prepare(t.Context(), backends.Deployment{Program: program, Bucket: bucket}); err != nil {
		t.Fatal(err)
	}
	if err := b.Prewarm(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
}

// invoked returns what an invocation ends with after something has happened to the app.
func invoked(t *testing.T, o azfunc.Options, happen func(*azfunc.Server)) (*azfunc.Server, error) {
	t.Helper()
	o.Instances = azurefunctions.Instances
	s := azfunc.Start(t, o)
	b := open(t, config(s))
	if err := b.Prepare(t.Context(), backends.Deployment{Program: program, Bucket: folder(t)}); err != nil {
		t.Fatal(err)
	}
	happen(s)
	reply, err := b.Invoke(t.Context(), backends.Request{Body: []byte("x")})
	if err != nil {
		return s, err
	}
	_, err = io.Copy(io.Discard, reply)
	return s, errors.Join(err, reply.Close())
}

// TestApp holds what is told of an app that changes while it is used.
func TestApp(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		happen func(*azfunc.Server)
		class  error
		words  string
	}{
		"key changed": {func(s *azfunc.Server) { s.ChangeKey(s.Apps()[0]) }, backends.ErrRefused, "key"},
		"page":        {func(s *azfunc.Server) { s.Faults.Page.Store(1) }, nil, "not a gowren worker's answer"},
		"throttled":   {func(s *azfunc.Server) { s.Faults.Throttled.Store(1) }, backends.ErrThrottled, "429"},
		"no host":     {func(s *azfunc.Server) { s.Spoil(s.Apps()[0]) }, backends.ErrThrottled, "503"},
		"host fails":  {func(s *azfunc.Server) { s.Faults.Unavailable.Store(1) }, nil, `error: the worker's process ended": its worker did not start, or ended; az webapp log tail`},
		"deleted":     {func(s *azfunc.Server) { s.Delete(s.Apps()[0]) }, backends.ErrInvalid, "deleted"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := invoked(t, azfunc.Options{}, c.happen)
			if err == nil || c.class != nil && !errors.Is(err, c.class) || !strings.Contains(err.Error(), c.words) {
				t.Fatalf("%v, want %v and %q", err, c.class, c.words)
			}
			var lost *backends.LostError
			if c.class == nil && !errors.As(err, &lost) {
				t.Errorf("%v is no lost worker", err)
			}
		})
	}
}

var rest = mapper.Func("azurefunctions.rest", func(_ context.Context, dir string) (int, error) {
	for {
		if err := os.WriteFile(filepath.Join(dir, "at work"), nil, 0o600); err != nil {
			return 0, err
		}
		time.Sleep(10 * time.Millisecond)
	}
})

// TestBound ends invocations before the front does: one that runs, with its work, and one that gets no instance.
func TestBound(t *testing.T) {
	t.Parallel()
	s := azfunc.Start(t, azfunc.Options{Instances: azurefunctions.Instances})
	b, bucket := open(t, config(s)), folder(t)
	ex, err := mapper.New(t.Context(), b, bucket, mapper.Options{Quiet: true, Retries: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer ex.Close()
	azurefunctions.Bound(b, time.Second)
	dir := t.TempDir()
	for what, happen := range map[string]func(){
		"runs": func() {}, "starts": func() { s.Kill(); s.Faults.SetColdStart(3 * time.Second) },
	} {
		happen()
		_, err := mapper.Call(t.Context(), ex, rest, dir)
		if !errors.Is(err, backends.ErrTimeout) || !strings.Contains(err.Error(), "1s after it was sent") {
			t.Errorf("%s: %v", what, err)
		}
		for file := filepath.Join(dir, "at work"); ; {
			if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
			time.Sleep(100 * time.Millisecond)
			if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
				break // the work has ended
			}
		}
	}
}

// TestLimit ends work for whose answer nobody may wait any more.
func TestLimit(t *testing.T) {
	t.Parallel()
	s := azfunc.Start(t, azfunc.Options{Instances: azurefunctions.Instances, Environment: []string{"GOWREN_WORKER_LIMIT=1s"}})
	ex, err := mapper.New(t.Context(), open(t, config(s)), folder(t), mapper.Options{Quiet: true, Retries: -1})
	if err != nil {
		t.Fatal(err)
	}
	defer ex.Close()
	_, err = mapper.Call(t.Context(), ex, rest, t.TempDir())
	if !errors.Is(err, backends.ErrTimeout) || !strings.Contains(err.Error(), "the invocation took 1s") {
		t.Errorf("%v", err)
	}
}

// TestCut is an instance that starts for longer than the front waits.
func TestCut(t *testing.T) {
	t.Parallel()
	_, err := invoked(t, azfunc.Options{Cut: 3 * time.Second}, func(s *azfunc.Server) {
		s.Kill()
		s.Faults.SetColdStart(time.Minute)
	})
	if !errors.Is(err, backends.ErrTimeout) {
		t.Fatalf("%v, want a time-out", err)
	}
}
