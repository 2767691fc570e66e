package awslambda_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/service/lambda"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/awslambda"
	"github.com/gowren/gowren/internal/servers/lambda"
	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/storage"
)

// told checks an error: its class, that it says what is wrong and what to do, and no secret.
func (c *cloud) told(t *testing.T, what string, err, class error, says ...string) {
	t.Helper()
	if !errors.Is(err, class) {
		t.Errorf("%s: error %v is not %v", what, err, class)
	}
	if err == nil {
		return
	}
	for _, s := range says {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("%s: error %v does not say %q", what, err, s)
		}
	}
	for _, secret := range []string{c.Credentials.AccessKey, c.Credentials.SecretKey, os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"), "Signature="} {
		if secret != "" && strings.Contains(err.Error(), secret) {
			t.Errorf("%s: error %v tells credentials", what, err)
		}
	}
}

// TestURLs reads URLs of the backend.
func TestURLs(t *testing.T) {
	t.Parallel()
	for url, says := range map[string]string{
		"awslambda":                             "",
		"awslambda://eu-central-1":              "",
		"awslambda://us-gov-west-1?arch=x86_64": "",
		"awslambda://us-east-1?memory=128&arch=arm64&timeout=90s&storage=10240&concurrency=7&reserved=3&retention=-1&invoke=plain&tag.a=b&env.X1=y": "",
		"awslambda://us-east-1?role=arn:aws:iam::123456789012:role/path/worker&subnets=subnet-1,subnet-2&groups=sg-1":                               "",
		"awslambda://us-east-1?memry=128":           `no parameter "memry"; it has: memory, arch`,
		"awslambda://us-east-1?memory=100":          "from 128 to 10240 MB",
		"awslambda://us-east-1?memory=1e3":          "not a number",
		"awslambda://us-east-1?memory=1&memory=2":   "given twice",
		"awslambda://us-east-1?arch=i386":           "amd64 or arm64",
		"awslambda://us-east-1?timeout=16m":         "from 1s to 15m",
		"awslambda://us-east-1?timeout=soon":        "no time such as 5m",
		"awslambda://us-east-1?storage=100":         "from 512 to 10240",
		"awslambda://us-east-1?role=worker":         "an ARN such as",
		"awslambda://us-east-1?subnets=subnet-1":    "go together",
		"awslambda://us-east-1?retention=2":         "retention is one of",
		"awslambda://us-east-1?invoke=event":        "stream or plain",
		"awslambda://us-east-1?env.GOWREN_WORKER=x": "cannot be given a variable",
		"awslambda://us-east-1?tag.aws:x=y":         "cannot be a tag",
		"awslambda://us_east":                       "no region",
		"awslambda://us-east-1/function":            "names a region and nothing else",
		"awslambda://user:pass@us-east-1":           "no credentials",
	} {
		b, err := backends.Open(t.Context(), url)
		if says == "" {
			if err != nil {
				t.Errorf("%s: %v", url, err)
				continue
			}
			if l := b.Limits(); !l.Remote || !l.Isolates || !l.Cancels || !l.Detaches || l.CPUs < 1 || l.MaxDuration <= 0 {
				t.Errorf("%s: limits %+v", url, l)
			}
			if err := b.Close(); err != nil {
				t.Error(err)
			}
			continue
		}
		if !errors.Is(err, backends.ErrInvalid) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", url, err, says)
		}
	}
}

// TestBadDeployments has Prepare fail.
func TestBadDeployments(t *testing.T) {
	t.Parallel()
	c := newCloud(t, lambda.Options{RoleDelay: -1})
	bucket := newBucket(t)
	program := os.Getenv("GOWREN_PROGRAM")
	large := changed(t) // with a hole in it
	if err := os.Truncate(large, 251<<20); err != nil {
		t.Fatal(err)
	}
	for what, x := range map[string]struct {
		config  awslambda.Config
		program string
		class   error
		says    []string
	}{
		"missing role":    {awslambda.Config{Role: "arn:aws:iam::123456789012:role/nobody"}, program, backends.ErrInvalid, []string{"role/nobody", "may assume it"}},
		"wrong processor": {awslambda.Config{Arch: "arm64"}, program, backends.ErrInvalid, []string{"workers have arm64"}},
		"no program":      {awslambda.Config{}, "/nowhere", backends.ErrInvalid, []string{"/nowhere"}},
		"too large":       {awslambda.Config{}, large, backends.ErrInvalid, []string{"251 MB", "at most 250"}},
		"no executable":   {awslambda.Config{}, "bad_test.go", backends.ErrInvalid, []string{"no executable of linux"}},
		"too much set aside": {awslambda.Config{Reserved: 990}, program, backends.ErrInvalid,
			[]string{"990", "UnreservedConcurrentExecution"}},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			b := c.backend(t, x.config)
			if what == "too large" {
				b.Unforward()
			}
			err := b.Prepare(t.Context(), backends.Deployment{Program: x.program, Bucket: bucket})
			c.told(t, what, err, x.class, x.says...)
		})
	}
	if err := c.backend(t, awslambda.Config{}).Prepare(t.Context(), backends.Deployment{Program: program}); !errors.Is(err, backends.ErrInvalid) {
		t.Errorf("without a bucket: %v", err)
	}
}

