package awslambda

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/program"
)

// assuming bounds the wait until Lambda knows a role that was just made, and S3 its policy. It is a variable for the tests.
var assuming = time.Minute

const (
	// settling bounds the wait for a function to become active, or changed.
	settling = 5 * time.Minute
	// eventAge is how long Lambda may keep an asynchronous invocation that it has no room for, in seconds.
	eventAge = 300
)

// create makes the function, with all that belongs to it. One that another driver makes meanwhile is as good.
func (b *Backend) create(ctx context.Context, c *clients, exe *program.Executable, function, bucketURL string) error {
	code, err := b.pack(exe)
	if err != nil {
		return err
	}
	role := b.config.Role
	if role == "" {
		if role, err = b.makeRole(ctx, c, function, bucketURL); err != nil {
			return err
		}
	}
	if err := b.keepLogs(ctx, c, function); err != nil {
		return err
	}
	in := b.definition(function, bucketURL, role)
	in.Code = &types.FunctionCode{ZipFile: code}
	if err := createFunction(ctx, c, in); err != nil {
		return err
	}
	if err := await(ctx, c, function); err != nil {
		return err
	}
	return configureEvents(ctx, c, function)
}

// configureEvents has Lambda not repeat an asynchronous invocation that fails: to do that is the driver's affair. A driver
// that died may have left the function without it, so it is done again before the first such invocation.
func configureEvents(ctx context.Context, c *clients, function string) error {
	return unchanging(ctx, time.Minute, "configure asynchronous invocations of "+function, func() error {
		_, err := c.lambda.PutFunctionEventInvokeConfig(ctx, &lambda.PutFunctionEventInvokeConfigInput{
			FunctionName: &function, MaximumRetryAttempts: aws.Int32(0), MaximumEventAgeInSeconds: aws.Int32(eventAge),
		})
		return err
	})
}

// unchanging makes a call that Lambda refuses while the function is being made or changed, until it does not, or for so long.
func unchanging(ctx context.Context, limit time.Duration, what string, call func() error) error {
	over := time.Now().Add(limit)
	for pause := 200 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		err := call()
		if err == nil {
			return nil
		}
		if !isCode(err, "ResourceConflictException") || time.Now().After(over) {
			return failed(ctx, what, err)
		}
		if err := wait(ctx, pause); err != nil {
			return err
		}
	}
}

// definition is the function without its code.
func (b *Backend) definition(function, bucketURL, role string) *lambda.CreateFunctionInput {
	c := b.config
	variables := maps.Clone(c.Env)
	if variables == nil {
		variables = map[string]string{}
	}
	variables[backends.RoleVariable], variables[backends.BucketVariable] = roleName, bucketURL
	in := &lambda.CreateFunctionInput{
		FunctionName: &function, Role: &role, Runtime: types.RuntimeProvidedal2023, Handler: aws.String(bootstrapFile),
		PackageType: types.PackageTypeZip, Architectures: []types.Architecture{types.ArchitectureX8664},
		MemorySize: aws.Int32(int32(c.MemoryMB)), Timeout: aws.Int32(int32(c.Timeout.Seconds())),
		EphemeralStorage: &types.EphemeralStorage{Size: aws.Int32(int32(c.StorageMB))},
		Environment:      &types.Environment{Variables: variables}, Tags: b.tags(function),
		Description: aws.String("runs tasks of gowren programs, and is made by them"),
	}
	if c.Arch == "arm64" {
		in.Architectures[0] = types.ArchitectureArm64
	}
	if len(c.Subnets) > 0 {
		in.VpcConfig = &types.VpcConfig{SubnetIds: c.Subnets, SecurityGroupIds: c.SecurityGroups}
	}
	return in
}

func (b *Backend) tags(function string) map[string]string {
	tags := map[string]string{tagName: function}
	maps.Copy(tags, b.config.Tags)
	return tags
}

