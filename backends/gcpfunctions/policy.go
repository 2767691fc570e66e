package gcpfunctions

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/gowren/gowren/backends"
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

// StorePermissions are those that workers need, and no others; the driver needs them too.
func StorePermissions() []Permission {
	return []Permission{
		{"storage.objects.create", "the URL's prefix", "programs, results and large values"},
		{"storage.objects.delete", "the URL's prefix", "cleaning up, and replacing objects"},
		{"storage.objects.get", "the URL's prefix", "reading them"},
		{"storage.objects.list", "the bucket", "finding them, and telling an object that is not there from one that may not be read"},
	}
}

// StoreCondition is the condition of IAM that keeps a role to the prefix of a bucket's URL, such as gs://bucket/team; it is
// empty for one without a prefix. What names no object, as a listing does, it never allows: storage.objects.list must be
// granted without it, by a role of its own.
func StoreCondition(bucketURL string) (string, error) {
	u, err := url.Parse(bucketURL)
	if err != nil || u.Scheme != "gs" || u.Host == "" {
		return "", fmt.Errorf("%s: the bucket's URL is not of the form gs://bucket/prefix: %w", scheme, backends.ErrInvalid)
	}
	prefix := strings.Trim(u.Path, "/")
	if prefix == "" {
		return "", nil
	}
	return fmt.Sprintf("resource.name.startsWith(%q)", "projects/_/buckets/"+u.Host+"/objects/"+prefix+"/"), nil
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

// table is permissions as the documentation has them.
func table(permissions []Permission) string {
	var b strings.Builder
	b.WriteString("| permission | on | for |\n| --- | --- | --- |\n")
	for _, p := range permissions {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", p.Name, p.On, p.For)
	}
	return b.String()
}
