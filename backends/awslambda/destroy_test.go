package awslambda_test

import (
	"context"
	"errors"
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

// TestBusyFunction has Lambda change the function while Destroy is to delete it. Destroy waits, and as long as the function
// stays its role does.
func TestBusyFunction(t *testing.T) {
	t.Parallel()
	c := newCloud(t, lambda.Options{RoleDelay: -1, Unconfined: true})
	bucket := newBucket(t)
	b := c.backend(t, awslambda.Config{Concurrency: 1})
	prepare(t, b, bucket)
	name := b.Function()
	for _, conflicts := range []int{1 << 30, 2} {
		cfg := c.aws.Copy()
		cfg.HTTPClient = &busy{HTTPClient: plain, left: conflicts}
		err := c.backend(t, awslambda.Config{Concurrency: 1, AWS: &cfg}).Destroy(t.Context(), bucket.URL())
		if conflicts == 2 {
			if err != nil {
				t.Error(err)
			}
			c.gone(t, name)
			continue
		}
		c.told(t, "always", err, backends.ErrThrottled, "delete the function "+name, "made or changed")
		if _, err := iam.NewFromConfig(c.sdk()).GetRole(t.Context(), &iam.GetRoleInput{RoleName: &name}); err != nil {
			t.Errorf("the function stays, and not its role: %v", err)
		}
	}
}

// busy is a client for which the function is being changed so many times that it is to be deleted.
type busy struct {
	aws.HTTPClient
	left int
}

func (b *busy) Do(req *http.Request) (*http.Response, error) {
	if req.Method != http.MethodDelete || !strings.Contains(req.URL.Path, "/functions/") || b.left == 0 {
		return b.HTTPClient.Do(req)
	}
	b.left--
	return &http.Response{
		StatusCode: http.StatusConflict, Header: http.Header{"X-Amzn-Errortype": {"ResourceConflictException"}}, Request: req,
		Body: io.NopCloser(strings.NewReader(`{"Message":"The operation cannot be performed at this time. An update is in progress for resource"}`)),
	}, nil
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

// TestForeignNames has a function and a role of somebody else bear the names of gowren's. Neither Prepare nor Destroy
// touches them.
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
	d := backends.Deployment{Program: os.Getenv("GOWREN_PROGRAM"), Bucket: bucket}
	theirs, err := functions.CreateFunction(t.Context(), &awssdk.CreateFunctionInput{
		FunctionName: &name, Role: aws.String(c.role(t)), Runtime: types.RuntimeProvidedal2023, Handler: aws.String("bootstrap"),
		Code: &types.FunctionCode{ZipFile: code}, Tags: map[string]string{"theirs": name},
	})
	if err != nil {
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
	c.told(t, "destroy", b.Destroy(t.Context(), bucket.URL()), backends.ErrInvalid, "the function "+name, "stays")
	c.told(t, "prepare", b.Prepare(t.Context(), d), backends.ErrInvalid, "the function "+name, "stays")
	there, err := functions.GetFunction(t.Context(), &awssdk.GetFunctionInput{FunctionName: &name})
	if err != nil || *there.Configuration.CodeSha256 != *theirs.CodeSha256 {
		t.Errorf("the function has the code %+v, %v", there, err)
	}
	groups, err := logs.DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: &group})
	if err != nil || len(groups.LogGroups) != 1 {
		t.Errorf("the logs are gone: %+v, %v", groups, err)
	}
	if _, err := functions.DeleteFunction(t.Context(), &awssdk.DeleteFunctionInput{FunctionName: &name}); err != nil {
		t.Fatal(err)
	}
	c.told(t, "prepare", b.Prepare(t.Context(), d), backends.ErrInvalid, "the role "+name, "stays")
	c.told(t, "destroy", b.Destroy(t.Context(), bucket.URL()), backends.ErrInvalid, "the role "+name, "stays")
	policies, err := roles.ListRolePolicies(t.Context(), &iam.ListRolePoliciesInput{RoleName: &name})
	if err != nil || len(policies.PolicyNames) > 0 {
		t.Errorf("the role has the policies %+v, %v", policies, err)
	}
}

// TestUnreachedAccount: where no account is reached, the error says that all else would fail likewise, and not where one
// permission is missing.
func TestUnreachedAccount(t *testing.T) {
	t.Parallel()
	c := newCloud(t, lambda.Options{RoleDelay: -1, Deny: []string{"lambda:GetFunction"}, Unconfined: true})
	nowhere, nobody, wrong := c.aws.Copy(), c.aws.Copy(), c.aws.Copy()
	nowhere.Region = ""
	nobody.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, errors.New("none") })
	wrong.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{AccessKeyID: "AKIAWRONG", SecretAccessKey: "wrong"}, nil
	})
	for name, x := range map[string]struct {
		aws     aws.Config
		account bool
	}{"no region": {nowhere, true}, "no credentials": {nobody, true}, "wrong credentials": {wrong, true}, "denied": {c.aws.Copy(), false}} {
		err := c.backend(t, awslambda.Config{AWS: &x.aws}).Destroy(t.Context(), "s3://bucket")
		if err == nil || errors.As(err, new(*backends.AccountError)) != x.account {
			t.Errorf("%s: %v", name, err)
		}
	}
}
