package awslambda

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/program"
	"github.com/gowren/gowren/storage"
)

// Prepare implements [backends.Backend]. A function that is there and works is left as it is: a changed program costs one
// upload to the bucket. Otherwise it makes the function, or gives it this program.
func (b *Backend) Prepare(ctx context.Context, d backends.Deployment) error {
	if d.Bucket == nil {
		return invalid("workers need a bucket: programs and large values go through it")
	}
	c, err := b.connect(ctx)
	if err != nil {
		return err
	}
	exe, err := program.Find(ctx, d.Program, d.Log, b.platform())
	if err != nil {
		return err
	}
	defer exe.Close()
	function, bucketURL := b.nameOf(c.region, d.Bucket.URL()), d.Bucket.URL()
	if err := b.deploy(ctx, c, exe, function, bucketURL); err != nil {
		return err
	}
	// Also where it is the function's own: another driver may repair the function with its own program meanwhile.
	if err := exe.Upload(ctx, d.Bucket); err != nil {
		return err
	}
	n, err := b.atOnce(ctx, c, function)
	if err != nil {
		return err
	}
	b.prepare(&prepared{aws: c, bucket: storage.Retry(d.Bucket, storage.RetryPolicy{}), function: function, program: exe.Hash}, n)
	return nil
}

// readying bounds how long Prepare goes on while a function is throttled, or changed by another driver.
const readying = 5 * time.Minute

// deploy returns when the function answers a ping, and makes it or repairs it for that.
func (b *Backend) deploy(ctx context.Context, c *clients, exe *program.Executable, function, bucketURL string) error {
	made, repaired := false, false
	begun, reached := time.Now(), time.Time{}
	for pause := 200 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		s, err := ping(ctx, c, function, message{Ping: true, Look: true}, bucketURL)
		switch {
		case err == nil && s.Problem != "":
			// IAM takes some seconds to tell a new policy, also of a function that another driver has made a moment ago.
			if reached.IsZero() {
				reached = time.Now().Add(assuming)
			}
			if time.Now().After(reached) {
				return s.unreached(function)
			}
			err = wait(ctx, pause)
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return err
		case isCode(err, "ResourceNotFoundException") && !made:
			made = true
			err = b.create(ctx, c, exe, function, bucketURL)
		case isCode(err, "ResourceConflictException"):
			err = await(ctx, c, function)
		case errors.As(err, new(*credentialsError)) && time.Since(begun) > assuming:
			return err // who gives them may not be there at all
		case errors.Is(err, backends.ErrThrottled) && time.Since(begun) < readying:
			err = wait(ctx, pause)
		case errors.Is(err, errUnfit) && !repaired:
			repaired = true
			err = b.update(ctx, c, exe, function)
		}
		if err != nil {
			return err
		}
	}
}

// ping asks the function that was prepared for its status.
func (p *prepared) ping(ctx context.Context, m message) (status, error) {
	return ping(ctx, p.aws, p.function, m, p.bucket.URL())
}

// errUnfit marks what a ping that reached the function failed of: another program may do better.
var errUnfit = errors.New("the function does not work")

// ping asks the function for its status.
func ping(ctx context.Context, c *clients, function string, m message, bucketURL string) (status, error) {
	out, err := c.invoke.Invoke(ctx, &lambda.InvokeInput{FunctionName: &function, Payload: m.encode(), LogType: types.LogTypeTail})
	if err != nil {
		return status{}, withCode{failed(ctx, "invoke "+function, err), err}
	}
	if out.FunctionError != nil {
		return status{}, fmt.Errorf("%w: %w", errUnfit, functionError(function, out))
	}
	s, err := decodeStatus(out.Payload, bucketURL)
	if err != nil {
		return s, fmt.Errorf("%w: awslambda: %s: %w", errUnfit, function, err)
	}
	return s, nil
}

// withCode is an error in our words that still has the SDK's code.
type withCode struct {
	error
	cause error
}

func (e withCode) Unwrap() []error { return []error{e.error, e.cause} }

// functionError is what Lambda answered in the function's place.
func functionError(function string, out *lambda.InvokeOutput) error {
	var said struct{ ErrorType, ErrorMessage string }
	if err := json.Unmarshal(out.Payload, &said); err != nil {
		said.ErrorMessage = fmt.Sprintf("%.500q", out.Payload)
	}
	return crash(function, said.ErrorType, said.ErrorMessage, tail(out.LogResult))
}

// tail decodes the end of a log.
func tail(encoded *string) string {
	text, err := base64.StdEncoding.DecodeString(aws.ToString(encoded))
	if err != nil {
		return ""
	}
	return string(text)
}

// assumedConcurrency is how many invocations run at once where the driver may not look at the account's limit. The
// platform throttles what is beyond it.
const assumedConcurrency = 1000

// atOnce returns how many invocations may run at once. It sets aside what was asked for, if that is not done.
func (b *Backend) atOnce(ctx context.Context, c *clients, function string) (int, error) {
	n := b.config.Concurrency
	if n > 0 && b.config.Reserved == 0 {
		return n, nil
	}
	there, err := c.lambda.GetFunctionConcurrency(ctx, &lambda.GetFunctionConcurrencyInput{FunctionName: &function})
	if err != nil && !isCode(err, "AccessDeniedException") {
		return 0, failed(ctx, "look for the concurrency of "+function, err)
	}
	reserved := 0
	if err == nil {
		reserved = int(aws.ToInt32(there.ReservedConcurrentExecutions))
	}
	if want := b.config.Reserved; want > 0 && want != reserved {
		_, err := c.lambda.PutFunctionConcurrency(ctx, &lambda.PutFunctionConcurrencyInput{FunctionName: &function, ReservedConcurrentExecutions: aws.Int32(int32(want))})
		if err != nil {
			return 0, failed(ctx, fmt.Sprintf("set %d invocations at once aside for %s (of an account's, 100 stay unreserved)", want, function), err)
		}
		reserved = want
	}
	if reserved == 0 {
		if reserved, err = unreserved(ctx, c); err != nil {
			return 0, err
		}
	}
	if n > 0 {
		return min(n, reserved), nil
	}
	return reserved, nil
}

// unreserved returns how many invocations of functions without a reserve the account may run at once.
func unreserved(ctx context.Context, c *clients) (int, error) {
	account, err := c.lambda.GetAccountSettings(ctx, &lambda.GetAccountSettingsInput{})
	if isCode(err, "AccessDeniedException") {
		return assumedConcurrency, nil
	}
	if err != nil {
		return 0, failed(ctx, "look for the account's limits", err)
	}
	if account.AccountLimit == nil || account.AccountLimit.UnreservedConcurrentExecutions == nil {
		return assumedConcurrency, nil
	}
	return max(int(*account.AccountLimit.UnreservedConcurrentExecutions), 1), nil
}
