package gcpfunctions

import (
	"context"
	"fmt"

	"github.com/gowren/gowren/backends"
)

// Check implements [backends.Checker].
func (b *Backend) Check(ctx context.Context, d backends.Deployment) []backends.Finding {
	var all []backends.Finding
	look := func(what, remedy string, f func() (string, error)) bool {
		note, err := f()
		finding := backends.Finding{What: what, Note: note, Err: err}
		if err != nil {
			finding.Remedy = remedy
		}
		all = append(all, finding)
		return err == nil
	}
	if !look("credentials", "gcloud auth application-default login, or name a key file in GOOGLE_APPLICATION_CREDENTIALS", func() (string, error) {
		_, err := b.config.Tokens.Access(ctx)
		return "", err
	}) {
		return all
	}
	look("project, region, permissions", "give the driver the role in docs/gcp.md, and enable the interfaces: "+enable, func() (string, error) {
		names, err := b.control.ours(ctx)
		return fmt.Sprintf("%d functions of the prefix %s in %s", len(names), b.config.Prefix, b.config.Region), err
	})
	if !look("function", "see the error; the state of functions is in the console under Cloud Run functions", func() (string, error) {
		if err := b.Prepare(ctx, d); err != nil {
			return "", err
		}
		return b.id, nil
	}) {
		return all
	}
	look("test invocation", "give roles/run.invoker to the driver's account, or to the one that invoker names", func() (string, error) {
		s, err := b.client.Ping(ctx, 0)
		return fmt.Sprintf("worker %s, %d CPUs", s.Worker, s.CPUs), err
	})
	return all
}