// createFunction goes on asking while Lambda does not know the role yet: IAM takes some seconds to tell it.
func createFunction(ctx context.Context, c *clients, in *lambda.CreateFunctionInput) error {
	over := time.Now().Add(assuming)
	for pause := 200 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		_, err := c.lambda.CreateFunction(ctx, in)
		switch {
		case err == nil, isCode(err, "ResourceConflictException"): // there is one now
			return nil
		case !assumable(err) && time.Now().Before(over):
			if err := wait(ctx, pause); err != nil {
				return err
			}
			continue
		case !assumable(err):
			return invalid("make the function %s: Lambda cannot take the role %s: check that it exists, and that lambda.amazonaws.com may assume it: %w",
				*in.FunctionName, *in.Role, err)
		}
		return failed(ctx, "make the function "+*in.FunctionName, err)
	}
}

// unknownYet are Lambda's words for a role, or a policy of it, that it does not know yet. The last two are from public
// reports.
var unknownYet = []string{"cannot be assumed", "does not have permissions to call CreateNetworkInterface", "KMS key is invalid for CreateGrant"}

// assumable tells whether err does not say that Lambda cannot take the role.
func assumable(err error) bool {
	code, message := codeOf(err)
	return code != "InvalidParameterValueException" || !slices.ContainsFunc(unknownYet, func(s string) bool { return strings.Contains(message, s) })
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

// update gives the function this program, in place of the one that does not work. Somebody else's stays as it is.
func (b *Backend) update(ctx context.Context, c *clients, exe *program.Executable, function string) error {
	if there, err := findOurs(ctx, c, function); err != nil || !there {
		return err
	}
	code, err := b.pack(exe)
	if err != nil {
		return err
	}
	_, err = c.lambda.UpdateFunctionCode(ctx, &lambda.UpdateFunctionCodeInput{FunctionName: &function, ZipFile: code})
	if err != nil && !isCode(err, "ResourceConflictException") { // another driver is about to repair it
		return failed(ctx, "update the function "+function, err)
	}
	return await(ctx, c, function)
}

// await waits until the function is active, and no change of it under way.
func await(ctx context.Context, c *clients, function string) error {
	in := &lambda.GetFunctionInput{FunctionName: &function}
	err := lambda.NewFunctionActiveV2Waiter(c.lambda, func(o *lambda.FunctionActiveV2WaiterOptions) {
		o.MinDelay, o.MaxDelay = 100*time.Millisecond, 5*time.Second
	}).Wait(ctx, in, settling)
	if err == nil {
		err = lambda.NewFunctionUpdatedV2Waiter(c.lambda, func(o *lambda.FunctionUpdatedV2WaiterOptions) {
			o.MinDelay, o.MaxDelay = 100*time.Millisecond, 5*time.Second
		}).Wait(ctx, in, settling)
	}
	if err == nil {
		return nil
	}
	if code, _ := codeOf(err); code != "" || ctx.Err() != nil {
		return failed(ctx, "wait for the function "+function, err)
	}
	return errors.Join(fmt.Errorf("awslambda: the function %s does not become ready: %w", function, err), reason(ctx, c, function))
}

// reason says what Lambda tells of a function that does not become ready.
func reason(ctx context.Context, c *clients, function string) error {
	out, err := c.lambda.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: &function})
	if err != nil || out.Configuration == nil {
		return err
	}
	f := out.Configuration
	return invalid("it is %s (%s %s), its last change %s (%s %s): remove it with Destroy, and try again", f.State, f.StateReasonCode, aws.ToString(f.StateReason),
		f.LastUpdateStatus, f.LastUpdateStatusReasonCode, aws.ToString(f.LastUpdateStatusReason))
}

// keepLogs makes the group of logs, so that it does not stay for ever.
func (b *Backend) keepLogs(ctx context.Context, c *clients, function string) error {
	if b.config.RetentionDays < 0 {
		return nil
	}
	group := logGroup(function)
	_, err := c.logs.CreateLogGroup(ctx, &cloudwatchlogs.CreateLogGroupInput{LogGroupName: &group})
	if err != nil && !isCode(err, "ResourceAlreadyExistsException", "OperationAbortedException") {
		return failed(ctx, "make the group of logs "+group, err)
	}
	_, err = c.logs.PutRetentionPolicy(ctx, &cloudwatchlogs.PutRetentionPolicyInput{LogGroupName: &group, RetentionInDays: aws.Int32(int32(b.config.RetentionDays))})
	if err != nil && !isCode(err, "OperationAbortedException") {
		return failed(ctx, "bound how long the logs "+group+" are kept", err)
	}
	return nil
}
