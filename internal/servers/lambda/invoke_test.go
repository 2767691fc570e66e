package lambda

import (
	"context"
	"debug/elf"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

func TestInvoke(t *testing.T) {
	t.Parallel()
	a := started(t, Options{})
	a.create("f")
	for _, want := range []string{"1", "2", "3"} {
		if got := a.mustInvoke("f", `{"Do":"count"}`); got != want {
			t.Errorf("the environment has served %s, want %s", got, want)
		}
	}
	r, err := a.invoke(t.Context(), a.functionARN("f"), `{"Do":"print","With":"hello"}`)
	if err != nil {
		t.Fatal(err)
	}
	text := tail(t, r.LogResult)
	for _, want := range []string{"START RequestId: ", "\nhello\n", "END RequestId: ", "Max Memory Used: "} {
		if !strings.Contains(text, want) {
			t.Errorf("the tail has no %q: %s", want, text)
		}
	}
	if *r.ExecutedVersion != "$LATEST" || r.FunctionError != nil {
		t.Errorf("version %s, error %v", *r.ExecutedVersion, r.FunctionError)
	}
	if !strings.Contains(a.Log("f"), "hello") {
		t.Errorf("the log has %q", a.Log("f"))
	}
	a.mustInvoke("f", `{"Do":"print","With":"`+strings.Repeat("l", 9000)+`"}`)
	if r, err = a.invoke(t.Context(), "f", `{"Do":"print","With":"`+strings.Repeat("l", 9000)+`"}`); err != nil || len(tail(t, r.LogResult)) != 4096 {
		t.Errorf("error %v, or the tail is not cut", err)
	}
}

func tail(t *testing.T, result *string) string {
	t.Helper()
	text, err := base64.StdEncoding.DecodeString(aws.ToString(result))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestFunctionErrors checks what Lambda reports, in words, of what goes wrong inside.
func TestFunctionErrors(t *testing.T) {
	t.Parallel()
	a := started(t, Options{InitLimit: 5 * time.Second})
	a.create("f")
	hasty := func(in *awslambda.CreateFunctionInput) { in.Timeout = aws.Int32(1) }
	handler := func(name string) func(*awslambda.CreateFunctionInput) {
		return func(in *awslambda.CreateFunctionInput) { in.Handler = &name }
	}
	for _, c := range []struct {
		name, do, with string
		change         func(*awslambda.CreateFunctionInput)
		kind, message  string
		log            string
	}{
		{name: "error", do: "fail", with: "no luck", kind: "My.Error", message: "no luck", log: "Status: error\tError Type: My.Error"},
		{name: "exit", do: "exit", with: "1", kind: "Runtime.ExitError", message: "RequestId: ID Error: Runtime exited with error: exit status 1", log: "going away"},
		{name: "exit0", do: "exit", with: "0", kind: "Runtime.ExitError", message: "RequestId: ID Error: Runtime exited without providing a reason"},
		{name: "timeout", do: "hang", change: hasty, kind: "Sandbox.Timedout", message: "RequestId: ID Error: Task timed out after 1.00 seconds", log: "Status: timeout"},
		{name: "large", do: "size", with: strconv.Itoa(largestReply + 1), kind: "Function.ResponseSizeTooLarge", message: "Response payload size exceeded maximum allowed payload size (6291556 bytes)."},
		{name: "panic", do: "panic", with: "help", change: handler("go"), kind: "string", message: "help"},
		{name: "go-error", do: "fail", with: "no luck", change: handler("go"), kind: "errorString", message: "no luck"},
		{name: "init-exit", change: handler("goes"), kind: "Runtime.ExitError", message: "RequestId: ID Error: Runtime exited with error: exit status 3"},
		{name: "init-error", change: handler("says"), kind: "No.Database", message: "none"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			name := "f"
			if c.change != nil {
				name = c.name
				in := a.function(name)
				c.change(in)
				if _, err := a.lambda.CreateFunction(t.Context(), in); err != nil {
					t.Fatal(err)
				}
			}
			payload, err := json.Marshal(order{c.do, c.with})
			if err != nil {
				t.Fatal(err)
			}
			r, err := a.invoke(t.Context(), name, string(payload))
			if err != nil {
				t.Fatal(err)
			}
			if aws.ToString(r.FunctionError) != "Unhandled" || r.StatusCode != http.StatusOK {
				t.Errorf("status %d, function error %v", r.StatusCode, r.FunctionError)
			}
			var got struct{ ErrorType, ErrorMessage string }
			if err := json.Unmarshal(r.Payload, &got); err != nil {
				t.Fatalf("%s: %v", r.Payload, err)
			}
			text := tail(t, r.LogResult)
			id, _, _ := strings.Cut(strings.TrimPrefix(text, "START RequestId: "), " ")
			if got.ErrorType != c.kind || strings.ReplaceAll(got.ErrorMessage, id, "ID") != c.message {
				t.Errorf("got %+v", got)
			}
			if !strings.Contains(text, c.log) {
				t.Errorf("the log has no %q: %s", c.log, text)
			}
		})
	}
}

// TestSlowStart checks that a start which takes too long is tried again, and then fails in the invocation's time.
func TestSlowStart(t *testing.T) {
	t.Parallel()
	a := started(t, Options{InitLimit: 100 * time.Millisecond})
	a.create("never", func(in *awslambda.CreateFunctionInput) { in.Handler, in.Timeout = aws.String("never"), aws.Int32(1) })
	r, err := a.invoke(t.Context(), "never", `{}`)
	if err != nil || !strings.Contains(string(r.Payload), "Sandbox.Timedout") {
		t.Errorf("error %v, %+v", err, r)
	}
	if _, err := a.lambda.CreateFunction(t.Context(), a.function("slow")); err != nil {
		t.Fatal(err)
	}
	a.SetFaults(Faults{ColdStart: time.Hour})
	if got := a.mustInvoke("slow", `{"Do":"count"}`); got != "1" {
		t.Errorf("got %s", got)
	}
}

// TestEntrypoint checks bootstraps that cannot be run.
func TestEntrypoint(t *testing.T) {
	t.Parallel()
	a := started(t, Options{})
	a.role()
	other := elf.EM_AARCH64
	if architecture() == "arm64" {
		other = elf.EM_X86_64
	}
	header := make([]byte, 64)
	copy(header, "\x7fELF\x02\x01\x01")
	binary.LittleEndian.PutUint16(header[16:], uint16(elf.ET_EXEC))
	binary.LittleEndian.PutUint16(header[18:], uint16(other))
	binary.LittleEndian.PutUint32(header[20:], 1)
	binary.LittleEndian.PutUint16(header[52:], 64)
	for name, c := range map[string]struct {
		zip  []byte
		says string
	}{
		"other": {zipped(t, "bootstrap", 0o755, header), "exec format error"},
		"text":  {zipped(t, "bootstrap", 0o755, []byte("\x00\x01")), "exec format error"},
		"plain": {zipped(t, "bootstrap", 0o644, []byte("#!/bin/sh\n")), "permission denied"},
		"none":  {zipped(t, "main", 0o755, header), "Couldn't find valid bootstrap(s)"},
	} {
		in := a.function(name)
		in.Code.ZipFile = c.zip
		if _, err := a.lambda.CreateFunction(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		r, err := a.invoke(t.Context(), name, `{}`)
		if err != nil || !strings.Contains(string(r.Payload), "Runtime.InvalidEntrypoint") || !strings.Contains(string(r.Payload), c.says) {
			t.Errorf("%s: error %v, %s", name, err, r.Payload)
		}
	}
}

// TestRefusedInvocations checks what never reaches a function.
func TestRefusedInvocations(t *testing.T) {
	t.Parallel()
	a := started(t, Options{})
	a.create("f")
	status := func(err error) int {
		r, ok := errors.AsType[*smithyhttp.ResponseError](err)
		if !ok {
			t.Fatalf("error %v", err)
		}
		return r.HTTPStatusCode()
	}
	_, err := a.invoke(t.Context(), "f", `"`+strings.Repeat("x", largestPayload)+`"`)
	if status(err) != http.StatusRequestEntityTooLarge {
		t.Errorf("too large: %v", err)
	}
	a.mustInvoke("f", `{"With":"`+strings.Repeat("x", largestPayload-11)+`"}`)
	if _, err = a.invoke(t.Context(), "f", `{"Do":`); status(err) != http.StatusBadRequest {
		t.Errorf("no JSON: %v", err)
	}
	wantCode(t, err, "InvalidRequestContentException")
	_, err = a.invoke(t.Context(), "g", `{}`)
	if says := wantCode(t, err, "ResourceNotFoundException"); says != "Function not found: "+a.functionARN("g") {
		t.Error(says)
	}
	r, err := a.lambda.Invoke(t.Context(), &awslambda.InvokeInput{FunctionName: aws.String("f"), InvocationType: types.InvocationTypeDryRun})
	if err != nil || r.StatusCode != http.StatusNoContent {
		t.Errorf("dry run: %v, %+v", err, r)
	}
	if n := len(a.Environments("f")); n != 1 {
		t.Errorf("%d environments, want the one of the call that was good", n)
	}
}

// TestEnvironment checks what a bootstrap finds.
func TestEnvironment(t *testing.T) {
	t.Parallel()
	a := started(t, Options{Env: []string{"AWS_ENDPOINT_URL_S3=http://127.0.0.1:1"}})
	a.create("f", func(in *awslambda.CreateFunctionInput) {
		in.Environment = &types.Environment{Variables: map[string]string{"GOWREN_X": "y"}}
	})
	var env []string
	if err := json.Unmarshal([]byte(a.mustInvoke("f", `{"Do":"env"}`)), &env); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"GOWREN_X=y", "AWS_ENDPOINT_URL_S3=http://127.0.0.1:1", "AWS_LAMBDA_FUNCTION_NAME=f", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE=1024",
		"AWS_REGION=us-east-1", "_HANDLER=raw",
	} {
		if !slices.Contains(env, want) {
			t.Errorf("no %s", want)
		}
	}
	for _, one := range env {
		for _, not := range []string{"AWS_EXECUTION_ENV=", "HOME=", "GOCACHE=", "GOWREN_TEST"} {
			if strings.HasPrefix(one, not) {
				t.Errorf("there is %s", one)
			}
		}
	}
	var header http.Header
	before := time.Now()
	if err := json.Unmarshal([]byte(a.mustInvoke("f", `{"Do":"headers"}`)), &header); err != nil {
		t.Fatal(err)
	}
	ms, err := strconv.ParseInt(header.Get("Lambda-Runtime-Deadline-Ms"), 10, 64)
	if until := time.UnixMilli(ms).Sub(before); err != nil || until < 19*time.Second || until > 60*time.Second {
		t.Errorf("the deadline is in %v (%v)", until, err)
	}
	if arn := header.Get("Lambda-Runtime-Invoked-Function-Arn"); arn != a.functionARN("f") {
		t.Error(arn)
	}
}

// TestEvents counts deliveries.
func TestEvents(t *testing.T) {
	t.Parallel()
	a := started(t, Options{EventRetry: time.Millisecond})
	a.create("f")
	event := func(do string) string {
		t.Helper()
		path := filepath.Join(t.TempDir(), "count")
		payload, err := json.Marshal(order{do, path})
		if err != nil {
			t.Fatal(err)
		}
		r, err := a.lambda.Invoke(t.Context(), &awslambda.InvokeInput{FunctionName: aws.String("f"), InvocationType: types.InvocationTypeEvent, Payload: payload})
		if err != nil || r.StatusCode != http.StatusAccepted || len(r.Payload) > 0 {
			t.Fatalf("error %v, %+v", err, r)
		}
		return path
	}
	delivered := func(path string, want int) {
		t.Helper()
		await(t, strconv.Itoa(want)+" deliveries", func() bool { b, _ := os.ReadFile(path); return len(b) == want })
	}
	delivered(event("append"), 3)
	a.SetFaults(Faults{Duplicate: 1})
	delivered(event("append"), 6)
	one := int32(0)
	if _, err := a.lambda.PutFunctionEventInvokeConfig(t.Context(), &awslambda.PutFunctionEventInvokeConfigInput{FunctionName: aws.String("f"), MaximumRetryAttempts: &one}); err != nil {
		t.Fatal(err)
	}
	a.SetFaults(Faults{ThrottleInvokes: 2})
	delivered(event("append"), 1)
	_, err := a.lambda.Invoke(t.Context(), &awslambda.InvokeInput{
		FunctionName: aws.String("f"), InvocationType: types.InvocationTypeEvent, Payload: []byte(`"` + strings.Repeat("x", 1<<20) + `"`),
	})
	wantCode(t, err, "RequestTooLargeException")
}

// TestConcurrency fills a function's reserve, and then the account.
func TestConcurrency(t *testing.T) {
	t.Parallel()
	a := started(t, Options{Concurrency: 102})
	a.create("f")
	reserve := func(n int32) error {
		_, err := a.lambda.PutFunctionConcurrency(t.Context(), &awslambda.PutFunctionConcurrencyInput{FunctionName: aws.String("f"), ReservedConcurrentExecutions: &n})
		return err
	}
	if says := wantCode(t, reserve(3), "InvalidParameterValueException"); !strings.Contains(says, "below its minimum value of [100]") {
		t.Error(says)
	}
	if err := reserve(2); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "go")
	payload, err := json.Marshal(order{"until", path})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 2)
	for range 2 {
		go func() {
			_, err := a.invoke(context.WithoutCancel(t.Context()), "f", string(payload))
			done <- err
		}()
	}
	await(t, "two environments", func() bool { return len(a.Environments("f")) == 2 })
	_, err = a.invoke(t.Context(), "f", `{}`)
	busy, ok := errors.AsType[*types.TooManyRequestsException](err)
	if !ok || busy.Reason != types.ThrottleReasonReservedFunctionConcurrentInvocationLimitExceeded {
		t.Errorf("error %v", err)
	}
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	a.mustInvoke("f", `{}`)
	if n := len(a.Environments("f")); n != 2 {
		t.Errorf("%d environments", n)
	}
	a.SetFaults(Faults{ThrottleInvokes: 1})
	_, err = a.invoke(t.Context(), "f", `{}`)
	if busy, ok := errors.AsType[*types.TooManyRequestsException](err); !ok || busy.Reason != types.ThrottleReasonConcurrentInvocationLimitExceeded {
		t.Errorf("error %v", err)
	}
	got, err := a.lambda.GetFunctionConcurrency(t.Context(), &awslambda.GetFunctionConcurrencyInput{FunctionName: aws.String("f")})
	if err != nil || aws.ToInt32(got.ReservedConcurrentExecutions) != 2 {
		t.Errorf("error %v, %+v", err, got)
	}
	settings, err := a.lambda.GetAccountSettings(t.Context(), &awslambda.GetAccountSettingsInput{})
	if err != nil || *settings.AccountLimit.UnreservedConcurrentExecutions != 100 || settings.AccountLimit.ConcurrentExecutions != 102 {
		t.Errorf("error %v, %+v", err, settings)
	}
	if _, err := a.lambda.DeleteFunctionConcurrency(t.Context(), &awslambda.DeleteFunctionConcurrencyInput{FunctionName: aws.String("f")}); err != nil {
		t.Error(err)
	}
}
