package awslambda

import (
	"context"
	"errors"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
)

// Destroy implements [backends.Destroyer]: it deletes the function, the role that was made for it, and its logs. Before
// Prepare it does so for all functions of this configuration, whatever their bucket. What has the name and not the tag
// is somebody else's, and stays.
func (b *Backend) Destroy(ctx context.Context, _ string) error {
	b.mu.Lock()
	function := b.function
	b.mu.Unlock()
	c, err := b.connect(ctx)
	if err != nil {
		return err
	}
	defer c.close()
	if function != "" {
		return destroy(ctx, c, function)
	}
	functions, err := b.find(ctx, c)
	errs := []error{err}
	for _, f := range functions {
		errs = append(errs, destroy(ctx, c, f))
	}
	return errors.Join(errs...)
}

// find returns the names of the functions of this configuration.
func (b *Backend) find(ctx context.Context, c *clients) ([]string, error) {
	prefix := b.configName(c.region)
	var found []string
	for pages := lambda.NewListFunctionsPaginator(c.lambda, &lambda.ListFunctionsInput{}); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return found, failed(ctx, "list the functions", err)
		}
		for _, f := range page.Functions {
			if !strings.HasPrefix(aws.ToString(f.FunctionName), prefix) {
				continue
			}
			tags, err := c.lambda.ListTags(ctx, &lambda.ListTagsInput{Resource: f.FunctionArn})
			if err != nil {
				return found, failed(ctx, "look at the tags of "+*f.FunctionName, err)
			}
			if tags.Tags[tagName] != "" {
				found = append(found, *f.FunctionName)
			}
		}
	}
	return found, nil
}

// destroy deletes a function and what was made with it. What is not there is no error.
func destroy(ctx context.Context, c *clients, function string) error {
	_, err := c.lambda.DeleteFunction(ctx, &lambda.DeleteFunctionInput{FunctionName: &function})
	if err != nil && !isCode(err, "ResourceNotFoundException") {
		return failed(ctx, "delete the function "+function, err)
	}
	group := logGroup(function)
	_, err = c.logs.DeleteLogGroup(ctx, &cloudwatchlogs.DeleteLogGroupInput{LogGroupName: &group})
	if err != nil && !isCode(err, "ResourceNotFoundException") {
		return failed(ctx, "delete the logs "+group, err)
	}
	return deleteRole(ctx, c, function)
}

// Prewarm implements [backends.Warmer]: it makes n requests at once that workers hold for a moment.
func (b *Backend) Prewarm(ctx context.Context, n int) error {
	errs := make([]error, min(n, b.limits.Concurrency))
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() {
			_, errs[i] = b.ping(ctx, b.aws, b.function, message{Ping: true, Hold: warmHold}, b.bucket.URL())
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// warmHold is how long a worker holds a request that warms, in milliseconds: as long as others take to start.
const warmHold = 1000
