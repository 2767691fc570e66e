package gcpfunctions

import (
	"fmt"
	"strings"
)

// Permission is one that the driver needs.
type Permission struct {
	Name string
	On   string // what it must be granted on
	For  string // what fails without it
}

// Permissions are all that the driver's account needs. Those on the bucket are beside it: they are the store's.
func Permissions() []Permission {
	return []Permission{
		{"cloudfunctions.functions.create", "the project", "deploying the function"},
		{"cloudfunctions.functions.delete", "the project", "Destroy alone"},
		{"cloudfunctions.functions.get", "the project", "finding the function, and waiting for it"},
		{"cloudfunctions.functions.sourceCodeSet", "the project", "uploading what is deployed"},
		{"cloudfunctions.functions.update", "the project", "deploying a function again that does not answer"},
		{"cloudfunctions.operations.get", "the project", "waiting for deployments"},
		{"cloudfunctions.runtimes.list", "the project", "choosing the newest runtime; not needed with the parameter runtime"},
		{"iam.serviceAccounts.actAs", "the workers' account", "letting functions run as it"},
		{"run.routes.invoke", "the project", "calling functions; with invoker, that account needs it instead"},
	}
}

// Role is a custom role with the permissions on the project, as gcloud iam roles create takes it from a file.
func Role() string {
	var b strings.Builder
	b.WriteString("title: gowren driver\nstage: GA\nincludedPermissions:\n")
	for _, p := range Permissions() {
		if p.On == "the project" {
			fmt.Fprintf(&b, "- %s\n", p.Name)
		}
	}
	return b.String()
}

// table is the permissions as the documentation has them.
func table() string {
	var b strings.Builder
	b.WriteString("| permission | on | for |\n| --- | --- | --- |\n")
	for _, p := range Permissions() {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", p.Name, p.On, p.For)
	}
	return b.String()
}
