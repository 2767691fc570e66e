package awslambda

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// policyName is the one policy of a role that Prepare makes.
const policyName = "gowren"

// makeRole makes the workers' role, of the function's name, and returns its ARN. One that an earlier Prepare made is used.
func (b *Backend) makeRole(ctx context.Context, c *clients, function, bucketURL string) (string, error) {
	tags := b.tags(function)
	in := &iam.CreateRoleInput{
		RoleName: &function, AssumeRolePolicyDocument: aws.String(trustPolicy), Description: aws.String("of gowren's workers on Lambda"),
	}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		in.Tags = append(in.Tags, types.Tag{Key: &key, Value: aws.String(tags[key])})
	}
	const remedy = " (or name one that is there by role=ARN)"
	arn := ""
	role, err := c.iam.CreateRole(ctx, in)
	switch {
	case err == nil:
		arn = aws.ToString(role.Role.Arn)
	case isCode(err, "EntityAlreadyExists"):
		there, err := c.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: &function})
		if err != nil {
			return "", failed(ctx, "look for the role "+function+remedy, err)
		}
		if !made(there.Role) {
			return "", foreign("role", function)
		}
		arn = aws.ToString(there.Role.Arn)
	default:
		return "", failed(ctx, "make the role "+function+remedy, err)
	}
	_, err = c.iam.PutRolePolicy(ctx, &iam.PutRolePolicyInput{
		RoleName: &function, PolicyName: aws.String(policyName), PolicyDocument: aws.String(WorkerPolicy(b.place(c.region, function, bucketURL))),
	})
	if err != nil {
		return "", failed(ctx, "give the role "+function+" its policy", err)
	}
	return arn, nil
}

// made tells whether makeRole made the role.
func made(r *types.Role) bool {
	return slices.ContainsFunc(r.Tags, func(t types.Tag) bool { return aws.ToString(t.Key) == tagName })
}

// deleteRole deletes the role that makeRole made, if there is one.
func deleteRole(ctx context.Context, c *clients, function string) error {
	there, err := c.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: &function})
	if isCode(err, "NoSuchEntity") {
		return nil
	}
	if err != nil {
		return failed(ctx, "look for the role "+function, err)
	}
	if !made(there.Role) {
		return foreign("role", function)
	}
	_, err = c.iam.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{RoleName: &function, PolicyName: aws.String(policyName)})
	if err != nil && !isCode(err, "NoSuchEntity") {
		return failed(ctx, "delete the policy of the role "+function, err)
	}
	_, err = c.iam.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: &function})
	if err != nil && !isCode(err, "NoSuchEntity") {
		return failed(ctx, "delete the role "+function, err)
	}
	return nil
}
