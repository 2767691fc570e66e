package lambda

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// TestStates checks what cannot be done while a function is made or changed.
func TestStates(t *testing.T) {
	t.Parallel()
	a := started(t, Options{Pending: 300 * time.Millisecond})
	a.role()
	r, err := a.lambda.CreateFunction(t.Context(), a.function("f"))
	if err != nil {
		t.Fatal(err)
	}
	if r.State != types.StatePending || r.StateReasonCode != types.StateReasonCodeCreating || r.LastUpdateStatus != types.LastUpdateStatusInProgress {
		t.Errorf("%+v", r)
	}
	_, err = a.invoke(t.Context(), "f", `{}`)
	if says := wantCode(t, err, "ResourceConflictException"); says != "The operation cannot be performed at this time. The function is currently in the following state: Pending" {
		t.Error(says)
	}
	resize := func(mb int32) error {
		_, err := a.lambda.UpdateFunctionConfiguration(t.Context(), &awslambda.UpdateFunctionConfigurationInput{FunctionName: aws.String("f"), MemorySize: &mb})
		return err
	}
	wantCode(t, resize(512), "ResourceConflictException")
	_, err = a.lambda.CreateFunction(t.Context(), a.function("f"))
	if says := wantCode(t, err, "ResourceConflictException"); says != "Function already exist: f" {
		t.Error(says)
	}
	active := awslambda.NewFunctionActiveV2Waiter(a.lambda, func(o *awslambda.FunctionActiveV2WaiterOptions) { o.MinDelay = 10 * time.Millisecond })
	if err := active.Wait(t.Context(), &awslambda.GetFunctionInput{FunctionName: aws.String("f")}, time.Minute); err != nil {
		t.Fatal(err)
	}
	if got := a.mustInvoke("f", `{"Do":"count"}`); got != "1" {
		t.Error(got)
	}
	if err := resize(512); err != nil {
		t.Fatal(err)
	}
	if says := wantCode(t, resize(256), "ResourceConflictException"); !strings.Contains(says, "An update is in progress for resource: "+a.functionARN("f")) {
		t.Error(says)
	}
	// The old one serves until the new one is there.
	if got := a.mustInvoke("f", `{"Do":"count"}`); got != "2" {
		t.Error(got)
	}
	updated := awslambda.NewFunctionUpdatedV2Waiter(a.lambda, func(o *awslambda.FunctionUpdatedV2WaiterOptions) { o.MinDelay = 10 * time.Millisecond })
	if err := updated.Wait(t.Context(), &awslambda.GetFunctionInput{FunctionName: aws.String("f")}, time.Minute); err != nil {
		t.Fatal(err)
	}
	if got := a.mustInvoke("f", `{"Do":"count"}`); got != "1" {
		t.Error(got)
	}
	c, err := a.lambda.GetFunctionConfiguration(t.Context(), &awslambda.GetFunctionConfigurationInput{FunctionName: aws.String("f")})
	if err != nil || *c.MemorySize != 512 || *c.CodeSha256 != *r.CodeSha256 {
		t.Errorf("error %v, %+v", err, c)
	}
}

