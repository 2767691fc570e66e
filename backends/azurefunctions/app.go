package azurefunctions

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/wire"
)

// tag marks what gowren made; its value is the version of the protocol. bucketTag holds the bucket's URL.
const tag, bucketTag = "gowren", "gowren-bucket"

// place is where the parts of one app are: their ids in the resource manager.
type place struct {
	name      string // of the app, its plan and its container
	plan      string
	site      string
	account   string // of the storage account
	container string
	identity  string // of the user-assigned identity; empty where there is none
}

// place returns where the app for a bucket is. All that an app is made for is in its name: what differs has another.
func (c Config) place(bucket string) (place, error) {
	account := c.Storage
	if account == "" {
		if u, err := url.Parse(bucket); err == nil && u.Scheme == "az" {
			account = u.Host
		}
	}
	if account == "" {
		return place{}, invalid("the app's package needs a storage account, and the bucket %s is in none: name one of the resource group by storage=", bucket)
	}
	settings, err := json.Marshal(c.Environment) // in the order of names
	if err != nil {
		return place{}, invalid("Environment: %v", err)
	}
	what := strings.Join([]string{
		c.Subscription, strings.ToLower(c.ResourceGroup), c.Location, bucket, account, c.Identity, strconv.Itoa(c.Instances), string(settings),
	}, "\n")
	if c.from > 0 { // it is that configuration's alone
		what += "\nfrom " + strconv.Itoa(c.from)
	}
	sum := sha256.Sum256([]byte(what))
	name, group := fmt.Sprintf("gowren-%d-%d-%s", wire.Version, c.MemoryMB, hex.EncodeToString(sum[:8])), c.group()
	p := place{
		name:    name,
		plan:    group + "/providers/Microsoft.Web/serverfarms/" + name,
		site:    group + "/providers/Microsoft.Web/sites/" + name,
		account: group + "/providers/Microsoft.Storage/storageAccounts/" + account,
	}
	p.container = containerID(p.account, name)
	if c.Identity != "" {
		p.identity = group + "/providers/Microsoft.ManagedIdentity/userAssignedIdentities/" + c.Identity
	}
	return p, nil
}

// group is the resource group's id.
func (c Config) group() string {
	return "/subscriptions/" + c.Subscription + "/resourceGroups/" + c.ResourceGroup
}

func containerID(account, name string) string {
	return account + "/blobServices/default/containers/" + name
}

// tags are on all that is made.
func (c Config) tags(bucket string) map[string]string {
	tags := map[string]string{tag: strconv.Itoa(wire.Version), bucketTag: bucket[:min(len(bucket), 256)]}
	maps.Copy(tags, c.Tags)
	return tags
}

// planBody is a plan of Flex Consumption.
func (c Config) planBody(bucket string) any {
	return map[string]any{
		"location": c.Location, "kind": "functionapp", "tags": c.tags(bucket),
		"sku":        map[string]any{"name": "FC1", "tier": "FlexConsumption"},
		"properties": map[string]any{"reserved": true}, // Linux
	}
}

// cpus are what an instance has, in whole ones.
func (c Config) cpus() int { return max(c.MemoryMB/2048, 1) }

// childMB is what a worker's child may hold: the instance's memory, less what its supervisor needs.
func (c Config) childMB() int { return c.MemoryMB - 64 }

// siteBody is an app. The container's address is where its package is kept; client is the id of a user-assigned identity.
func (c Config) siteBody(p place, bucket, container, client string) any {
	settings := map[string]string{
		backends.RoleVariable: roleName, backends.BucketVariable: bucket,
		cpusVariable: strconv.Itoa(c.cpus()), memoryVariable: strconv.Itoa(c.childMB()), limitVariable: longest.String(),
		// The host's own data, its locks and keys, by the identity and not by a key.
		"AzureWebJobsStorage__accountName": p.account[strings.LastIndexByte(p.account, '/')+1:],
		"AzureWebJobsStorage__credential":  "managedidentity",
	}
	maps.Copy(settings, c.Environment)
	identity := map[string]any{"type": "SystemAssigned"}
	auth := map[string]any{"type": "SystemAssignedIdentity"}
	if p.identity != "" {
		identity = map[string]any{"type": "UserAssigned", "userAssignedIdentities": map[string]any{p.identity: struct{}{}}}
		auth = map[string]any{"type": "UserAssignedIdentity", "userAssignedIdentityResourceId": p.identity}
		settings["AzureWebJobsStorage__clientId"] = client
		settings["AZURE_CLIENT_ID"] = client // by which the worker's SDK knows which identity is meant
	}
	var list []any
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		list = append(list, map[string]string{"name": name, "value": settings[name]})
	}
	return map[string]any{
		"location": c.Location, "kind": "functionapp,linux", "tags": c.tags(bucket), "identity": identity,
		"properties": map[string]any{
			"serverFarmId": p.plan, "httpsOnly": true,
			"siteConfig": map[string]any{"appSettings": list, "minTlsVersion": "1.2", "http20Enabled": true},
			"functionAppConfig": map[string]any{
				"deployment": map[string]any{"storage": map[string]any{"type": "blobContainer", "value": container, "authentication": auth}},
				"scaleAndConcurrency": map[string]any{
					"instanceMemoryMB": c.MemoryMB, "maximumInstanceCount": c.Instances,
					"triggers": map[string]any{"http": map[string]any{"perInstanceConcurrency": 1}},
				},
				"runtime": map[string]any{"name": "custom", "version": "1.0"},
			},
		},
	}
}

// app is what the resource manager tells of one.
type app struct {
	Name     string            `json:"name"`
	Tags     map[string]string `json:"tags"`
	Identity struct {
		Type        string `json:"type"`
		PrincipalID string `json:"principalId"`
	} `json:"identity"`
	Properties struct {
		State             string `json:"state"`
		DefaultHostName   string `json:"defaultHostName"`
		HostNameSSLStates []struct {
			Name     string `json:"name"`
			HostType string `json:"hostType"`
		} `json:"hostNameSslStates"`
	} `json:"properties"`
}

// deploymentHost is where packages are sent.
func (a *app) deploymentHost() string {
	for _, h := range a.Properties.HostNameSSLStates {
		if h.HostType == "Repository" {
			return h.Name
		}
	}
	name, rest, _ := strings.Cut(a.Properties.DefaultHostName, ".")
	return name + ".scm." + rest
}
