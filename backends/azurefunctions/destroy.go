package azurefunctions

import (
	"context"
	"strings"
)

// Destroy implements [backends.Destroyer]: it deletes the apps in the resource group that bear gowren's tag, with their
// plans, containers and the roles of their identities. After Prepare, they are those for its bucket; without, those for
// any. Invocations under way are lost. Storage accounts, buckets and user-assigned identities stay.
func (b *Backend) Destroy(ctx context.Context, _ string) error {
	group := b.config.named("", "").group
	var apps, plans struct{ Value []app }
	if err := b.manager.get(ctx, group+"/providers/Microsoft.Web/sites", webVersion, &apps); err != nil {
		return b.explain("list the apps of the resource group", err)
	}
	for _, a := range apps.Value {
		if b.ours(a) {
			if err := b.destroy(ctx, a); err != nil {
				return err
			}
		}
	}
	if err := b.manager.get(ctx, group+"/providers/Microsoft.Web/serverfarms", webVersion, &plans); err != nil {
		return b.explain("list the plans of the resource group", err)
	}
	for _, p := range plans.Value {
		if b.ours(p) { // its app was never made, or is gone
			if err := b.manager.remove(ctx, b.config.named(p.Name, "").plan, webVersion); err != nil {
				return b.explain("delete the plan "+p.Name, err)
			}
		}
	}
	return nil
}

// ours reports whether an app or a plan is one to destroy.
func (b *Backend) ours(a app) bool {
	_, made := a.Tags[tag]
	return made && (b.call.Bucket == "" || a.Tags[bucketTag] == b.config.tags(b.call.Bucket)[bucketTag])
}

// destroy deletes one app and what is its own.
func (b *Backend) destroy(ctx context.Context, a app) error {
	p := b.config.named(a.Name, a.account())
	if strings.Contains(a.Identity.Type, "SystemAssigned") {
		if err := b.revoke(ctx, p, a.Tags[bucketTag], a.Identity.PrincipalID); err != nil {
			return err
		}
	}
	for _, part := range []struct{ what, id, version string }{
		{"app", p.site, webVersion}, {"plan", p.plan, webVersion}, {"container", p.container, storageVersion},
	} {
		if err := b.manager.remove(ctx, part.id, part.version); err != nil {
			return b.explain("delete the "+part.what+" "+p.name, err)
		}
	}
	return nil
}
