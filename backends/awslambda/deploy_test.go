package awslambda_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	awssdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/klauspost/compress/zstd"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/awslambda"
	"github.com/gowren/gowren/internal/servers/lambda"
	"github.com/gowren/gowren/internal/wire"
	"github.com/gowren/gowren/mapper"
)

// TestDeploy makes all that there is, looks at it, and removes it. The policies hold what was called, and no more.
func TestDeploy(t *testing.T) {
	t.Parallel()
	c := newCloud(t, lambda.Options{})
	bucket := newBucket(t)
	b := c.backend(t, awslambda.Config{Reserved: 3, StorageMB: 600, RetentionDays: 7, Env: map[string]string{"MINE": "1"}})
	d := backends.Deployment{Program: os.Getenv("GOWREN_PROGRAM"), Bucket: bucket}
	for _, f := range b.Check(t.Context(), d) {
		t.Logf("%+v", f)
		if f.Err != nil {
			t.Fatalf("%s: %v", f.What, f.Err)
		}
	}
	name := b.Function()
	if got := b.Limits().Concurrency; got != 3 {
		t.Errorf("concurrency %d, want what is reserved", got)
	}
	c.look(t, name)
	other := c.backend(t, awslambda.Config{RetentionDays: -1}) // without a reserve, so that the account is looked at
	prepare(t, other, bucket)
	if got := other.Limits().Concurrency; got != 997 {
		t.Errorf("concurrency %d, want what the account has left", got)
	}
	c.repair(t, b, name, d)
	wantDoubled(t, open(t, b, bucket, mapper.Options{}), 6)
	fresh := c.backend(t, awslambda.Config{Reserved: 3, StorageMB: 600, RetentionDays: 7, Env: map[string]string{"MINE": "1"}})
	if err := fresh.Destroy(t.Context(), bucket.URL()); err != nil { // which finds the function by its configuration
		t.Error(err)
	}
	c.gone(t, name)
	wantActions(t, "driver", c.Actions(), awslambda.DriverGrants, awslambda.Place{})
	wantActions(t, "worker", c.RoleActions(name), awslambda.WorkerGrants, awslambda.Place{})
	wantActions(t, "worker", c.RoleActions(other.Function()), awslambda.WorkerGrants, awslambda.Place{Forever: true})
}

// look checks what was made.
func (c *cloud) look(t *testing.T, name string) {
	t.Helper()
	f, err := awssdk.NewFromConfig(c.sdk()).GetFunction(t.Context(), &awssdk.GetFunctionInput{FunctionName: &name})
	if err != nil {
		t.Fatal(err)
	}
	if g := f.Configuration; *g.MemorySize != 1024 || *g.Timeout != 900 || *g.EphemeralStorage.Size != 600 || g.Environment.Variables["MINE"] != "1" ||
		f.Tags["gowren"] != name || f.Tags["test"] != t.Name() || *f.Concurrency.ReservedConcurrentExecutions != 3 {
		t.Errorf("the function is %+v, its tags %v", g, f.Tags)
	}
	e, err := awssdk.NewFromConfig(c.sdk()).GetFunctionEventInvokeConfig(t.Context(), &awssdk.GetFunctionEventInvokeConfigInput{FunctionName: &name})
	if err != nil || *e.MaximumRetryAttempts != 0 {
		t.Errorf("asynchronous invocations: %+v, %v", e, err)
	}
	groups, err := cloudwatchlogs.NewFromConfig(c.sdk()).DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String("/aws/lambda/" + name)})
	if err != nil || len(groups.LogGroups) != 1 || aws.ToInt32(groups.LogGroups[0].RetentionInDays) != 7 {
		t.Errorf("logs: %+v, %v", groups, err)
	}
}

