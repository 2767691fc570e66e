package awslambda_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/awslambda"
	"github.com/gowren/gowren/internal/servers"
)

// TestMoto makes a function and a role, and removes them, on an imitation of AWS that is not this project's. It runs no
// functions, so that Prepare ends with the answer to its first ping, which is none of a worker's.
func TestMoto(t *testing.T) {
	t.Parallel()
	endpoint := servers.Moto(t).Endpoint
	cfg := aws.Config{Region: "us-east-1", BaseEndpoint: &endpoint, HTTPClient: plain, Credentials: credentials.NewStaticCredentialsProvider("AKIAEXAMPLE", "secret", "")}
	b, err := awslambda.New(awslambda.Config{AWS: &cfg, MemoryMB: 512, Concurrency: 3, Plain: true, Tags: map[string]string{"team": "blue"}})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	bucket := newBucket(t)
	defer bucket.Close()
	err = b.Prepare(t.Context(), backends.Deployment{Program: os.Getenv("GOWREN_PROGRAM"), Bucket: bucket})
	if err == nil || errors.Is(err, backends.ErrRefused) || !strings.Contains(err.Error(), "gowren-") {
		t.Fatalf("Prepare: %v, want that the function's answer is no worker's", err)
	}

	client := lambda.NewFromConfig(cfg)
	list, err := client.ListFunctions(t.Context(), &lambda.ListFunctionsInput{})
	if err != nil || len(list.Functions) != 1 {
		t.Fatalf("%d functions are there, %v", len(list.Functions), err)
	}
	f, err := client.GetFunction(t.Context(), &lambda.GetFunctionInput{FunctionName: list.Functions[0].FunctionName})
	if err != nil {
		t.Fatal(err)
	}
	c := f.Configuration
	if !strings.HasPrefix(*c.FunctionName, "gowren-") || *c.MemorySize != 512 || *c.Timeout != 900 || c.Runtime != types.RuntimeProvidedal2023 ||
		f.Tags["team"] != "blue" || *c.EphemeralStorage.Size != 512 {
		t.Errorf("the function is %+v with the tags %v", c, f.Tags)
	}
	retries, err := client.GetFunctionEventInvokeConfig(t.Context(), &lambda.GetFunctionEventInvokeConfigInput{FunctionName: c.FunctionName})
	if err != nil || *retries.MaximumRetryAttempts != 0 {
		t.Errorf("events are tried again: %+v, %v", retries, err)
	}
	roles := iam.NewFromConfig(cfg)
	name := (*c.Role)[strings.LastIndex(*c.Role, "/")+1:]
	if _, err := roles.GetRole(t.Context(), &iam.GetRoleInput{RoleName: &name}); err != nil {
		t.Error(err)
	}

	if err := b.Destroy(context.WithoutCancel(t.Context()), bucket.URL()); err != nil {
		t.Fatal(err)
	}
	if list, err = client.ListFunctions(t.Context(), &lambda.ListFunctionsInput{}); err != nil || len(list.Functions) != 0 {
		t.Errorf("after Destroy %d functions are there, %v", len(list.Functions), err)
	}
	if _, err := roles.GetRole(t.Context(), &iam.GetRoleInput{RoleName: &name}); err == nil {
		t.Error("after Destroy the role is there")
	}
}
