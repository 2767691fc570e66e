package lambda

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if os.Getenv("AWS_LAMBDA_RUNTIME_API") != "" {
		bootstrap(os.Getenv("_HANDLER"))
		os.Exit(0)
	}
	if server := os.Getenv(holderVariable); server != "" {
		os.Exit(hold(m))
	}
	goleak.VerifyTestMain(m)
}

// trust is the policy of a role that Lambda may take.
const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

// at is a server and its clients, which try nothing twice.
type at struct {
	*Server
	t      *testing.T
	lambda *awslambda.Client
	iam    *iam.Client
	config aws.Config
}

func started(t *testing.T, o Options) *at {
	t.Helper()
	if o.RoleDelay == 0 {
		o.RoleDelay = -1
	}
	if o.Pending == 0 {
		o.Pending = -1
	}
	// The race detector makes each process wait for a second before it ends. Bootstraps need not.
	o.Env = append(o.Env, "GORACE=atexit_sleep_ms=0")
	s := Start(t, o)
	c := aws.Config{
		Region: s.Region, BaseEndpoint: &s.Endpoint, RetryMaxAttempts: 1, HTTPClient: plainBodies{awshttp.NewBuildableClient()},
		Credentials: credentials.NewStaticCredentialsProvider(s.Credentials.AccessKey, s.Credentials.SecretKey, s.Credentials.SessionToken),
	}
	return &at{s, t, awslambda.NewFromConfig(c), iam.NewFromConfig(c), c}
}

// plainBodies is a client whose requests' bodies can only be read. The SDK's have a WriteTo that fails with io.EOF once
// the response has begun, which net/http may ask for the end of the body after that: it then closes the connection in
// the middle of the reply. A server that answers at once meets it in one of a few hundred streams.
type plainBodies struct{ aws.HTTPClient }

func (c plainBodies) Do(r *http.Request) (*http.Response, error) {
	if r.Body != nil && r.Body != http.NoBody {
		r.Body = struct{ io.ReadCloser }{r.Body}
	}
	return c.HTTPClient.Do(r)
}

// role makes a role that functions can have, and returns its ARN.
func (a *at) role() string {
	a.t.Helper()
	r, err := a.iam.CreateRole(a.t.Context(), &iam.CreateRoleInput{RoleName: aws.String("worker"), AssumeRolePolicyDocument: aws.String(trust)})
	if err != nil {
		a.t.Fatal(err)
	}
	return *r.Role.Arn
}

// function is what creates a function that this test binary is the bootstrap of.
func (a *at) function(name string) *awslambda.CreateFunctionInput {
	a.t.Helper()
	program, err := os.Executable()
	if err != nil {
		a.t.Fatal(err)
	}
	return &awslambda.CreateFunctionInput{
		FunctionName: &name, Runtime: types.RuntimeProvidedal2023, Handler: aws.String("raw"),
		Role: aws.String("arn:aws:iam::" + a.Account + ":role/worker"), MemorySize: aws.Int32(1024), Timeout: aws.Int32(20),
		Architectures: []types.Architecture{types.Architecture(architecture())},
		Code:          &types.FunctionCode{ZipFile: zipped(a.t, "bootstrap", 0o755, []byte("#!/bin/sh\nexec '"+program+"'\n"))},
	}
}

// create creates a function and its role.
func (a *at) create(name string, changes ...func(*awslambda.CreateFunctionInput)) {
	a.t.Helper()
	a.role()
	in := a.function(name)
	for _, change := range changes {
		change(in)
	}
	if _, err := a.lambda.CreateFunction(a.t.Context(), in); err != nil {
		a.t.Fatal(err)
	}
}

func (a *at) invoke(ctx context.Context, name, payload string) (*awslambda.InvokeOutput, error) {
	return a.lambda.Invoke(ctx, &awslambda.InvokeInput{FunctionName: &name, Payload: []byte(payload), LogType: types.LogTypeTail})
}

// mustInvoke returns what a function answers, which is to be no error.
func (a *at) mustInvoke(name, payload string) string {
	a.t.Helper()
	r, err := a.invoke(a.t.Context(), name, payload)
	if err != nil {
		a.t.Fatal(err)
	}
	if r.FunctionError != nil {
		a.t.Fatalf("function error %s: %s", *r.FunctionError, r.Payload)
	}
	return string(r.Payload)
}

func zipped(t *testing.T, name string, mode os.FileMode, content []byte) []byte {
	t.Helper()
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	h := &zip.FileHeader{Name: name, Method: zip.Deflate}
	h.SetMode(mode)
	f, err := w.CreateHeader(h)
	if err == nil {
		_, err = f.Write(content)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

// wantCode checks that err is an error of the service with this code.
func wantCode(t *testing.T, err error, code string) string {
	t.Helper()
	e, ok := errors.AsType[smithy.APIError](err)
	if !ok || e.ErrorCode() != code {
		t.Fatalf("error %v, want %s", err, code)
	}
	return e.ErrorMessage()
}

// await waits until something holds that nobody tells of.
func await(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}
