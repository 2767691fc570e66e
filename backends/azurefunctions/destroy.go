package azurefunctions

import (
	"context"
	"net/http"
)

// part is one of what an app is made of.
type part struct{ what, id, version string }

// parts are those that bear the app's name, in the order in which they can be deleted.
func (p place) parts() []part {
	return []part{{"app", p.site, webVersion}, {"plan", p.plan, webVersion}, {"container", p.container, storageVersion}}
}

// Destroy implements [backends.Destroyer]: it deletes the app that Prepare makes for the bucket, its plan, the container of
// its package, and the roles of its own identity. It knows the name of each, and so finds what a Prepare that failed, or a
// Destroy, has left. Where one of the names is of something without gowren's mark, all stays. Invocations under way are
// lost. Storage accounts, buckets and user-assigned identities stay.
func (b *Backend) Destroy(ctx context.Context, bucket string) error {
	p, err := b.config.place(bucket)
	if err != nil {
		return err
	}
	parts := p.parts()
	for _, part := range parts {
		if err := b.ours(ctx, p, part); err != nil {
			return err
		}
	}
	for _, part := range parts {
		if err := b.manager.remove(ctx, part.id, part.version); err != nil {
			return b.explain("delete the "+part.what+" "+p.name, err)
		}
	}
	if p.identity != "" {
		return nil
	}
	return b.revoke(ctx, p, bucket)
}

// ours returns an error where what has the part's name is there, and was not made by gowren.
func (b *Backend) ours(ctx context.Context, p place, part part) error {
	var found struct {
		Tags       map[string]string `json:"tags"`
		Properties struct {
			Metadata map[string]string `json:"metadata"` // a container's, which has no tags
		} `json:"properties"`
	}
	switch err := b.manager.get(ctx, part.id, part.version, &found); {
	case status(err) == http.StatusNotFound && code(err) != "SubscriptionNotFound":
		return nil
	case err != nil:
		return b.explain("read the "+part.what+" "+p.name, err)
	}
	_, tagged := found.Tags[tag]
	_, marked := found.Properties.Metadata[tag]
	if !tagged && !marked {
		return invalid("the %s %s lacks the tag %q (a container: the metadata), and stays: it was made by somebody else, or its tags were taken away; delete it, or give it back its tag", part.what, p.name, tag)
	}
	return nil
}
