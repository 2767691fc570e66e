package lambda

import (
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// TestRoles goes through the life of a role.
func TestRoles(t *testing.T) {
	t.Parallel()
	a := started(t, Options{})
	ctx, name := t.Context(), aws.String("worker")
	_, err := a.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: name})
	wantCode(t, err, "NoSuchEntity")
	made, err := a.iam.CreateRole(ctx, &iam.CreateRoleInput{
		RoleName: name, Path: aws.String("/gowren/"), AssumeRolePolicyDocument: aws.String(trust), Description: aws.String("workers & co"),
		Tags: []iamtypes.Tag{{Key: aws.String("a"), Value: aws.String("b")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	if *made.Role.Arn != "arn:aws:iam::123456789012:role/gowren/worker" {
		t.Error(*made.Role.Arn)
	}
	_, err = a.iam.CreateRole(ctx, &iam.CreateRoleInput{RoleName: name, AssumeRolePolicyDocument: aws.String(trust)})
	wantCode(t, err, "EntityAlreadyExists")
	_, err = a.iam.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("other"), AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{}]}`)})
	wantCode(t, err, "MalformedPolicyDocument")
	if _, err = a.iam.TagRole(ctx, &iam.TagRoleInput{RoleName: name, Tags: []iamtypes.Tag{{Key: aws.String("c"), Value: aws.String("d")}}}); err != nil {
		t.Fatal(err)
	}
	got, err := a.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: name})
	if err != nil || len(got.Role.Tags) != 2 || *got.Role.Tags[0].Key != "a" || *got.Role.Description != "workers & co" || got.Role.CreateDate == nil {
		t.Fatalf("error %v, %+v", err, got)
	}
	if document, err := url.QueryUnescape(*got.Role.AssumeRolePolicyDocument); err != nil || document != trust {
		t.Errorf("error %v, %s", err, document)
	}

	const policy = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":["s3:GetObject"],"Resource":"*"}}`
	if _, err := a.iam.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: name, PolicyName: aws.String("p"), PolicyDocument: aws.String(policy)}); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{
		strings.Replace(policy, "s3:GetObject", "GetObject", 1), strings.Replace(policy, `"*"`, `"bucket/*"`, 1),
		strings.Replace(policy, "Allow", "allow", 1), strings.Replace(policy, "2012", "2013", 1), strings.Replace(policy, "Action", "Actions", 1), "{",
	} {
		_, err := a.iam.PutRolePolicy(ctx, &iam.PutRolePolicyInput{RoleName: name, PolicyName: aws.String("q"), PolicyDocument: &bad})
		wantCode(t, err, "MalformedPolicyDocument")
	}
	inline, err := a.iam.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: name, PolicyName: aws.String("p")})
	if err != nil || *inline.RoleName != "worker" || *inline.PolicyName != "p" {
		t.Fatalf("error %v, %+v", err, inline)
	}
	if document, err := url.QueryUnescape(*inline.PolicyDocument); err != nil || document != policy {
		t.Errorf("error %v, %s", err, document)
	}
	names, err := a.iam.ListRolePolicies(ctx, &iam.ListRolePoliciesInput{RoleName: name})
	if err != nil || len(names.PolicyNames) != 1 || names.PolicyNames[0] != "p" || names.IsTruncated {
		t.Errorf("error %v, %+v", err, names)
	}
	basic := aws.String("arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole")
	if _, err := a.iam.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: name, PolicyArn: basic}); err != nil {
		t.Fatal(err)
	}
	attached, err := a.iam.ListAttachedRolePolicies(ctx, &iam.ListAttachedRolePoliciesInput{RoleName: name})
	if err != nil || len(attached.AttachedPolicies) != 1 || *attached.AttachedPolicies[0].PolicyName != "AWSLambdaBasicExecutionRole" {
		t.Errorf("error %v, %+v", err, attached)
	}

	_, err = a.iam.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: name})
	wantCode(t, err, "DeleteConflict")
	if _, err := a.iam.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: name, PolicyArn: basic}); err != nil {
		t.Fatal(err)
	}
	_, err = a.iam.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: name})
	wantCode(t, err, "DeleteConflict")
	if _, err := a.iam.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: name, PolicyName: aws.String("p")}); err != nil {
		t.Fatal(err)
	}
	_, err = a.iam.GetRolePolicy(ctx, &iam.GetRolePolicyInput{RoleName: name, PolicyName: aws.String("p")})
	wantCode(t, err, "NoSuchEntity")
	if _, err := a.iam.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: name}); err != nil {
		t.Fatal(err)
	}
}

// TestIdentity checks who one is.
func TestIdentity(t *testing.T) {
	t.Parallel()
	a := started(t, Options{})
	r, err := sts.NewFromConfig(a.config).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	if err != nil || *r.Account != "123456789012" || *r.Arn != "arn:aws:iam::123456789012:user/driver" || *r.UserId == "" {
		t.Errorf("error %v, %+v", err, r)
	}
}

// TestLogGroups checks that a group comes with the first invocation, and stays until it is deleted.
func TestLogGroups(t *testing.T) {
	t.Parallel()
	a := started(t, Options{})
	a.create("f")
	logs, group := cloudwatchlogs.NewFromConfig(a.config), aws.String("/aws/lambda/f")
	list := func() *cloudwatchlogs.DescribeLogGroupsOutput {
		t.Helper()
		r, err := logs.DescribeLogGroups(t.Context(), &cloudwatchlogs.DescribeLogGroupsInput{LogGroupNamePrefix: aws.String("/aws/lambda/")})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := list(); len(r.LogGroups) != 0 {
		t.Errorf("%+v", r)
	}
	_, err := logs.PutRetentionPolicy(t.Context(), &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: group, RetentionInDays: aws.Int32(7)})
	wantCode(t, err, "ResourceNotFoundException")
	a.mustInvoke("f", `{}`)
	if _, err = logs.PutRetentionPolicy(t.Context(), &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: group, RetentionInDays: aws.Int32(7)}); err != nil {
		t.Fatal(err)
	}
	_, err = logs.PutRetentionPolicy(t.Context(), &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: group, RetentionInDays: aws.Int32(8)})
	wantCode(t, err, "InvalidParameterException")
	if r := list(); len(r.LogGroups) != 1 || *r.LogGroups[0].RetentionInDays != 7 || *r.LogGroups[0].LogGroupName != *group {
		t.Errorf("%+v", r)
	}
	_, err = logs.CreateLogGroup(t.Context(), &cloudwatchlogs.CreateLogGroupInput{LogGroupName: group})
	wantCode(t, err, "ResourceAlreadyExistsException")
	if _, err := logs.DeleteLogGroup(t.Context(), &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: group}); err != nil {
		t.Fatal(err)
	}
	if r := list(); len(r.LogGroups) != 0 {
		t.Errorf("%+v", r)
	}
}