// repair breaks the function, and has Prepare repair it.
func (c *cloud) repair(t *testing.T, b *awslambda.Backend, name string, d backends.Deployment) {
	t.Helper()
	broken, err := awslambda.Script("exit 3", strings.Repeat("0", 64))
	if err != nil {
		t.Fatal(err)
	}
	client := awssdk.NewFromConfig(c.sdk())
	if _, err := client.UpdateFunctionCode(t.Context(), &awssdk.UpdateFunctionCodeInput{FunctionName: &name, ZipFile: broken}); err != nil {
		t.Fatal(err)
	}
	await(t, "the broken function", func() bool {
		f, err := client.GetFunction(t.Context(), &awssdk.GetFunctionInput{FunctionName: &name})
		return err == nil && f.Configuration.LastUpdateStatus == "Successful"
	})
	if err := b.Prepare(t.Context(), d); err != nil {
		t.Fatal(err)
	}
}

// gone checks that nothing of the function is left.
func (c *cloud) gone(t *testing.T, name string) {
	t.Helper()
	_, err := awssdk.NewFromConfig(c.sdk()).GetFunction(t.Context(), &awssdk.GetFunctionInput{FunctionName: &name})
	if err == nil || !strings.Contains(err.Error(), "ResourceNotFound") {
		t.Errorf("the function is still there: %v", err)
	}
	if _, err := iam.NewFromConfig(c.sdk()).GetRole(t.Context(), &iam.GetRoleInput{RoleName: &name}); err == nil || !strings.Contains(err.Error(), "NoSuchEntity") {
		t.Errorf("the role is still there: %v", err)
	}
	groups, err := cloudwatchlogs.NewFromConfig(c.sdk()).DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String("/aws/lambda/" + name)})
	if err != nil || len(groups.LogGroups) > 0 {
		t.Errorf("logs are still there: %+v, %v", groups, err)
	}
}

// wantActions compares what was called with what a policy allows, but for a store's and a VPC's.
func wantActions[G interface {
	Actions(awslambda.Place) []string
}](t *testing.T, who string, called []string, grants []G, p awslambda.Place) {
	t.Helper()
	looked := []string{"lambda:GetFunctionEventInvokeConfig", "logs:DescribeLogGroups"} // by the test itself
	allowed := map[string]bool{}
	for _, g := range grants {
		for _, a := range g.Actions(p) {
			if !strings.HasPrefix(a, "s3:") && !strings.HasPrefix(a, "ec2:") {
				allowed[a] = true
			}
		}
	}
	slices.Sort(called)
	for _, a := range slices.Compact(called) {
		if !allowed[a] && !slices.Contains(looked, a) {
			t.Errorf("the %s calls %s, which its policy does not allow", who, a)
		}
		delete(allowed, a)
	}
	for a := range allowed {
		t.Errorf("the policy of the %s allows %s, which it does not call", who, a)
	}
}

// TestTwoBuilds runs two builds of one program by one function, whose archive holds the first. The second costs no call
// of the control plane.
func TestTwoBuilds(t *testing.T) {
	t.Parallel()
	c := newCloud(t, lambda.Options{RoleDelay: -1})
	bucket := newBucket(t)
	first, err := awslambda.New(awslambda.Config{AWS: &c.aws, Concurrency: 2, MemoryMB: 1024})
	if err != nil {
		t.Fatal(err)
	}
	first.Store()
	prepare(t, first, bucket)
	wantDoubled(t, open(t, first, bucket, mapper.Options{}), 3)

	notes := &recorder{HTTPClient: plain}
	cfg := c.aws.Copy()
	cfg.HTTPClient = notes
	second, err := awslambda.New(awslambda.Config{AWS: &cfg, Concurrency: 2, MemoryMB: 1024})
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Prepare(t.Context(), backends.Deployment{Program: changed(t), Bucket: bucket}); err != nil {
		t.Fatal(err)
	}
	ex, err := mapper.New(t.Context(), ready{second}, bucket, mapper.Options{Quiet: true})
	if err != nil {
		t.Fatal(err)
	}
	wantDoubled(t, ex, 3)
	if err := ex.Close(); err != nil {
		t.Error(err)
	}
	if calls := notes.control(); len(calls) > 0 {
		t.Errorf("a changed program costs calls of the control plane: %v", calls)
	}
	programs := 0
	for _, err := range bucket.List(t.Context(), "programs/") {
		if err != nil {
			t.Fatal(err)
		}
		programs++
	}
	if programs != 2 {
		t.Errorf("%d programs are in the bucket, want the one that was deployed and the changed one", programs)
	}
	if err := second.Destroy(t.Context(), bucket.URL()); err != nil {
		t.Error(err)
	}
}