// TestDenied has the account refuse each action that is needed.
func TestDenied(t *testing.T) {
	t.Parallel()
	for _, action := range []string{
		"lambda:InvokeFunction", "lambda:CreateFunction", "lambda:GetFunction", "lambda:PutFunctionEventInvokeConfig", "lambda:TagResource",
		"iam:CreateRole", "iam:PutRolePolicy", "iam:PassRole", "logs:CreateLogGroup", "logs:PutRetentionPolicy",
	} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t, lambda.Options{RoleDelay: -1, Deny: []string{action}, Unconfined: true})
			b, err := awslambda.New(awslambda.Config{AWS: &c.aws, MemoryMB: 1024})
			if err != nil {
				t.Fatal(err)
			}
			b.Forward()
			err = b.Prepare(t.Context(), backends.Deployment{Program: os.Getenv("GOWREN_PROGRAM"), Bucket: newBucket(t)})
			c.told(t, action, err, backends.ErrRefused, action, "docs/aws.md")
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestLimitsHidden has a driver that may only invoke use a function that is there.
func TestLimitsHidden(t *testing.T) {
	t.Parallel()
	c := newCloud(t, lambda.Options{RoleDelay: -1, Deny: []string{"lambda:GetAccountSettings", "lambda:GetFunctionConcurrency"}})
	b := c.backend(t, awslambda.Config{Role: c.role(t)})
	prepare(t, b, newBucket(t))
	if n := b.Limits().Concurrency; n != 1000 {
		t.Errorf("concurrency %d where nothing is known of it", n)
	}
}

// TestLost has a function end under a driver that uses it: killed, and deleted.
func TestLost(t *testing.T) {
	t.Parallel()
	c := newCloud(t, lambda.Options{RoleDelay: -1})
	role := c.role(t)
	for _, plain := range []bool{false, true} {
		bucket := newBucket(t)
		b := c.backend(t, awslambda.Config{Role: role, Concurrency: 2, Plain: plain})
		ex := open(t, b, bucket, mapper.Options{Retries: -1})
		wantDoubled(t, ex, 1)
		c.SetFaults(lambda.Faults{Kill: 1})
		_, err := mapper.Call(t.Context(), ex, double, 1)
		c.told(t, "killed", err, mapper.ErrWorkerLost, "signal: killed", b.Function())
		name := b.Function()
		if _, err := awssdk.NewFromConfig(c.sdk()).DeleteFunction(t.Context(), &awssdk.DeleteFunctionInput{FunctionName: &name}); err != nil {
			t.Fatal(err)
		}
		_, err = mapper.Call(t.Context(), ex, double, 1)
		c.told(t, "deleted", err, backends.ErrInvalid, name, "was deleted")
	}
}

// TestExpired has credentials end their time. Before that it warms workers.
func TestExpired(t *testing.T) {
	t.Parallel()
	c := newCloud(t, lambda.Options{RoleDelay: -1})
	b, err := awslambda.New(awslambda.Config{AWS: &c.aws, MemoryMB: 1024, Concurrency: 2})
	if err != nil {
		t.Fatal(err)
	}
	b.Forward()
	ex := open(t, b, newBucket(t), mapper.Options{Retries: -1})
	if err := b.Prewarm(t.Context(), 2); err != nil || len(c.Environments(b.Function())) != 2 {
		t.Errorf("warmed %d workers, %v", len(c.Environments(b.Function())), err)
	}
	c.ExpireCredentials()
	_, err = mapper.Call(t.Context(), ex, double, 1)
	c.told(t, "expired", err, backends.ErrRefused, "aws sso login")
}

// TestTimeLimits has functions run into their time limit: the supervisor tells of it before the platform ends it.
func TestTimeLimits(t *testing.T) {
	t.Parallel()
	c := newCloud(t, lambda.Options{RoleDelay: -1})
	role := c.role(t)
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			bucket := newBucket(t)
			b := c.backend(t, awslambda.Config{Role: role, Concurrency: 2, Plain: way.plain, Timeout: 4e9})
			prepare(t, b, bucket)
			ex, err := mapper.New(t.Context(), endless{ready{b}}, bucket, mapper.Options{Quiet: true, Retries: -1, Detached: way.detached})
			if err != nil {
				t.Fatal(err)
			}
			_, err = mapper.Call(t.Context(), ex, stay, 0)
			c.told(t, "time limit", err, mapper.ErrTimeout, "time limit")
			if err := ex.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// endless is a backend that tells nothing of its time limit, so that tasks run into it.
type endless struct{ ready }

func (e endless) Limits() backends.Limits {
	l := e.ready.Limits()
	l.MaxDuration = 0
	return l
}

// TestForeign has something else answer in Lambda's place.
func TestForeign(t *testing.T) {
	t.Parallel()
	c := newCloud(t, lambda.Options{RoleDelay: -1, Unconfined: true})
	bucket := newBucket(t)
	for what, x := range map[string]struct {
		status int
		class  error
	}{
		"a page": {200, nil}, "a login page": {403, backends.ErrRefused}, "a redirect": {302, backends.ErrInvalid},
		"no such page": {404, backends.ErrInvalid}, "busy": {503, nil},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/html")
				w.WriteHeader(x.status)
				_, _ = io.WriteString(w, "<html><body>Welcome to the proxy</body></html>")
			}))
			t.Cleanup(s.Close)
			for _, plain := range []bool{false, true} {
				b := c.misled(t, awslambda.Config{Concurrency: 2, Plain: plain}, s.URL, bucket)
				r, err := b.Invoke(t.Context(), backends.Request{Body: []byte("x")})
				if err == nil {
					_, err = io.Copy(io.Discard, r)
					r.Close()
				}
				lost := (*backends.LostError)(nil)
				if err == nil || x.class == nil && !errors.As(err, &lost) {
					t.Errorf("error %v, want a lost worker", err)
				}
				if x.class != nil {
					c.told(t, what, err, x.class)
				}
			}
		})
	}
}

