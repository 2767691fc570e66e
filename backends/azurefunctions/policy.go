package azurefunctions

import (
	"encoding/json"
	"slices"
)

// Role is a custom role of Azure.
type Role struct {
	Name        string
	Description string
	Actions     []string // of the resource manager
	DataActions []string // of the storage
}

const publishAction = "Microsoft.Web/sites/publish/Action"

// DriverRole is what a driver needs for the resource group, and no more: for [Backend.Prepare], [Backend.Check] and
// [Backend.Destroy]. It needs less where workers have a user-assigned identity: assigning roles is a power over the whole
// scope, which [RoleCondition] bounds. For the bucket it needs, besides, what [WorkerRole] has.
func DriverRole(userAssigned bool) Role {
	r := Role{
		Name: "gowren driver", Description: "Makes, uses and deletes gowren's function apps.",
		Actions: []string{
			"Microsoft.Resources/subscriptions/resourceGroups/read",
			"Microsoft.Storage/storageAccounts/blobServices/containers/delete",
			"Microsoft.Storage/storageAccounts/blobServices/containers/read",
			"Microsoft.Storage/storageAccounts/blobServices/containers/write",
			"Microsoft.Storage/storageAccounts/read",
			"Microsoft.Web/serverfarms/delete",
			"Microsoft.Web/serverfarms/join/action",
			"Microsoft.Web/serverfarms/read",
			"Microsoft.Web/serverfarms/write",
			"Microsoft.Web/sites/delete",
			"Microsoft.Web/sites/functions/listkeys/action",
			publishAction,
			"Microsoft.Web/sites/read",
			"Microsoft.Web/sites/write",
		},
	}
	if userAssigned {
		r.Name = "gowren driver with identity" // the names of roles are unique in a directory
		r.Actions = append(r.Actions, "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
			"Microsoft.ManagedIdentity/userAssignedIdentities/read")
	} else {
		r.Actions = append(r.Actions, "Microsoft.Authorization/roleAssignments/delete", "Microsoft.Authorization/roleAssignments/write")
	}
	slices.Sort(r.Actions)
	return r
}

// RoleCondition is for the assignment of [DriverRole] without a user-assigned identity: with it, the driver can assign no
// other roles than those of the app's own identity, and to no user or group.
func RoleCondition() string {
	const of = "[Microsoft.Authorization/roleAssignments:"
	one := func(action, source string) string {
		return "(!(ActionMatches{'Microsoft.Authorization/roleAssignments/" + action + "'}) OR (\n" +
			"  @" + source + of + "RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {" + dataOwner + ", " + dataContributor + "}\n" +
			"  AND @" + source + of + "PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {'ServicePrincipal'}))"
	}
	return one("write", "Request") + "\nAND " + one("delete", "Resource")
}

// WorkerRole is what a worker needs for the bucket's container. On the account of the package, which need not be the
// bucket's, Azure's documents ask for the built-in role Storage Blob Data Owner, for the Functions host.
func WorkerRole() Role {
	const blobs = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/"
	return Role{
		Name: "gowren worker", Description: "Reads, writes and deletes the objects of a gowren bucket.",
		DataActions: []string{blobs + "add/action", blobs + "delete", blobs + "read", blobs + "write"},
	}
}

// Definition returns the role in the form that az role definition create takes, for a scope such as
// /subscriptions/ID/resourceGroups/NAME.
func (r Role) Definition(scope string) string {
	text, err := json.MarshalIndent(struct {
		Name, Description    string
		Actions, DataActions []string
		AssignableScopes     []string
	}{r.Name, r.Description, notNil(r.Actions), notNil(r.DataActions), []string{scope}}, "", "  ")
	if err != nil {
		panic(err) // strings can be encoded
	}
	return string(text)
}

func notNil(s []string) []string {
	if s == nil {
		return []string{}
	}
	return s
}
