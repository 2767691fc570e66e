package httpworker_test

import (
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gowren/gowren/backends/backendtest"
	"github.com/gowren/gowren/backends/httpworker"
	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/storage"
)

var (
	double = mapper.Func("httpworker/double", func(_ context.Context, n int) (int, error) { return 2 * n, nil })

	// slowly waits for a file, of which it tells by another that it does.
	slowly = mapper.Func("httpworker/slowly", func(ctx context.Context, dir string) (int, error) {
		if err := os.WriteFile(dir+"/begun", nil, 0o600); err != nil {
			return 0, err
		}
		for {
			if _, err := os.Stat(dir + "/go"); err == nil {
				return 1, nil
			}
			select {
			case <-ctx.Done():
				return 0, context.Cause(ctx)
			case <-time.After(5 * time.Millisecond):
			}
		}
	})

	// clock tells when it ends.
	clock = mapper.Func("httpworker/clock", func(ctx context.Context, wait time.Duration) (int64, error) {
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		return time.Now().UnixNano(), nil
	})

	environment = mapper.Func("httpworker/environment", func(context.Context, int) (string, error) {
		return strings.Join(os.Environ(), "\n"), nil
	})
)

func newBucket(t testing.TB) storage.Bucket {
	t.Helper()
	return backendtest.Folder(t)
}

// open returns an executor over workers at these URLs. It closes the bucket.
func open(t testing.TB, bucket storage.Bucket, c httpworker.Config) (*mapper.Executor, error) {
	t.Helper()
	b, err := httpworker.New(c)
	if err != nil {
		t.Fatal(err)
	}
	ex, err := mapper.New(t.Context(), b, bucket, mapper.Options{Quiet: true})
	if err != nil {
		return nil, errors.Join(err, b.Close(), bucket.Close())
	}
	t.Cleanup(func() {
		if err := ex.Close(); err != nil {
			t.Error(err)
		}
	})
	return ex, nil
}

func mustOpen(t testing.TB, bucket storage.Bucket, urls ...string) *mapper.Executor {
	t.Helper()
	ex, err := open(t, bucket, httpworker.Config{URLs: urls, Token: token})
	if err != nil {
		t.Fatal(err)
	}
	return ex
}

// wantDoubles runs a job of n tasks and checks its results.
func wantDoubles(t *testing.T, ex *mapper.Executor, n int) {
	t.Helper()
	in, want := make([]int, n), make([]int, n)
	for i := range in {
		in[i], want[i] = i, 2*i
	}
	got, err := mapper.Map(t.Context(), ex, double, in)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, or wrong results", err)
	}
}

// wantError checks an error's class and words, and that it keeps the token to itself.
func wantError(t *testing.T, err, class error, words ...string) {
	t.Helper()
	if err == nil || class != nil && !errors.Is(err, class) {
		t.Errorf("%v, want %v", err, class)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("the error lacks %q: %v", w, err)
		}
	}
	if strings.Contains(err.Error(), token) {
		t.Errorf("the error tells the token: %v", err)
	}
}
