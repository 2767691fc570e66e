package azurefunctions

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net/url"
	"strings"
)

// The built-in roles that the app's own identity is given. The first is what Azure asks for the host's data and the
// package, on their account; the second is for the bucket's container.
const (
	dataOwner       = "b7e6dc6d-f1e8-4753-8033-0f276bb0955b"
	dataContributor = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
)

// grant is a role assignment.
type grant struct{ scope, role string }

// grants returns what the app's own identity needs.
func (p place) grants(bucket string) []grant {
	all := []grant{{p.account, dataOwner}}
	u, err := url.Parse(bucket)
	if err != nil || u.Scheme != "az" {
		return all // the bucket is not Azure's: Environment has what workers need for it
	}
	container, _, _ := strings.Cut(strings.Trim(u.Path, "/"), "/")
	account := p.account[:strings.LastIndexByte(p.account, '/')+1] + u.Host
	return append(all, grant{containerID(account, container), dataContributor})
}

// id names the assignment to the identity of an app. It is the same each time, so that a second one is none, and known
// when the app is gone.
func (g grant) id(app string) string {
	h := sha256.Sum256([]byte(strings.ToLower(g.scope) + "\n" + g.role + "\n" + app))
	h[6], h[8] = h[6]&0x0f|0x50, h[8]&0x3f|0x80 // a UUID of version 5
	return fmt.Sprintf("%s/providers/Microsoft.Authorization/roleAssignments/%x-%x-%x-%x-%x", g.scope, h[:4], h[4:6], h[6:8], h[8:10], h[10:16])
}

// grant assigns the roles to the app's own identity.
func (b *Backend) grant(ctx context.Context, p place, bucket, principal string) error {
	for _, g := range p.grants(bucket) {
		body := map[string]any{"properties": map[string]string{
			"roleDefinitionId": "/subscriptions/" + b.config.Subscription + "/providers/Microsoft.Authorization/roleDefinitions/" + g.role,
			"principalId":      principal,
			// The directory may not know the identity yet. This keeps it from being asked.
			"principalType": "ServicePrincipal",
		}}
		id := g.id(p.name)
		err := b.manager.set(ctx, id, rolesVersion, body)
		if code(err) == "RoleAssignmentUpdateNotPermitted" { // it is of an app of this name that is gone
			if err = b.manager.remove(ctx, id, rolesVersion); err == nil {
				err = b.manager.set(ctx, id, rolesVersion, body)
			}
		}
		if err != nil && code(err) != "RoleAssignmentExists" {
			return b.explain("assign a role to the app's identity on "+g.scope+" (identity= names one that has its roles already)", err)
		}
	}
	return nil
}

// revoke takes them back: an assignment outlives the identity.
func (b *Backend) revoke(ctx context.Context, p place, bucket string) error {
	for _, g := range p.grants(bucket) {
		if err := b.manager.remove(ctx, g.id(p.name), rolesVersion); err != nil {
			return b.explain("delete the role assignment on "+g.scope, err)
		}
	}
	return nil
}
