package azfunc

import (
	"slices"
	"strings"
)

// appConfig is functionAppConfig, which is Flex Consumption's alone.
type appConfig struct {
	Deployment struct {
		Storage struct {
			Type           string `json:"type"`
			Value          string `json:"value"`
			Authentication struct {
				Type           string `json:"type"`
				UserAssignedID string `json:"userAssignedIdentityResourceId,omitempty"`
			} `json:"authentication"`
		} `json:"storage"`
	} `json:"deployment"`
	Scale struct {
		InstanceMemoryMB     int `json:"instanceMemoryMB"`
		MaximumInstanceCount int `json:"maximumInstanceCount"`
		Triggers             struct {
			HTTP struct {
				PerInstanceConcurrency int `json:"perInstanceConcurrency"`
			} `json:"http"`
		} `json:"triggers"`
	} `json:"scaleAndConcurrency"`
	Runtime struct {
		Name    string `json:"name"`
		Version string `json:"version"`
	} `json:"runtime"`
}

// refusedSettings are those that Flex Consumption takes no more: functionAppConfig has their meaning.
var refusedSettings = []string{
	"WEBSITE_RUN_FROM_PACKAGE", "FUNCTIONS_WORKER_RUNTIME", "FUNCTIONS_WORKER_RUNTIME_VERSION", "FUNCTIONS_EXTENSION_VERSION",
	"WEBSITE_CONTENTAZUREFILECONNECTIONSTRING", "WEBSITE_CONTENTSHARE", "WEBSITE_CONTENTOVERVNET", "WEBSITE_SKIP_CONTENTSHARE_VALIDATION",
	"ENABLE_ORYX_BUILD", "SCM_DO_BUILD_DURING_DEPLOYMENT", "FUNCTIONS_MAX_HTTP_CONCURRENCY", "FUNCTIONS_WORKER_PROCESS_COUNT",
	"FUNCTIONS_WORKER_DYNAMIC_CONCURRENCY_ENABLED", "WEBSITE_MAX_DYNAMIC_APPLICATION_SCALE_OUT", "WEBSITE_NODE_DEFAULT_VERSION",
	"WEBSITE_VNET_ROUTE_ALL", "WEBSITE_USE_PLACEHOLDER", "WEBSITE_USE_PLACEHOLDER_DOTNETISOLATED", "WEBSITE_LOAD_CERTIFICATES",
}

// checkConfig returns what is wrong with an app's configuration. The server is locked.
func (s *Server) checkConfig(body *siteBody) *Refusal {
	c := body.Properties.FunctionAppConfig
	if c == nil {
		return invalidRequest("Site.FunctionAppConfig is required for Flex Consumption.")
	}
	for _, v := range body.Properties.SiteConfig.AppSettings {
		if slices.Contains(refusedSettings, strings.ToUpper(v.Name)) {
			return invalidRequest("The following app setting (Site.SiteConfig.AppSettings.%s) for Flex Consumption sites is invalid. Please remove or rename it before retrying.", v.Name)
		}
	}
	scale, storage := c.Scale, c.Deployment.Storage
	switch {
	case c.Runtime.Name != "custom" || c.Runtime.Version == "":
		return invalidRequest("Site.FunctionAppConfig.Runtime is invalid: this server runs custom handlers alone.")
	case !slices.Contains([]int{512, 2048, 4096}, scale.InstanceMemoryMB):
		return invalidRequest("Site.FunctionAppConfig.ScaleAndConcurrency.InstanceMemoryMB is invalid: 512, 2048 or 4096.")
	case scale.MaximumInstanceCount < 40 || scale.MaximumInstanceCount > 1000:
		return invalidRequest("Site.FunctionAppConfig.ScaleAndConcurrency.MaximumInstanceCount is invalid: 40 to 1000.")
	case scale.Triggers.HTTP.PerInstanceConcurrency != 1:
		return invalidRequest("This server gives an instance one request at a time.")
	case storage.Type != "blobContainer":
		return invalidRequest("Site.FunctionAppConfig.Deployment.Storage.Type is invalid: blobContainer.")
	}
	account, container := s.splitContainer(storage.Value)
	if !slices.Contains(s.options.Accounts, account) || s.containers[account+"/"+container] == nil {
		return invalidRequest("Site.FunctionAppConfig.Deployment.Storage.Value is invalid: %q is no container.", storage.Value)
	}
	switch auth := storage.Authentication; auth.Type {
	case "SystemAssignedIdentity":
		if !strings.Contains(body.Identity.Type, "SystemAssigned") {
			return invalidRequest("Site.FunctionAppConfig.Deployment.Storage.Authentication needs a system-assigned identity.")
		}
	case "UserAssignedIdentity":
		if _, ok := body.Identity.UserAssigned[auth.UserAssignedID]; !ok || !strings.Contains(body.Identity.Type, "UserAssigned") {
			return invalidRequest("Site.FunctionAppConfig.Deployment.Storage.Authentication.UserAssignedIdentityResourceId is not assigned to the app.")
		}
	default:
		return invalidRequest("Site.FunctionAppConfig.Deployment.Storage.Authentication.Type is invalid here: %q.", auth.Type)
	}
	return nil
}

// splitContainer returns the account and the container of a container's address.
func (s *Server) splitContainer(address string) (account, container string) {
	host, container, _ := strings.Cut(strings.TrimPrefix(address, "https://"), "/")
	account, _, _ = strings.Cut(host, ".")
	return account, container
}

// settings returns the app's settings by name.
func (b *siteBody) settings() map[string]string {
	m := map[string]string{}
	for _, v := range b.Properties.SiteConfig.AppSettings {
		m[v.Name] = v.Value
	}
	return m
}

// identityOf returns the principal that reads the app's packages.
func (a *site) identityOf() string {
	if id := a.body.Properties.FunctionAppConfig.Deployment.Storage.Authentication.UserAssignedID; id != "" {
		return "principal-of-" + id[strings.LastIndexByte(id, '/')+1:]
	}
	return a.principal
}
