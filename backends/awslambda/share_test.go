package awslambda_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/awslambda"
	"github.com/gowren/gowren/internal/servers/lambda"
	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/storage"
)

// TestTwoDrivers has several make one function at once: some find it Pending, or made when they make it themselves.
func TestTwoDrivers(t *testing.T) {
	t.Parallel()
	c := newCloud(t, lambda.Options{Pending: 500 * time.Millisecond})
	bucket := newBucket(t)
	backs, notes := make([]*awslambda.Backend, 3), &recorder{HTTPClient: plain}
	cfg := c.aws.Copy()
	cfg.HTTPClient = notes
	var all sync.WaitGroup
	for i := range backs {
		backs[i] = c.backend(t, awslambda.Config{Concurrency: 2, AWS: &cfg})
		all.Go(func() {
			if err := backs[i].Prepare(t.Context(), backends.Deployment{Program: os.Getenv("GOWREN_PROGRAM"), Bucket: bucket}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if notes.answered(http.StatusConflict) < 2 {
		t.Errorf("%d calls met another driver's: the test shows nothing", notes.answered(http.StatusConflict))
	}
	if backs[0].Function() != backs[1].Function() {
		t.Errorf("one configuration has the functions %s and %s", backs[0].Function(), backs[1].Function())
	}
	for _, b := range backs {
		wantDoubled(t, open(t, b, bucket, mapper.Options{}), 3)
	}
}

// TestRepairedByAnother has a driver go on after another has given the function its own program.
func TestRepairedByAnother(t *testing.T) {
	t.Parallel()
	c := newCloud(t, lambda.Options{RoleDelay: -1})
	bucket := newBucket(t)
	for key := range packed() { // which the driver is to upload
		if err := bucket.Delete(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	first, second := c.backend(t, awslambda.Config{Concurrency: 2}), c.backend(t, awslambda.Config{Concurrency: 2})
	ex := open(t, first, bucket, mapper.Options{})
	wantDoubled(t, ex, 3)
	c.repair(t, second, first.Function(), backends.Deployment{Program: changed(t), Bucket: bucket})
	if second.Function() != first.Function() {
		t.Fatalf("the functions are %s and %s", first.Function(), second.Function())
	}
	wantDoubled(t, ex, 3)
}

// TestEventsConfigured has a driver find a function whose asynchronous invocations Lambda would repeat, as one leaves it
// that dies when it has made it. They are configured before the first one.
func TestEventsConfigured(t *testing.T) {
	t.Parallel()
	c := newCloud(t, lambda.Options{RoleDelay: -1})
	bucket := newBucket(t)
	prepare(t, c.backend(t, awslambda.Config{Concurrency: 2}), bucket)
	notes := &recorder{HTTPClient: plain}
	cfg := c.aws.Copy()
	cfg.HTTPClient = notes
	b := c.backend(t, awslambda.Config{Concurrency: 2, AWS: &cfg})
	ex := open(t, b, bucket, mapper.Options{Detached: true})
	name, client := b.Function(), awssdk.NewFromConfig(c.sdk())
	if _, err := client.DeleteFunctionEventInvokeConfig(t.Context(), &awssdk.DeleteFunctionEventInvokeConfigInput{FunctionName: &name}); err != nil {
		t.Fatal(err)
	}
	notes.forget()
	wantDoubled(t, ex, 3)
	paths := notes.all()
	configured := slices.IndexFunc(paths, func(p string) bool {
		return strings.HasPrefix(p, "PUT ") && strings.HasSuffix(p, "/event-invoke-config")
	})
	invoked := slices.IndexFunc(paths, func(p string) bool { return strings.HasSuffix(p, "/invocations") })
	if configured < 0 || invoked < configured {
		t.Errorf("the requests are %q", paths)
	}
	e, err := client.GetFunctionEventInvokeConfig(t.Context(), &awssdk.GetFunctionEventInvokeConfigInput{FunctionName: &name})
	if err != nil || aws.ToInt32(e.MaximumRetryAttempts) != 0 || e.MaximumRetryAttempts == nil || aws.ToInt32(e.MaximumEventAgeInSeconds) != 300 {
		t.Errorf("asynchronous invocations: %+v, %v", e, err)
	}
}

// TestNewPolicy has a driver find a function that another has just made, and whose role's policy S3 does not know yet. It
// waits.
func TestNewPolicy(t *testing.T) {
	t.Parallel()
	c := newCloud(t, lambda.Options{RoleDelay: -1})
	var refuse atomic.Int64
	bucket := throughProxy(t, newBucket(t), func(r *http.Request) bool {
		return r.Method == http.MethodHead && strings.Contains(r.URL.Path, "/programs/") && refuse.Add(-1) >= 0
	})
	prepare(t, c.backend(t, awslambda.Config{Concurrency: 2}), bucket)
	refuse.Store(2)
	prepare(t, c.backend(t, awslambda.Config{Concurrency: 2}), bucket)
	if refuse.Load() >= 0 {
		t.Errorf("Prepare has not waited for the worker's reach")
	}
	refuse.Store(1 << 30)
	err := c.backend(t, awslambda.Config{Concurrency: 2}).Prepare(t.Context(), backends.Deployment{Program: os.Getenv("GOWREN_PROGRAM"), Bucket: bucket})
	c.told(t, "never", err, backends.ErrRefused, "do not reach the bucket")
	refuse.Store(0)
}

// TestLook has workers look at a bucket whose store does not answer, or has no time. That is said in time, and is nothing
// that another deployment, or another permission, would mend.
func TestLook(t *testing.T) {
	t.Parallel()
	c := newCloud(t, lambda.Options{RoleDelay: -1})
	config := awslambda.Config{Role: c.role(t), Concurrency: 2, Timeout: 4 * time.Second}
	for what, answer := range map[string]func(http.ResponseWriter, *http.Request){
		"mute": func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"busy": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) },
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			var away atomic.Bool
			bucket := answeredBy(t, newBucket(t), func(w http.ResponseWriter, r *http.Request) bool {
				looks := away.Load() && r.Method == http.MethodHead && strings.Contains(r.URL.Path, "/programs/")
				if looks {
					answer(w, r)
				}
				return looks
			})
			prepare(t, c.backend(t, config), bucket)
			notes := &recorder{HTTPClient: plain}
			cfg, other := c.aws.Copy(), config
			cfg.HTTPClient, other.AWS = notes, &cfg
			away.Store(true)
			err := c.backend(t, other).Prepare(t.Context(), backends.Deployment{Program: os.Getenv("GOWREN_PROGRAM"), Bucket: bucket})
			away.Store(false)
			if err == nil || errors.Is(err, backends.ErrRefused) || !strings.Contains(err.Error(), "do not reach the bucket "+bucket.URL()) ||
				what == "mute" && !strings.Contains(err.Error(), "did not answer within") {
				t.Errorf("error %v", err)
			}
			if calls := notes.control(); len(calls) > 0 {
				t.Errorf("it costs calls of the control plane: %v", calls)
			}
		})
	}
}

// TestPreparedAgain prepares a backend for another bucket while an invocation is under way. That is told to stop where its
// worker looks.
func TestPreparedAgain(t *testing.T) {
	t.Parallel()
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t, lambda.Options{RoleDelay: -1})
			first, second := newBucket(t), newBucket(t)
			b := c.backend(t, awslambda.Config{Role: c.role(t), Concurrency: 2, Plain: way.plain})
			prepare(t, b, first)
			old, err := mapper.New(t.Context(), ready{b}, first, mapper.Options{Quiet: true, Retries: -1, Detached: way.detached})
			if err != nil {
				t.Fatal(err)
			}
			dir, ended := t.TempDir(), make(chan error, 1)
			here := func() bool { _, err := os.Stat(filepath.Join(dir, "here")); return err == nil }
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			go func() {
				_, err := mapper.Call(ctx, old, haunt, dir)
				ended <- err
			}()
			await(t, "the task's beginning", here)
			prepare(t, b, second)
			cancel()
			if err := <-ended; !errors.Is(err, context.Canceled) {
				t.Errorf("the cancelled job ends with %v", err)
			}
			await(t, "the task's end", func() bool { return !here() })
			ex := open(t, b, second, mapper.Options{Detached: way.detached})
			wantDoubled(t, ex, 3)
			wantEmpty(t, first)
			wantEmpty(t, second)
			if err := old.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// throughProxy is a bucket behind a proxy that refuses some requests.
func throughProxy(t *testing.T, b storage.Bucket, refuse func(*http.Request) bool) storage.Bucket {
	t.Helper()
	return answeredBy(t, b, func(w http.ResponseWriter, r *http.Request) bool {
		refused := refuse(r)
		if refused {
			w.WriteHeader(http.StatusForbidden)
		}
		return refused
	})
}

// answeredBy is a bucket behind a proxy that passes on what answer does not answer itself.
func answeredBy(t *testing.T, b storage.Bucket, answer func(http.ResponseWriter, *http.Request) bool) storage.Bucket {
	t.Helper()
	u, err := url.Parse(b.URL())
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	target, err := url.Parse(q.Get("endpoint"))
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Transport: plain.Transport, Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host // which is signed
	}}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !answer(w, r) {
			proxy.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(s.Close)
	q.Set("endpoint", s.URL)
	u.RawQuery = q.Encode()
	through, err := storage.Open(t.Context(), u.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { through.Close() })
	return through
}

// TestUnstored has detached replies that are too long for their worker's folder, or that the bucket refuses. Their loss is
// told there at once, and not when the function's time is over.
func TestUnstored(t *testing.T) {
	t.Parallel()
	c := newCloud(t, lambda.Options{RoleDelay: -1})
	role := c.role(t)
	refused := func(r *http.Request) bool {
		return strings.Contains(r.URL.Path, "/replies/") && (r.Method == http.MethodPost || r.Method == http.MethodPut && r.ContentLength > 64<<10)
	}
	for what, x := range map[string]struct {
		env    map[string]string
		refuse func(*http.Request) bool
		says   string
	}{
		"no room": {map[string]string{"TMPDIR": "/no/such/folder"}, func(*http.Request) bool { return false }, "/no/such/folder"},
		"refused": {nil, refused, "store the reply"},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			bucket := throughProxy(t, newBucket(t), x.refuse)
			b := c.backend(t, awslambda.Config{Role: role, Concurrency: 2, Env: x.env})
			ex := open(t, b, bucket, mapper.Options{Detached: true, Retries: -1})
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // the function has 15
			defer cancel()
			_, err := mapper.Call(ctx, ex, chatter, 5<<20)
			c.told(t, what, err, mapper.ErrWorkerLost, x.says)
		})
	}
}
