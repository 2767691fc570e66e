package gcpfunctions

import (
	"context"
	"errors"
	"fmt"

	cloudfunctions "google.golang.org/api/cloudfunctions/v2"
)

// Destroy implements [backends.Destroyer]: it deletes all functions in the region that have the label gowren with the
// prefix, whatever they were deployed for, with the container images that the service keeps of them. What is in buckets
// stays.
func (b *Backend) Destroy(ctx context.Context) error {
	ours, err := b.control.ours(ctx)
	if err != nil {
		return err
	}
	var ops []*cloudfunctions.Operation
	var errs []error
	for _, name := range ours {
		op, err := do(ctx, b.control, "delete "+name, b.control.functions.Delete(name).Context(ctx).Do)
		if errors.Is(err, errNotFound) {
			continue
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		ops = append(ops, op)
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
		page, err := do(ctx, c, "list the functions", c.functions.List(c.config.parent()).PageToken(token).Context(ctx).Do)
		if err != nil {
			return nil, err
		}
		for _, f := range page.Functions {
			if f.Labels[ourLabel] == c.config.Prefix {
				names = append(names, f.Name)
			}
		}
		if token = page.NextPageToken; token == "" {
			return names, nil
		}
		if len(names) > 10_000 {
			return nil, fmt.Errorf("%s: over 10000 functions have the label %s=%s", scheme, ourLabel, c.config.Prefix)
		}
	}
}
