package awslambda_test

import (
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/awslambda"
	"github.com/gowren/gowren/internal/servers/lambda"
	"github.com/gowren/gowren/storage"
)

// TestDocumentedPolicies has docs/aws.md show the policies that the code has.
func TestDocumentedPolicies(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/aws.md")
	if err != nil {
		t.Fatal(err)
	}
	p := awslambda.Place{Partition: "aws", Region: "$REGION", Account: "$ACCOUNT", Function: "gowren-*", Bucket: "$BUCKET"}
	// The shell puts the names into them.
	for file, policy := range map[string]string{"driver.json": awslambda.DriverPolicy(p), "worker.json": awslambda.WorkerPolicy(p)} {
		if !strings.Contains(string(doc), "cat >"+file+" <<END\n"+policy+"\nEND\n") {
			t.Errorf("docs/aws.md does not make %s, which is\n%s", file, policy)
		}
	}
	// Where they differ, the documentation has the statements that do.
	p.Role, p.Prefix, p.Forever = "$ROLE", "PREFIX", true
	for policy, ids := range map[string][]string{awslambda.DriverPolicy(p): {"PassRole", "List", "Objects"}, awslambda.WorkerPolicy(p): {"LogGroup"}} {
		for _, id := range ids {
			if s := statement(policy, id); !strings.Contains(string(doc), "```json\n"+s+"\n```") {
				t.Errorf("docs/aws.md does not have the statement\n%s", s)
			}
		}
	}
	if policy := awslambda.DriverPolicy(p); strings.Contains(policy, "iam:CreateRole") || strings.Contains(policy, "role/gowren-") {
		t.Errorf("with a role that was made by hand:\n%s", policy)
	}
	p.Prefix = "odd*$?"
	if s := statement(awslambda.WorkerPolicy(p), "Objects"); !strings.Contains(s, "$BUCKET/odd${*}${$}${?}/*") {
		t.Errorf("with an odd prefix: %s", s)
	}
	p.VPC, p.Bucket, p.Partition = true, "", "aws-cn"
	for _, policy := range []string{awslambda.DriverPolicy(p), awslambda.WorkerPolicy(p)} {
		if !strings.Contains(policy, "ec2:DescribeSubnets") || strings.Contains(policy, "s3:") || strings.Contains(policy, "arn:aws:s3") || strings.Contains(policy, "arn:aws:logs") {
			t.Errorf("in a VPC, without a bucket of S3, in another partition:\n%s", policy)
		}
	}
}

// statement is one of a policy, as it stands alone.
func statement(policy, id string) string {
	for part := range strings.SplitSeq(policy, "\n    {\n") {
		if strings.HasPrefix(part, `      "Sid": "`+id+`"`) {
			part, _, _ = strings.Cut(part, "\n    }")
			return strings.ReplaceAll("    {\n"+part+"\n    }", "\n    ", "\n")[4:]
		}
	}
	return "no statement " + id
}

// TestGivenRole has a driver that is given its workers' role call nothing but what the policy for that has.
func TestGivenRole(t *testing.T) {
	t.Parallel()
	c := newCloud(t, lambda.Options{RoleDelay: -1})
	role := c.role(t)
	bucket := newBucket(t)
	b := c.backend(t, awslambda.Config{Role: role, Reserved: 3})
	prepare(t, b, bucket)
	prepare(t, c.backend(t, awslambda.Config{Role: role, MemoryMB: 512}), bucket) // without a reserve, so that the account is looked at
	c.repair(t, b, b.Function(), backends.Deployment{Program: os.Getenv("GOWREN_PROGRAM"), Bucket: bucket})
	if err := b.Destroy(t.Context(), bucket.URL()); err != nil {
		t.Error(err)
	}
	// The test has made the role. A driver that did would also give it a policy.
	called := slices.DeleteFunc(c.Actions(), func(a string) bool { return a == "iam:CreateRole" })
	wantActions(t, "driver", called, awslambda.DriverGrants, awslambda.Place{Role: role})
}

// TestMadePolicy has the role that Prepare makes have the generated policy, of the bucket's prefix.
func TestMadePolicy(t *testing.T) {
	t.Parallel()
	c := newCloud(t, lambda.Options{RoleDelay: -1})
	whole := newBucket(t)
	u, err := url.Parse(whole.URL())
	if err != nil {
		t.Fatal(err)
	}
	u.Path = "/some/team"
	bucket, err := storage.Open(t.Context(), u.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { bucket.Close() })
	for _, days := range []int{-1, 7} {
		b := c.backend(t, awslambda.Config{RetentionDays: days, Concurrency: 1, StorageMB: 600 + days})
		prepare(t, b, bucket)
		name := b.Function()
		there, err := iam.NewFromConfig(c.sdk()).GetRolePolicy(t.Context(), &iam.GetRolePolicyInput{RoleName: &name, PolicyName: aws.String("gowren")})
		if err != nil {
			t.Fatal(err)
		}
		got, err := url.QueryUnescape(*there.PolicyDocument)
		want := awslambda.WorkerPolicy(awslambda.Place{
			Partition: "aws", Region: c.Region, Account: "*", Function: name, Bucket: u.Host, Prefix: "some/team", Forever: days < 0,
		})
		if err != nil || got != want {
			t.Errorf("%v, the role has the policy\n%s, want\n%s", err, got, want)
		}
		if !strings.Contains(got, u.Host+"/some/team/*") || strings.Contains(got, "logs:CreateLogGroup") != (days < 0) {
			t.Errorf("with logs for %d days, the policy is\n%s", days, got)
		}
	}
}
