package awslambda

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/gowren/gowren/backends"
)

// fewAtOnce is what a new account may have of concurrency.
const fewAtOnce = 10

// Check implements [backends.Checker].
func (b *Backend) Check(ctx context.Context, d backends.Deployment) []backends.Finding {
	c, err := b.connect(ctx)
	if err != nil {
		return []backends.Finding{{What: "configuration", Err: err, Remedy: "correct the backend's URL, or the configuration of AWS"}}
	}
	findings := []backends.Finding{b.identity(ctx, c)}
	if findings[0].Err != nil {
		return findings // without credentials nothing else works, and each attempt may take long
	}
	findings = append(findings, b.quota(ctx, c))
	deployed := backends.Finding{What: "function", Err: b.Prepare(ctx, d)}
	if deployed.Err != nil {
		deployed.Remedy = "see the error; the permissions that are needed are in docs/aws.md"
		return append(findings, deployed)
	}
	p, err := b.ready()
	if err != nil {
		deployed.Err = err
		return append(findings, deployed)
	}
	deployed.Note = fmt.Sprintf("%s in %s, %d MB, %s", p.function, c.region, b.config.MemoryMB, b.config.Arch)
	return append(findings, deployed, p.test(ctx))
}

// identity says whose the credentials are.
func (b *Backend) identity(ctx context.Context, c *clients) backends.Finding {
	f := backends.Finding{What: "credentials"}
	who, err := c.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		if f.Err = failed(ctx, "ask whose the credentials are", err); errors.Is(f.Err, backends.ErrRefused) {
			f.Remedy = "run aws configure or aws sso login"
		}
		return f
	}
	f.Note = fmt.Sprintf("account %s, %s", aws.ToString(who.Account), aws.ToString(who.Arn))
	return f
}

// quota says how many invocations may run at once.
func (b *Backend) quota(ctx context.Context, c *clients) backends.Finding {
	f := backends.Finding{What: "concurrency"}
	n, err := unreserved(ctx, c)
	if err != nil {
		f.Err, f.Remedy = err, "allow lambda:GetAccountSettings"
		return f
	}
	f.Note = fmt.Sprintf("%d invocations at once", n)
	if n <= fewAtOnce {
		f.Remedy = "that is a new account's limit: ask for more in Service Quotas (Lambda, concurrent executions)"
	}
	return f
}

// test invokes the function, and has it reach for the bucket.
func (p *prepared) test(ctx context.Context) backends.Finding {
	f := backends.Finding{What: "test invocation"}
	s, err := p.ping(ctx, message{Ping: true, Look: true})
	switch {
	case err != nil:
		f.Err, f.Remedy = err, "see the function's logs in CloudWatch: "+logGroup(p.function)
	case s.Problem != "":
		f.Err = s.unreached(p.function)
		f.Remedy = "give the workers' role the policy of docs/aws.md, and the VPC, if there is one, a way to the store"
	default:
		f.Note = fmt.Sprintf("the worker %s answers and reaches the bucket", s.Worker)
	}
	return f
}
