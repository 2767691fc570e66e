package gcpfunctions

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/httpworker"
)

// Check implements [backends.Checker]. It asks for nothing that Prepare does not ask for, and so for no quota: no interface
// that the driver uses tells it.
func (b *Backend) Check(ctx context.Context, d backends.Deployment) []backends.Finding {
	var all []backends.Finding
	look := func(what string, f func() (string, error)) bool {
		note, err := f()
		finding := backends.Finding{What: what, Note: note, Err: err}
		if err != nil {
			finding.Remedy = b.remedy(err)
		}
		all = append(all, finding)
		return err == nil
	}
	if !look("credentials", func() (string, error) {
		if _, err := b.config.Tokens.Access(ctx); err != nil {
			return "", fmt.Errorf("%w: %w", errCredentials, err)
		}
		if t, ok := b.config.Tokens.(interface{ who() string }); ok {
			return t.who(), nil
		}
		return "", nil
	}) {
		return all
	}
	if d.Bucket == nil {
		return append(all, backends.Finding{What: "function", Err: b.Prepare(ctx, d), Remedy: "open the executor with a bucket (GOWREN_STORAGE)"})
	}
	account := b.config.ServiceAccount
	if !look("project, region, permissions", func() (string, error) {
		f, err := b.config.function(d.Bucket.URL())
		if err != nil {
			return "", err
		}
		b.id = f.id
		found, err := b.control.get(ctx, f.spec.Name)
		note := "to be deployed: " + f.id
		if found != nil {
			note = fmt.Sprintf("%s is %s", f.id, found.GetState())
			account = cmp.Or(found.GetServiceConfig().GetServiceAccountEmail(), account)
		}
		return note, err
	}) {
		return all
	}
	quota := backends.Finding{What: "concurrency", Note: fmt.Sprintf("%d invocations at once (max); the project's quota of instances in %s may be less: "+
		"https://console.cloud.google.com/iam-admin/quotas?project=%s", b.config.MaxInstances, b.config.Region, b.config.Project)}
	workers := backends.Finding{What: "service account", Note: "workers run as " + account}
	if b.config.ServiceAccount == "" {
		workers.Note = "workers run as " + cmp.Or(account, "the project's compute account")
		workers.Remedy = "that account often may do much more than workers need: gcloud iam service-accounts create gowren --project=" + b.config.Project +
			", and name it by the parameter serviceaccount"
	}
	all = append(all, quota, workers)
	if !look("function", func() (string, error) { return b.id, b.Prepare(ctx, d) }) {
		return all
	}
	look("test invocation", func() (string, error) {
		s, err := b.client.Look(ctx)
		return fmt.Sprintf("the worker %s, %d CPUs, answers and reaches the bucket", s.Worker, s.CPUs), err
	})
	return all
}

// What a failure may be about, for its remedy.
var (
	errCredentials = errors.New("no access token")
	errDisabled    = errors.New("an interface of Google Cloud is not enabled in the project")
	errRegion      = errors.New("there is no such region, or the project may not use it")
	errActAs       = errors.New("the driver may not let functions run as that service account")
	errBuild       = errors.New("the build failed")
	errCaller      = errors.New("who calls may not")
)

// remedy is what to do about an error: a command, where there is one. What is in capitals only its reader knows.
func (b *Backend) remedy(err error) string {
	c := b.config
	account := cmp.Or(c.ServiceAccount, "WORKERS-ACCOUNT")
	project := fmt.Sprintf("gcloud projects add-iam-policy-binding %s --member=DRIVER --role=", c.Project)
	for _, r := range []struct {
		class error
		text  string
	}{
		{errCredentials, "gcloud auth application-default login, or name a key file in GOOGLE_APPLICATION_CREDENTIALS"},
		{errDisabled, enable + " --project=" + c.Project + "; it takes a minute to be known everywhere"},
		{errRegion, "gcloud functions regions list --project=" + c.Project},
		{errActAs, fmt.Sprintf("gcloud iam service-accounts add-iam-policy-binding %s --project=%s --member=DRIVER --role=roles/iam.serviceAccountUser", account, c.Project)},
		{errBuild, fmt.Sprintf("gcloud builds list --region=%s --project=%s shows its log; the account that builds needs roles/cloudbuild.builds.builder", c.Region, c.Project)},
		{errCaller, project + "roles/run.invoker, for the driver's account or the one that invoker names; it takes a minute to be known everywhere"},
		{httpworker.ErrBucket, fmt.Sprintf("gcloud storage buckets add-iam-policy-binding gs://BUCKET --member=serviceAccount:%s --role=projects/%s/roles/gowrenStore "+
			"(docs/gcp.md makes the role); with a VPC connector, give it a way to the store", account, c.Project)},
		{backends.ErrThrottled, "wait and try again; the quotas are in https://console.cloud.google.com/iam-admin/quotas?project=" + c.Project},
		{backends.ErrRefused, project + fmt.Sprintf("projects/%s/roles/gowrenDriver (docs/gcp.md makes the role)", c.Project)},
	} {
		if errors.Is(err, r.class) {
			return r.text
		}
	}
	return fmt.Sprintf("see the error, and gcloud functions describe %s --region=%s --project=%s", b.id, c.Region, c.Project)
}
