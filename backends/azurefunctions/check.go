package azurefunctions

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/gowren/gowren/backends"
)

// Check implements [backends.Checker]. It makes the app where it is not there, as Prepare does, and asks for nothing that
// Prepare does not ask for: so it tells no quota, which takes permissions for the whole subscription.
func (b *Backend) Check(ctx context.Context, d backends.Deployment) []backends.Finding {
	var all []backends.Finding
	var p place
	var bucket string
	look := func(what string, f func() (string, error)) bool {
		note, err := f()
		finding := backends.Finding{What: what, Note: note, Err: err}
		if err != nil {
			finding.Remedy = b.remedy(p, bucket, err)
		}
		all = append(all, finding)
		return err == nil
	}
	if !look("credentials", func() (string, error) { return b.whose(ctx) }) ||
		!look("resource group "+b.config.ResourceGroup, func() (string, error) { return b.located(ctx, b.config.group(), groupsVersion) }) {
		return all
	}
	if d.Bucket == nil {
		return append(all, backends.Finding{What: "function app", Err: b.Prepare(ctx, d), Remedy: "open the executor with a bucket (GOWREN_STORAGE)"})
	}
	bucket = d.Bucket.URL()
	var err error
	if p, err = b.config.place(bucket); err != nil {
		return append(all, backends.Finding{What: "storage account for the package", Err: err, Remedy: "name one of the resource group by storage="})
	}
	there := look("storage account for the package", func() (string, error) { return b.located(ctx, p.account, storageVersion) })
	if p.identity != "" {
		there = look("identity "+b.config.Identity, func() (string, error) { return b.located(ctx, p.identity, identityVersion) }) && there
	}
	there = look("Flex Consumption in "+b.config.Location, func() (string, error) { return b.plan(ctx, p, bucket) }) && there
	if !there ||
		!look("function app "+p.name, func() (string, error) { return "it is there, behind its key", b.Prepare(ctx, d) }) {
		return all
	}
	look("test invocation", func() (string, error) {
		p, err := b.ready()
		if err != nil {
			return "", err
		}
		s, err := p.client.Look(ctx)
		return fmt.Sprintf("the worker %s, %d CPUs, answers and reaches the bucket", s.Worker, s.CPUs), err
	})
	return all
}

// whose gets a token, and says whose it is.
func (b *Backend) whose(ctx context.Context) (string, error) {
	t, err := b.credential.GetToken(ctx, policy.TokenRequestOptions{Scopes: []string{b.manager.audience + "/.default"}})
	if err != nil {
		return "", b.explain("get a token", err)
	}
	return who(t.Token), nil
}

// who says whose a token is, as far as it tells. What it says is shown and nothing else: it is not verified here.
func who(token string) string {
	const unknown = "the token does not tell whose they are"
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return unknown
	}
	var claims struct {
		User   string `json:"upn"`
		Name   string `json:"unique_name"`
		App    string `json:"appid"`
		Object string `json:"oid"`
		Tenant string `json:"tid"`
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil || json.Unmarshal(text, &claims) != nil || claims.Object == "" {
		return unknown
	}
	name := claims.User
	switch {
	case name != "":
	case claims.Name != "":
		name = claims.Name
	default:
		name = "the application " + claims.App
	}
	return oneLine(fmt.Sprintf("%s, the object %s of the tenant %s", name, claims.Object, claims.Tenant))
}

// located looks whether something is there, and where.
func (b *Backend) located(ctx context.Context, id, version string) (string, error) {
	var found struct {
		Name     string `json:"name"`
		Location string `json:"location"`
	}
	if err := b.manager.get(ctx, id, version, &found); err != nil {
		return "", b.explain("look for it", err)
	}
	note := fmt.Sprintf("%s is in %s", found.Name, found.Location)
	if version == storageVersion && found.Location != b.config.Location {
		note += ", and workers in " + b.config.Location + ": bytes between them take longer, and cost"
	}
	return note, nil
}

// plan makes the app's plan unless it is there: that shows whether the location has Flex Consumption, and the subscription
// any quota of it.
func (b *Backend) plan(ctx context.Context, p place, bucket string) (string, error) {
	part := p.parts()[1]
	if err := b.ours(ctx, p, part); err != nil {
		return "", err
	}
	var found struct{}
	err := b.manager.get(ctx, part.id, part.version, &found)
	if status(err) == http.StatusNotFound {
		err = b.provideOne(ctx, p.plan, b.config.planBody(bucket))
	}
	return fmt.Sprintf("up to %d instances of %d MB, which take %.4g CPUs of the subscription's quota there",
		b.config.Instances, b.config.MemoryMB, float64(b.config.Instances)*float64(b.config.MemoryMB)/2048), b.explain("make the plan "+p.name, err)
}
