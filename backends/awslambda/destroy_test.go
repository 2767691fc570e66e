package awslambda_test

import (
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	awssdk "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/awslambda"
	"github.com/gowren/gowren/internal/servers/lambda"
	"github.com/gowren/gowren/mapper"
)

// TestHalfMade has Prepare fail after it has made a part. A driver that never prepared anything removes it.
func TestHalfMade(t *testing.T) {
	t.Parallel()
	for _, action := range []string{"iam:PutRolePolicy", "logs:PutRetentionPolicy", "lambda:CreateFunction", "lambda:PutFunctionEventInvokeConfig"} {
		t.Run(action, func(t *testing.T) {
			t.Parallel()
			c := newCloud(t, lambda.Options{RoleDelay: -1, Deny: []string{action}, Unconfined: true})
			bucket, config := newBucket(t), awslambda.Config{MemoryMB: 512}
			b := c.backend(t, config)
			err := b.Prepare(t.Context(), backends.Deployment{Program: os.Getenv("GOWREN_PROGRAM"), Bucket: bucket})
			c.told(t, action, err, backends.ErrRefused, action)
			name := b.NameOf(c.Region, bucket.URL())
			if _, err := iam.NewFromConfig(c.sdk()).GetRole(t.Context(), &iam.GetRoleInput{RoleName: &name}); err != nil {
				t.Fatalf("nothing was made: %v", err)
			}
			if err := c.backend(t, config).Destroy(t.Context(), bucket.URL()); err != nil {
				t.Error(err)
			}
			c.gone(t, name)
		})
	}
}

// TestHalfDestroyed has Destroy be refused from its first request on, from its second, and so on. The next one removes
// what is left. The function for another bucket stays.
func TestHalfDestroyed(t *testing.T) {
	t.Parallel()
	c := newCloud(t, lambda.Options{RoleDelay: -1, Unconfined: true})
	bucket, other := newBucket(t), newBucket(t)
	stays := c.backend(t, awslambda.Config{Concurrency: 1})
	prepare(t, stays, other)
	if err := stays.Destroy(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "no bucket") {
		t.Errorf("without a bucket: %v", err)
	}
	for n := 0; ; n++ {
		b := c.backend(t, awslambda.Config{Concurrency: 1})
		prepare(t, b, bucket)
		cfg := c.aws.Copy()
		cfg.HTTPClient = &refuser{HTTPClient: plain, left: n}
		err := c.backend(t, awslambda.Config{Concurrency: 1, AWS: &cfg}).Destroy(t.Context(), bucket.URL())
		if err == nil && n < 5 {
			t.Errorf("after %d requests there is no error", n)
		}
		if again := b.Destroy(t.Context(), bucket.URL()); again != nil {
			t.Error(again)
		}
		c.gone(t, b.Function())
		if err == nil || t.Failed() {
			break
		}
	}
	wantDoubled(t, open(t, stays, other, mapper.Options{}), 2)
}

// refuser is a client of one that may do only so many requests.
type refuser struct {
	aws.HTTPClient
	left int
}

func (r *refuser) Do(req *http.Request) (*http.Response, error) {
	if r.left--; r.left >= 0 {
		return r.HTTPClient.Do(req)
	}
	return &http.Response{
		StatusCode: http.StatusForbidden, Header: http.Header{"X-Amzn-Errortype": {"AccessDeniedException"}}, Request: req,
		Body: io.NopCloser(strings.NewReader("<ErrorResponse><Error><Code>AccessDenied</Code></Error></ErrorResponse>")),
	}, nil
}

// TestForeignNames has a function and a role of somebody else bear the names of gowren's.
func TestForeignNames(t *testing.T) {
	t.Parallel()
	c := newCloud(t, lambda.Options{RoleDelay: -1, Unconfined: true})
	bucket := newBucket(t)
	b := c.backend(t, awslambda.Config{})
	name := b.NameOf(c.Region, bucket.URL())
	group := "/aws/lambda/" + name
	code, err := awslambda.Script("exit 1", strings.Repeat("0", 64))
	if err != nil {
		t.Fatal(err)
	}
	functions, roles, logs := awssdk.NewFromConfig(c.sdk()), iam.NewFromConfig(c.sdk()), cloudwatchlogs.NewFromConfig(c.sdk())
	if _, err := functions.CreateFunction(t.Context(), &awssdk.CreateFunctionInput{
		FunctionName: &name, Role: aws.String(c.role(t)), Runtime: types.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
		Code: &types.FunctionCode{ZipFile: code}, Tags: map[string]string{"theirs": name},
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := roles.CreateRole(t.Context(), &iam.CreateRoleInput{
		RoleName: &name, AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`),
	}); err != nil {
		t.Fatal(err)
	}
	if _, err := logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &group}); err != nil {
		t.Fatal(err)
	}
	err = b.Destroy(t.Context(), bucket.URL())
	c.told(t, "foreign", err, backends.ErrInvalid, "the function "+name, "the role "+name, "stays")
	if _, err := functions.GetFunction(t.Context(), &awssdk.GetFunctionInput{FunctionName: &name}); err != nil {
		t.Error(err)
	}
	if _, err := roles.GetRole(t.Context(), &iam.GetRoleInput{RoleName: &name}); err != nil {
		t.Error(err)
	}
	groups, err := logs.DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: &group})
	if err != nil || len(groups.LogGroups) != 1 {
		t.Errorf("the logs are gone: %+v, %v", groups, err)
	}
}
