package gcpfunctions

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"

	"cloud.google.com/go/functions/apiv2/functionspb"
	"github.com/googleapis/gax-go/v2"
	"google.golang.org/api/iterator"
)

// Destroy implements [backends.Destroyer]: it deletes the function that Prepare has found or made; without Prepare, all
// functions in the region that have the label gowren with the prefix, whatever they were deployed for. The container images
// that the service keeps of them go with them. What is in buckets stays.
func (b *Backend) Destroy(ctx context.Context, _ string) error {
	ours, err := b.control.ours(ctx)
	if err != nil {
		return err
	}
	if b.id != "" {
		ours = slices.DeleteFunc(ours, func(name string) bool { return path.Base(name) != b.id })
	}
	var ops []string
	var errs []error
	for _, name := range ours {
		op, err := do(ctx, b.control, "delete "+name, b.control.client.DeleteFunction, &functionspb.DeleteFunctionRequest{Name: name})
		if errors.Is(err, errNotFound) {
			continue
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		ops = append(ops, op.Name())
	}
	for _, op := range ops {
		errs = append(errs, b.control.await(ctx, "delete a function", op))
	}
	return errors.Join(errs...)
}

// ours lists the functions of the prefix.
func (c *control) ours(ctx context.Context) ([]string, error) {
	var names []string
	for token := ""; ; {
		found, err := do(ctx, c, "list the functions", c.list, token)
		if err != nil {
			return nil, err
		}
		for _, f := range found.GetFunctions() {
			if f.GetLabels()[ourLabel] == c.config.Prefix {
				names = append(names, f.GetName())
			}
		}
		if token = found.GetNextPageToken(); token == "" {
			return names, nil
		}
		if len(names) > 10_000 {
			return nil, fmt.Errorf("%s: over 10000 functions have the label %s=%s", scheme, ourLabel, c.config.Prefix)
		}
	}
}

// list returns some of the functions, from a page's token on. Of this request alone the client forgets the context: here a
// client's transport has it.
func (c *control) list(ctx context.Context, token string, _ ...gax.CallOption) (*functionspb.ListFunctionsResponse, error) {
	client, err := c.connect(&authorized{c.plain, c.config.Tokens, ctx})
	if err != nil {
		return nil, err
	}
	var found functionspb.ListFunctionsResponse
	all := client.ListFunctions(ctx, &functionspb.ListFunctionsRequest{Parent: c.config.parent()})
	found.NextPageToken, err = iterator.NewPager(all, 200, token).NextPage(&found.Functions)
	return &found, errors.Join(err, client.Close())
}