// ready is a backend that was prepared.
type ready struct{ *awslambda.Backend }

func (ready) Prepare(context.Context, backends.Deployment) error { return nil }

// changed returns a program that does what this one does, and has another hash.
func changed(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "changed")
	data, err := os.ReadFile(os.Getenv("GOWREN_PROGRAM"))
	if err == nil {
		err = os.WriteFile(path, append(data, "changed"...), 0o700)
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// TestRefused sends a function what it must not serve: a program whose bytes have another hash, and another bucket.
func TestRefused(t *testing.T) {
	t.Parallel()
	c := newCloud(t, lambda.Options{RoleDelay: -1})
	bucket := newBucket(t)
	b := c.backend(t, awslambda.Config{Role: c.role(t), Concurrency: 2})
	prepare(t, b, bucket)
	hash := strings.Repeat("ab", 32)
	packed, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := bucket.Put(t.Context(), "programs/"+hash+".zst", bytes.NewReader(packed.EncodeAll([]byte("no program"), nil))); err != nil {
		t.Fatal(err)
	}
	for what, m := range map[string]map[string]any{
		"is another":       {"program": hash, "bucket": bucket.URL()},
		"has no program":   {"program": strings.Repeat("cd", 32), "bucket": bucket.URL()},
		"no SHA-256":       {"program": "../../etc/passwd", "bucket": bucket.URL()},
		"was deployed for": {"program": hash, "bucket": "s3://other"},
	} {
		m["gowren"], m["reply"], m["invocation"], m["request"] = 1, "inline", "x", wire.AppendFrame(nil, wire.TypeRequest, nil)
		payload, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		out, err := awssdk.NewFromConfig(c.sdk()).Invoke(t.Context(), &awssdk.InvokeInput{FunctionName: aws.String(b.Function()), Payload: payload})
		if err != nil || out.FunctionError != nil {
			t.Fatalf("%s: %v, %v", what, out, err)
		}
		var a struct{ Frames []byte }
		if err := json.Unmarshal(out.Payload, &a); err != nil {
			t.Fatal(err)
		}
		var frames wire.Reader
		frames.Reset(strings.NewReader(string(a.Frames)))
		kind, frame, err := frames.Next()
		if err != nil || kind != wire.TypeLost {
			t.Fatalf("%s: a frame of type %d, %v", what, kind, err)
		}
		if lost, err := wire.DecodeLost(frame); err != nil || lost.Loss == wire.LossWorker && what != "is another" || !strings.Contains(lost.Message, what) {
			t.Errorf("want %q: %+v, %v", what, lost, err)
		}
	}
	if _, err := b.Invoke(t.Context(), backends.Request{Body: make([]byte, awslambda.MaxRequest+1)}); !errors.Is(err, backends.ErrInvalid) {
		t.Errorf("a request that is too large: %v", err)
	}
	r, err := b.Invoke(t.Context(), backends.Request{Body: make([]byte, awslambda.MaxRequest)})
	if err == nil { // it is taken, and then no request
		_, err = io.Copy(io.Discard, r)
		r.Close()
	}
	if err == nil || strings.Contains(err.Error(), "too large") {
		t.Errorf("a request as large as may be: %v", err)
	}
}

// TestArchive looks into the archive of a small program.
func TestArchive(t *testing.T) {
	t.Parallel()
	path, hash := filepath.Join(t.TempDir(), "program"), strings.Repeat("ef", 32)
	text := strings.Repeat("a program", 1000)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	data, err := awslambda.Archive(path, hash)
	if err != nil || len(data) > len(text)/2 {
		t.Fatalf("%d bytes, %v", len(data), err)
	}
	r, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"bootstrap": text, "program.sha256": hash}
	for _, f := range r.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(in)
		if err != nil || string(got) != want[f.Name] || f.Name == "bootstrap" && f.Mode() != 0o755 {
			t.Errorf("%s: %d bytes, mode %v, %v", f.Name, len(got), f.Mode(), err)
		}
		delete(want, f.Name)
	}
	if len(want) > 0 {
		t.Errorf("the archive lacks %v", want)
	}
}
