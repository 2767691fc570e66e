package azurefunctions

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/httpworker"
)

// failure is an error of which is known what to do about it.
type failure struct {
	text, remedy string
	class        error
}

func (f *failure) Error() string { return fmt.Sprintf("%s: %s: %v", f.text, f.remedy, f.class) }

// Unwrap returns the class.
func (f *failure) Unwrap() error { return f.class }

// words are what remedies may name. What is in capitals only its reader knows.
func (c Config) words() *strings.Replacer {
	return strings.NewReplacer("{group}", c.ResourceGroup, "{location}", c.Location, "{subscription}", c.Subscription,
		"{storage}", cmp.Or(c.Storage, "NAME"), "{identity}", c.Identity, "{role}",
		fmt.Sprintf("az role assignment create --role %q --assignee DRIVER --scope %s (docs/azure.md makes the role)",
			DriverRole(c.Identity != "").Name, c.group()))
}

// remedy is what to do about an answer.
type remedy struct {
	status int    // 0 is any
	code   string // empty is any
	part   string // of the message, in lower case; empty is any
	class  error
	remedy string // what to do, with the configuration's words
}

// remedies are what is known of the resource manager's errors. The first that fits is told.
var remedies = []remedy{
	{0, "", "quota", backends.ErrRefused, "ask for more quota for Flex Consumption in {location}, or take another location"},
	{0, "ExpiredAuthenticationToken", "", backends.ErrRefused, "log in again, with az login"},
	{http.StatusUnauthorized, "", "", backends.ErrRefused, "log in again, with az login, to the tenant of the subscription {subscription}"},
	{
		0, "AuthorizationFailed", "microsoft.authorization/roleassignments/", backends.ErrRefused,
		"name a user-assigned identity that has its roles already (identity=), or give the driver's identity the role that may assign some: {role}",
	},
	{0, "AuthorizationFailed", "", backends.ErrRefused, "give the driver's identity the role: {role}"},
	{0, "LinkedAuthorizationFailed", "", backends.ErrRefused, "give the driver's identity the role: {role}"},
	{http.StatusForbidden, "", "", backends.ErrRefused, "a policy, a lock or a missing role of the resource group {group} forbids it: {role}"},
	{0, "ResourceGroupNotFound", "", backends.ErrInvalid, "make it: az group create --name {group} --location {location}"},
	{0, "SubscriptionNotFound", "", backends.ErrInvalid, "az account list shows the subscriptions that the login sees"},
	{0, "MissingSubscriptionRegistration", "", backends.ErrInvalid, "register the provider that is named: az provider register --subscription {subscription} --namespace NAME"},
	{0, "LocationNotAvailableForResourceType", "", backends.ErrInvalid, "Flex Consumption is not in {location}: az functionapp list-flexconsumption-locations shows where it is"},
	{
		http.StatusNotFound, "", "microsoft.storage/storageaccounts/", backends.ErrInvalid,
		"make it: az storage account create --name {storage} --resource-group {group} --location {location}, or name another of the group by storage=",
	},
	{
		http.StatusNotFound, "", "microsoft.managedidentity/", backends.ErrInvalid,
		"make it: az identity create --name {identity} --resource-group {group} (docs/azure.md has the roles that it needs)",
	},
	{http.StatusConflict, "", "already exists", backends.ErrInvalid, "the name is taken by an app of somebody else: change instances= by one, which changes the name"},
	{http.StatusTooManyRequests, "", "", backends.ErrThrottled, "the subscription makes too many calls: wait some minutes"},
	{http.StatusBadRequest, "", "", backends.ErrInvalid, "check the URL's parameters and the location {location}"},
	{0, "", "does not belong to the resource manager", backends.ErrInvalid, "a proxy on the way may want a login"},
}

func (r remedy) fits(status int, code, message string) bool {
	return (r.status == 0 || r.status == status) && (r.code == "" || r.code == code) && strings.Contains(strings.ToLower(message), r.part)
}

// remedy is what to do about an error of Prepare or of a look.
func (b *Backend) remedy(p place, bucket string, err error) string {
	var known *failure
	switch {
	case errors.As(err, &known):
		return known.remedy
	case errors.Is(err, errNotInForce):
		return b.assign(p, "Storage Blob Data Owner", p.account)
	case errors.Is(err, httpworker.ErrBucket):
		grants := p.grants(bucket)
		if len(grants) == 1 {
			return "the bucket is not Azure's: give workers what it asks for by Config.Environment"
		}
		return b.assign(p, "Storage Blob Data Contributor", grants[1].scope)
	case errors.Is(err, httpworker.ErrUnreachable):
		return "see whether this machine reaches the app's address, and whether the app's access restrictions let it"
	case errors.Is(err, backends.ErrThrottled):
		return "wait some minutes, and try again"
	case errors.Is(err, backends.ErrRefused):
		return b.config.words().Replace("{role}")
	case errors.Is(err, backends.ErrInvalid):
		return "see what the error says of the URL of the backend"
	}
	return fmt.Sprintf("az webapp log tail --name %s --resource-group %s shows what the app says; see also whether %s can be reached from here",
		p.name, b.config.ResourceGroup, b.config.Endpoint)
}

// assign is the command that gives workers a role.
func (b *Backend) assign(p place, role, scope string) string {
	show := "az functionapp identity show --name " + p.name
	if p.identity != "" {
		show = "az identity show --name " + b.config.Identity
	}
	return fmt.Sprintf("wait some minutes for roles to be in force; else az role assignment create --role %q --assignee-principal-type ServicePrincipal "+
		"--assignee-object-id $(%s --resource-group %s --query principalId --output tsv) --scope %s", role, show, b.config.ResourceGroup, scope)
}
