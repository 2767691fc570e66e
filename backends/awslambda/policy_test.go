package awslambda_test

import (
	"os"
	"strings"
	"testing"

	"github.com/gowren/gowren/backends/awslambda"
)

// TestDocumentedPolicies has docs/aws.md show the policies that the code has.
func TestDocumentedPolicies(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/aws.md")
	if err != nil {
		t.Fatal(err)
	}
	p := awslambda.Place{Partition: "aws", Region: "REGION", Account: "ACCOUNT", Function: "gowren-*", Bucket: "BUCKET"}
	for who, policy := range map[string]string{"drivers": awslambda.DriverPolicy(p), "workers": awslambda.WorkerPolicy(p)} {
		if !strings.Contains(string(doc), "```json\n"+policy+"\n```") {
			t.Errorf("docs/aws.md does not have the policy of %s, which is\n%s", who, policy)
		}
	}
	p.VPC, p.Bucket, p.Partition = true, "", "aws-cn"
	for _, policy := range []string{awslambda.DriverPolicy(p), awslambda.WorkerPolicy(p)} {
		if !strings.Contains(policy, "ec2:DescribeSubnets") || strings.Contains(policy, "s3:") || strings.Contains(policy, "arn:aws:") {
			t.Errorf("in a VPC, without a bucket of S3, in another partition:\n%s", policy)
		}
	}
}