// TestUpdateFails checks that the old code serves on where an update fails.
func TestUpdateFails(t *testing.T) {
	t.Parallel()
	a := started(t, Options{UpdateFailure: "The subnet is full."})
	a.create("f")
	a.mustInvoke("f", `{}`)
	in := &awslambda.UpdateFunctionCodeInput{FunctionName: aws.String("f"), ZipFile: zipped(t, "bootstrap", 0o755, []byte("#!/bin/false"))}
	if _, err := a.lambda.UpdateFunctionCode(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	r, err := a.lambda.GetFunction(t.Context(), &awslambda.GetFunctionInput{FunctionName: aws.String("f")})
	if err != nil || r.Configuration.LastUpdateStatus != types.LastUpdateStatusFailed || *r.Configuration.LastUpdateStatusReason != "The subnet is full." {
		t.Errorf("error %v, %+v", err, r.Configuration)
	}
	if got := a.mustInvoke("f", `{"Do":"count"}`); got != "2" {
		t.Error(got)
	}
}

// TestUpdateCode changes the code, and checks it with a revision.
func TestUpdateCode(t *testing.T) {
	t.Parallel()
	a := started(t, Options{})
	a.create("f")
	pid := a.mustInvoke("f", `{"Do":"pid"}`)
	in := &awslambda.UpdateFunctionCodeInput{FunctionName: aws.String("f"), ZipFile: a.function("f").Code.ZipFile, RevisionId: aws.String("old")}
	_, err := a.lambda.UpdateFunctionCode(t.Context(), in)
	wantCode(t, err, "PreconditionFailedException")
	in.RevisionId = nil
	if _, err := a.lambda.UpdateFunctionCode(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	if got := a.mustInvoke("f", `{"Do":"pid"}`); got == pid {
		t.Error("the old environment serves the new code")
	}
	in.ZipFile = []byte("no zip")
	_, err = a.lambda.UpdateFunctionCode(t.Context(), in)
	wantCode(t, err, "InvalidParameterValueException")
}

// TestNewRole checks that a role needs time, and trust.
func TestNewRole(t *testing.T) {
	t.Parallel()
	a := started(t, Options{RoleDelay: 300 * time.Millisecond})
	create := func() error {
		_, err := a.lambda.CreateFunction(t.Context(), a.function("f"))
		return err
	}
	const says = "The role defined for the function cannot be assumed by Lambda."
	if got := wantCode(t, create(), "InvalidParameterValueException"); got != says {
		t.Error(got)
	}
	a.role()
	if got := wantCode(t, create(), "InvalidParameterValueException"); got != says {
		t.Error(got)
	}
	await(t, "the role", func() bool { return create() == nil })
}

// TestRefusedFunctions checks the limits of what can be created.
func TestRefusedFunctions(t *testing.T) {
	t.Parallel()
	a := started(t, Options{})
	a.role()
	const value, model = "InvalidParameterValueException", "ValidationException"
	variables := func(name, value string) func(*awslambda.CreateFunctionInput) {
		return func(in *awslambda.CreateFunctionInput) {
			in.Environment = &types.Environment{Variables: map[string]string{name: value}}
		}
	}
	for _, c := range []struct {
		what, code string
		change     func(*awslambda.CreateFunctionInput)
	}{
		{"name", model, func(in *awslambda.CreateFunctionInput) { in.FunctionName = aws.String("a b") }},
		{"long name", model, func(in *awslambda.CreateFunctionInput) { in.FunctionName = aws.String(strings.Repeat("a", 65)) }},
		{"little memory", model, func(in *awslambda.CreateFunctionInput) { in.MemorySize = aws.Int32(127) }},
		{"much memory", model, func(in *awslambda.CreateFunctionInput) { in.MemorySize = aws.Int32(10241) }},
		{"timeout", model, func(in *awslambda.CreateFunctionInput) { in.Timeout = aws.Int32(901) }},
		{"storage", model, func(in *awslambda.CreateFunctionInput) {
			in.EphemeralStorage = &types.EphemeralStorage{Size: aws.Int32(100)}
		}},
		{"role", model, func(in *awslambda.CreateFunctionInput) { in.Role = aws.String("worker") }},
		{"architecture", model, func(in *awslambda.CreateFunctionInput) { in.Architectures = []types.Architecture{"riscv"} }},
		{"runtime", value, func(in *awslambda.CreateFunctionInput) { in.Runtime = types.RuntimePython312 }},
		{"no handler", value, func(in *awslambda.CreateFunctionInput) { in.Handler = nil }},
		{"reserved", value, variables("AWS_REGION", "x")},
		{"odd variable", model, variables("A-B", "x")},
		{"4 KB", value, variables("BIG", strings.Repeat("x", 4096))},
		{"code", value, func(in *awslambda.CreateFunctionInput) { in.Code.ZipFile = []byte("PK") }},
		{"tag", value, func(in *awslambda.CreateFunctionInput) { in.Tags = map[string]string{"aws:x": "y"} }},
		{"what is not imitated", "SerializationException", func(in *awslambda.CreateFunctionInput) { in.Layers = []string{"x"} }},
	} {
		in := a.function("f")
		c.change(in)
		_, err := a.lambda.CreateFunction(t.Context(), in)
		t.Log(c.what)
		wantCode(t, err, c.code)
	}
	if _, err := a.lambda.CreateFunction(t.Context(), a.function("f")); err != nil {
		t.Fatal(err)
	}
}

// TestLargeArchive checks the two limits of an archive. No request carries it: the race detector would need half a minute.
func TestLargeArchive(t *testing.T) {
	t.Parallel()
	a := started(t, Options{})
	unpack := func(zip []byte) error {
		_, err := a.unpack(archive{zip}, &configuration{})
		return err
	}
	if err := unpack(make([]byte, largestZip+1)); err == nil || !strings.Contains(err.Error(), "RequestEntityTooLargeException") {
		t.Errorf("error %v", err)
	}
	var buf bytes.Buffer
	w := zip.NewWriter(&buf)
	_, err := w.CreateRaw(&zip.FileHeader{Name: "bootstrap", UncompressedSize64: largestUnzipped + 1})
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	if err := unpack(buf.Bytes()); err == nil || !strings.Contains(err.Error(), "Unzipped size must be smaller than 262144000 bytes") {
		t.Errorf("error %v", err)
	}
}

// TestList pages through functions, and changes tags.
func TestList(t *testing.T) {
	t.Parallel()
	a := started(t, Options{})
	a.create("f-0", func(in *awslambda.CreateFunctionInput) { in.Tags = map[string]string{"a": "b"} })
	for i := 1; i < 5; i++ {
		if _, err := a.lambda.CreateFunction(t.Context(), a.function(fmt.Sprint("f-", i))); err != nil {
			t.Fatal(err)
		}
	}
	var names []string
	pages := awslambda.NewListFunctionsPaginator(a.lambda, &awslambda.ListFunctionsInput{MaxItems: aws.Int32(2)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range page.Functions {
			names = append(names, *f.FunctionName)
		}
	}
	if want := []string{"f-0", "f-1", "f-2", "f-3", "f-4"}; !slices.Equal(names, want) {
		t.Errorf("%v", names)
	}
	arn := aws.String(a.functionARN("f-0"))
	if _, err := a.lambda.TagResource(t.Context(), &awslambda.TagResourceInput{Resource: arn, Tags: map[string]string{"c": "d"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.lambda.UntagResource(t.Context(), &awslambda.UntagResourceInput{Resource: arn, TagKeys: []string{"a"}}); err != nil {
		t.Fatal(err)
	}
	r, err := a.lambda.ListTags(t.Context(), &awslambda.ListTagsInput{Resource: arn})
	if err != nil || len(r.Tags) != 1 || r.Tags["c"] != "d" {
		t.Errorf("error %v, %v", err, r)
	}
	if _, err := a.lambda.DeleteFunction(t.Context(), &awslambda.DeleteFunctionInput{FunctionName: aws.String("f-0")}); err != nil {
		t.Fatal(err)
	}
	_, err = a.lambda.DeleteFunction(t.Context(), &awslambda.DeleteFunctionInput{FunctionName: aws.String("f-0")})
	wantCode(t, err, "ResourceNotFoundException")
}

// TestRights checks denials, and the record of what was asked for.
func TestRights(t *testing.T) {
	t.Parallel()
	a := started(t, Options{Deny: []string{"iam:PassRole", "lambda:ListFunctions", "iam:DeleteRole"}})
	a.role()
	_, err := a.lambda.CreateFunction(t.Context(), a.function("f"))
	if says := wantCode(t, err, "AccessDeniedException"); !strings.HasPrefix(says, "User: arn:aws:iam::123456789012:user/driver is not authorized to perform: iam:PassRole on resource: arn:aws:iam::123456789012:role/worker because") {
		t.Error(says)
	}
	_, err = a.lambda.ListFunctions(t.Context(), &awslambda.ListFunctionsInput{})
	wantCode(t, err, "AccessDeniedException")
	_, err = a.iam.DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: aws.String("worker")})
	wantCode(t, err, "AccessDenied")
	want := []string{"iam:CreateRole", "iam:DeleteRole", "iam:PassRole", "lambda:CreateFunction", "lambda:ListFunctions"}
	if got := a.Actions(); !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	b := started(t, Options{})
	b.create("f")
	b.mustInvoke("f", `{}`)
	if got := b.RoleActions("worker"); !slices.Equal(got, []string{"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"}) {
		t.Errorf("%v", got)
	}
	if got := b.Actions(); !slices.Contains(got, "lambda:InvokeFunction") {
		t.Errorf("%v", got)
	}
}

// TestKeys checks keys that are nobody's, another's and yesterday's, and throttling.
func TestKeys(t *testing.T) {
	t.Parallel()
	a := started(t, Options{})
	a.role()
	list := func(c aws.Config) error {
		_, err := awslambda.NewFromConfig(c).ListFunctions(t.Context(), &awslambda.ListFunctionsInput{})
		return err
	}
	if err := list(a.config); err != nil {
		t.Fatal(err)
	}
	other := a.config
	other.Credentials = credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "x", "")
	wantCode(t, list(other), "UnrecognizedClientException")
	other = a.config
	other.Credentials = aws.AnonymousCredentials{}
	wantCode(t, list(other), "MissingAuthenticationTokenException")
	a.SetFaults(Faults{ThrottleControl: 1})
	wantCode(t, list(a.config), "TooManyRequestsException")
	if err := list(a.config); err != nil {
		t.Fatal(err)
	}
	a.ExpireCredentials()
	wantCode(t, list(a.config), "ExpiredTokenException")
	_, err := a.iam.GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String("worker")})
	wantCode(t, err, "ExpiredToken")
}

// TestUnknownFields checks that what the model does not know is refused.
func TestUnknownFields(t *testing.T) {
	t.Parallel()
	a := started(t, Options{})
	body := `{"FunctionName":"f","Speed":3}`
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, a.Endpoint+"/2015-03-31/functions", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := a.config.Credentials.Retrieve(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := v4.NewSigner().SignHTTP(t.Context(), keys, r, strings.Repeat("0", 64), "lambda", a.Region, time.Now()); err != nil {
		t.Fatal(err)
	}
	reply, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	if reply.StatusCode != http.StatusBadRequest || reply.Header.Get("X-Amzn-Errortype") != "SerializationException" {
		t.Errorf("%s %v", reply.Status, reply.Header)
	}
}
