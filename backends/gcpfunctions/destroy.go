package gcpfunctions

import (
	"context"
	"errors"
	"fmt"

	"cloud.google.com/go/functions/apiv2/functionspb"

	"github.com/gowren/gowren/backends"
)

// Destroy implements [backends.Destroyer]: it deletes the function that Prepare makes for this configuration and bucket,
// whichever program it was deployed with and whether or not it was deployed to the end; the container images that the
// service keeps of it go with it. What is in buckets stays.
func (b *Backend) Destroy(ctx context.Context, bucket string) error {
	f, err := b.config.function(bucket)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, b.pace.deploy, fmt.Errorf("%s: the function %s is not gone after %v: see its state in the console", scheme, f.id, b.pace.deploy))
	defer cancel()
	for pause := b.pace.pauses(); ; {
		found, err := b.control.get(ctx, f.spec.Name)
		if err != nil || found == nil {
			return err
		}
		if found.GetLabels()[ourLabel] != b.config.Prefix {
			return fmt.Errorf("%s: the function %s lacks the label %s=%s: it was made by somebody else, or its labels were changed: it stays; "+
				"give it back its label, or delete it: gcloud functions delete %s --region=%s --project=%s: %w",
				scheme, f.id, ourLabel, b.config.Prefix, f.id, b.config.Region, b.config.Project, backends.ErrInvalid)
		}
		if found.GetState() != functionspb.Function_DELETING {
			op, err := do(ctx, b.control, "delete "+f.id, b.control.client.DeleteFunction, &functionspb.DeleteFunctionRequest{Name: f.spec.Name})
			switch {
			case errors.Is(err, errNotFound):
				return nil
			case err == nil:
				return b.control.await(ctx, "delete "+f.id, op.Name())
			case !errors.Is(err, errConcurrent): // it is being deployed
				return err
			}
		}
		if err := pause(ctx); err != nil {
			return err
		}
	}
}