// misled is a backend that reaches another server than that which it was prepared with.
func (c *cloud) misled(t *testing.T, config awslambda.Config, endpoint string, bucket storage.Bucket) *awslambda.Backend {
	t.Helper()
	b, err := awslambda.New(config)
	if err != nil {
		t.Fatal(err)
	}
	cfg := c.aws.Copy()
	cfg.BaseEndpoint = &endpoint
	if err := b.Mislead(context.Background(), cfg, bucket); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// TestCrashes has Lambda say how functions ended, in its own words.
func TestCrashes(t *testing.T) {
	t.Parallel()
	report := "START RequestId: 1 Version: $LATEST\nthe last words\nEND RequestId: 1\nREPORT RequestId: 1\tDuration: 3.00 ms\tMemory Size: 128 MB\tMax Memory Used: "
	for _, x := range []struct {
		kind, message, log string
		class              error
	}{
		{"Sandbox.Timedout", "RequestId: 1 Error: Task timed out after 3.00 seconds", report + "30 MB\n", backends.ErrTimeout},
		{"", "2026-01-01T00:00:00.000Z 1 Task timed out after 3.00 seconds", report + "30 MB\n", backends.ErrTimeout},
		{"Runtime.OutOfMemory", "RequestId: 1 Error: Runtime exited with error: signal: killed", report + "128 MB\n", backends.ErrOutOfMemory},
		{"Runtime.ExitError", "RequestId: 1 Error: Runtime exited with error: signal: killed", report + "128 MB\t\n", backends.ErrOutOfMemory},
		{"Runtime.ExitError", "RequestId: 1 Error: Runtime exited with error: signal: killed", report + "99 MB\t\n", nil},
		{"Runtime.ExitError", "RequestId: 1 Error: Runtime exited with error: exit status 1", report + "128 MB\n", nil},
		{"Runtime.InvalidEntrypoint", "RequestId: 1 Error: fork/exec /var/task/bootstrap: exec format error", "", backends.ErrInvalid},
		{"Function.ResponseSizeTooLarge", "Response payload size exceeded maximum allowed payload size (6291556 bytes).", report + "30 MB\n", nil},
	} {
		err := awslambda.Crash("worker", x.kind, x.message, x.log)
		lost := (*backends.LostError)(nil)
		if errors.As(err, &lost) == (x.class == backends.ErrInvalid) || !strings.Contains(err.Error(), x.message) || x.class != nil && !errors.Is(err, x.class) {
			t.Errorf("%s, %s: %v", x.kind, x.message, err)
		}
		for _, other := range []error{backends.ErrTimeout, backends.ErrOutOfMemory} {
			if other != x.class && errors.Is(err, other) {
				t.Errorf("%s, %s: %v is %v", x.kind, x.message, err, other)
			}
		}
		if lost != nil && lost.Output != "the last words" {
			t.Errorf("%s: the output is %q", x.kind, lost.Output)
		}
	}
}

// TestStatus has functions answer a ping that this driver cannot use.
func TestStatus(t *testing.T) {
	t.Parallel()
	for answer, says := range map[string]string{
		`{"gowren":1,"protocol":1,"bucket":"s3://b"}`: "",
		`{"gowren":1,"protocol":0,"bucket":"s3://b"}`: "version 0",
		`{"gowren":9,"protocol":1,"bucket":"s3://b"}`: "payloads of version 9",
		`{"gowren":1,"protocol":1,"bucket":"s3://c"}`: "deployed for the bucket",
		`{}`:                   "no gowren worker",
		`<html>a proxy</html>`: "no gowren worker",
		`"Hello from Lambda!"`: "no gowren worker",
	} {
		err := awslambda.DecodeStatus(answer, "s3://b")
		if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", answer, err, says)
		}
	}
	b, err := awslambda.New(awslambda.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Invoke(t.Context(), backends.Request{}); !errors.Is(err, backends.ErrInvalid) {
		t.Errorf("Invoke before Prepare: %v", err)
	}
}
