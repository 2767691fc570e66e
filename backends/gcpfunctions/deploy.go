package gcpfunctions

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"cloud.google.com/go/functions/apiv2/functionspb"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/fieldmaskpb"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/httpworker"
	"github.com/gowren/gowren/internal/program"
)

// ensure returns when the function is there and answers. Whatever
// another driver does at the same time, what is looked at is the function's state, and this goes on from there.
func (b *Backend) ensure(ctx context.Context, f function, exe *program.Executable) error {
	ctx, cancel := context.WithTimeoutCause(ctx, b.pace.deploy, fmt.Errorf("%s: the function %s is not ready after %v: see its state in the console", scheme, f.id, b.pace.deploy))
	defer cancel()
	pause := b.pace.pauses()
	mended := false // by this driver
	for {
		found, err := b.control.get(ctx, f.spec.Name)
		if err != nil {
			return err
		}
		switch {
		case found == nil:
			err = b.control.create(ctx, f, exe)
			if err != nil && !errors.Is(err, errExists) {
				return err
			}
			continue
		case found.GetState() == functionspb.Function_FAILED:
			if mended {
				return fmt.Errorf("%s: deploy %s: %w", scheme, f.id, failed(messages(found)))
			}
			if mended, err = b.control.update(ctx, f, exe); err != nil {
				return err
			}
			continue
		case found.GetState() != functionspb.Function_ACTIVE: // it is being deployed, or deleted
			if err := pause(ctx); err != nil {
				return err
			}
			continue
		}
		if err := b.connect(cmp.Or(found.GetServiceConfig().GetUri(), found.GetUrl())); err != nil {
			return err
		}
		err = b.ping(ctx, f)
		if err == nil || ctx.Err() != nil || errors.Is(err, backends.ErrRefused) || errors.Is(err, httpworker.ErrUnreachable) ||
			errors.Is(err, httpworker.ErrAuthorize) || errors.Is(err, httpworker.ErrBucket) || mended {
			return err
		}
		if mended, err = b.control.update(ctx, f, exe); err != nil {
			return err
		}
	}
}

// ping calls the function. One that was just deployed may not be reachable, or not by this caller, for some seconds; and a
// single bad answer is no reason to deploy one anew, which ends what it does.
func (b *Backend) ping(ctx context.Context, f function) error {
	pause := b.pace.pauses()
	for begun := time.Now(); ; {
		status, err := b.client.Look(ctx)
		switch {
		case (err == nil || errors.Is(err, httpworker.ErrBucket)) && status.Bucket != f.spec.ServiceConfig.EnvironmentVariables[backends.BucketVariable]:
			return fmt.Errorf("%s: the function %s was changed by hand: its workers use another bucket: delete it: %w", scheme, f.id, backends.ErrInvalid)
		case err == nil:
			return nil
		case errors.Is(err, backends.ErrThrottled) && !errors.Is(err, httpworker.ErrAuthorize): // it is there, and busy with others' work
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, httpworker.ErrUnreachable):
			return err // which no deployment mends
		case time.Since(begun) > b.pace.settle && errors.Is(err, httpworker.ErrAuthorize):
			return fmt.Errorf("%s: the function %s was not called: %w", scheme, f.id, err)
		case time.Since(begun) > b.pace.settle && errors.Is(err, httpworker.ErrBucket):
			return fmt.Errorf("%s: the function %s answers: %w", scheme, f.id, err)
		case time.Since(begun) > b.pace.settle:
			return fmt.Errorf("%s: the function %s does not answer as it should: %w", scheme, f.id, err)
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
}

// create makes the function.
func (c *control) create(ctx context.Context, f function, exe *program.Executable) error {
	if err := c.complete(ctx, &f, exe); err != nil {
		return err
	}
	f.spec.Name = ""
	op, err := do(ctx, c, "create "+f.id, c.client.CreateFunction,
		&functionspb.CreateFunctionRequest{Parent: c.config.parent(), FunctionId: f.id, Function: f.spec})
	if err != nil {
		return err
	}
	return c.await(ctx, "deploy "+f.id, op.Name())
}

// update deploys the function anew. It reports whether it has: where another does so, it leaves it to them.
func (c *control) update(ctx context.Context, f function, exe *program.Executable) (bool, error) {
	if err := c.complete(ctx, &f, exe); err != nil {
		return false, err
	}
	op, err := do(ctx, c, "update "+f.id, c.client.UpdateFunction, &functionspb.UpdateFunctionRequest{
		Function: f.spec, UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"build_config", "service_config", "labels"}},
	})
	if errors.Is(err, errConcurrent) || errors.Is(err, errNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return true, c.await(ctx, "deploy "+f.id, op.Name())
}

// complete uploads the source, and adds it and the runtime to the function, whose definition becomes the caller's own.
func (c *control) complete(ctx context.Context, f *function, exe *program.Executable) error {
	source, err := archive(exe, c.config.level())
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(source.Name()) }() // it is in the system's folder for such files
	defer source.Close()
	place, err := c.upload(ctx, source)
	if err != nil {
		return err
	}
	f.spec = proto.CloneOf(f.spec)
	f.spec.BuildConfig.Source = &functionspb.Source{Source: &functionspb.Source_StorageSource{StorageSource: place}}
	f.spec.BuildConfig.Runtime, err = c.runtime(ctx)
	return err
}

// runtime returns the newest Go that functions can be built with. It makes little difference which it is: it compiles the
// few lines that start the worker.
func (c *control) runtime(ctx context.Context) (string, error) {
	if c.config.Runtime != "" {
		return c.config.Runtime, nil
	}
	list, err := do(ctx, c, "list the runtimes", c.client.ListRuntimes, &functionspb.ListRuntimesRequest{Parent: c.config.parent()})
	if err != nil {
		return "", err
	}
	var names []string
	for _, r := range list.GetRuntimes() {
		if runtimePattern.MatchString(r.GetName()) && r.GetStage() == functionspb.ListRuntimesResponse_GA && r.GetEnvironment() == functionspb.Environment_GEN_2 {
			names = append(names, r.GetName())
		}
	}
	if len(names) == 0 {
		return "", fmt.Errorf("%s: the region %s names no runtime of Go that is generally available: name one by the parameter runtime: %w", scheme, c.config.Region, backends.ErrInvalid)
	}
	return slices.MaxFunc(names, func(x, y string) int { return cmp.Compare(version(x), version(y)) }), nil
}

// version is the number in go126.
func version(name string) int {
	n, _ := strconv.Atoi(strings.TrimPrefix(name, "go")) // it has matched the pattern
	return n
}

// messages are what the service says of a function that failed.
func messages(f *functionspb.Function) string {
	var all []string
	for _, m := range f.GetStateMessages() {
		all = append(all, m.GetMessage())
	}
	return strings.Join(all, "; ")
}
