package awslambda

import (
	"context"
	"errors"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// Destroy implements [backends.Destroyer]: it deletes the function for the bucket, its logs, and the role that was made for
// it. All have names that follow from the configuration and the bucket, so that what a Prepare or a Destroy that failed
// half-way has left is found. What has such a name and not the tag is somebody else's, and stays.
func (b *Backend) Destroy(ctx context.Context, bucket string) error {
	if bucket == "" {
		return invalid("destroy: no bucket is named, and each has a function of its own")
	}
	c, err := b.connect(ctx)
	if err != nil {
		return err
	}
	defer c.close()
	function := b.nameOf(c.region, bucket)
	if err := deleteFunction(ctx, c, function); err != nil {
		return err // a function that stays needs its role
	}
	errs := []error{deleteLogs(ctx, c, function)}
	if b.config.Role == "" {
		errs = append(errs, deleteRole(ctx, c, function))
	}
	return errors.Join(errs...)
}

// deleting bounds the wait for a function that is being made or changed, and cannot be deleted before. It is a variable for
// the tests.
var deleting = settling

// deleteFunction deletes a function. That there is none is no error.
func deleteFunction(ctx context.Context, c *clients, function string) error {
	there, err := findOurs(ctx, c, function)
	if err != nil || !there {
		return err
	}
	return unchanging(ctx, deleting, "delete the function "+function, func() error {
		_, err := c.lambda.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: &function})
		if isCode(err, "ResourceNotFoundException") {
			return nil
		}
		return err
	})
}

// findOurs tells whether the function is there. One without the tag is an error.
func findOurs(ctx context.Context, c *clients, function string) (bool, error) {
	there, err := c.lambda.GetFunction(ctx, &lambda.GetFunctionInput{FunctionName: &function})
	if isCode(err, "ResourceNotFoundException") {
		return false, nil
	}
	if err != nil {
		return false, failed(ctx, "look for the function "+function, err)
	}
	tags, err := c.lambda.ListTags(ctx, &lambda.ListTagsInput{Resource: there.Configuration.FunctionArn})
	if isCode(err, "ResourceNotFoundException") { // it was deleted meanwhile
		return false, nil
	}
	if err != nil {
		return false, failed(ctx, "look at the tags of "+function, err)
	}
	if _, ours := tags.Tags[tagName]; !ours {
		return true, foreign("function", function)
	}
	return true, nil
}

// foreign is the error of what bears a name of ours.
func foreign(what, name string) error {
	return invalid("the %s %s has not the tag %s: it is not gowren's, and stays as it is; delete it by hand, if it may go", what, name, tagName)
}

func deleteLogs(ctx context.Context, c *clients, function string) error {
	group := logGroup(function)
	_, err := c.logs.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: &group})
	if err != nil && !isCode(err, "ResourceNotFoundException") {
		return failed(ctx, "delete the logs "+group, err)
	}
	return nil
}

// Prewarm implements [backends.Warmer]: it makes n requests at once that workers hold for a moment.
func (b *Backend) Prewarm(ctx context.Context, n int) error {
	p, err := b.ready()
	if err != nil {
		return err
	}
	errs := make([]error, min(n, b.Limits().Concurrency))
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() {
			_, errs[i] = p.ping(ctx, message{Ping: true, Hold: warmHold})
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// warmHold is how long a worker holds a request that warms, in milliseconds: as long as others take to start.
const warmHold = 1000
