package azurefunctions

import (
	"context"

	"github.com/gowren/gowren/backends"
)

// Check implements [backends.Checker]. It makes the app where it is not there, as Prepare does.
func (b *Backend) Check(ctx context.Context, d backends.Deployment) []backends.Finding {
	group := b.config.group()
	var ignored struct{}
	found := []backends.Finding{b.look("resource group "+b.config.ResourceGroup, b.manager.get(ctx, group, groupsVersion, &ignored))}
	if found[0].Err != nil || d.Bucket == nil {
		return found
	}
	p, err := b.config.place(d.Bucket.URL())
	if err != nil {
		return append(found, backends.Finding{What: "storage account for the package", Err: err})
	}
	found = append(found, b.look("storage account for the package", b.manager.get(ctx, p.account, storageVersion, &ignored)))
	if p.identity != "" {
		found = append(found, b.look("identity "+b.config.Identity, b.manager.get(ctx, p.identity, identityVersion, &ignored)))
	}
	for _, f := range found {
		if f.Err != nil {
			return found
		}
	}
	app := backends.Finding{What: "function app " + p.name, Err: b.Prepare(ctx, d)}
	if app.Err == nil {
		app.Note = "it answers a ping, behind its key"
	}
	return append(found, app)
}

// look makes a line of one look.
func (b *Backend) look(what string, err error) backends.Finding {
	return backends.Finding{What: what, Err: b.explain("look for the "+what, err)}
}
