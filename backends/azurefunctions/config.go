package azurefunctions

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"

	"github.com/gowren/gowren/backends"
)

const scheme = "azurefunctions"

func init() {
	backends.Register(scheme, func(_ context.Context, u *url.URL) (backends.Backend, error) {
		c, err := parse(u)
		if err != nil {
			return nil, err
		}
		return New(c)
	})
}

// Config says where workers run, and what they have. Zero fields have the URL's defaults.
type Config struct {
	Subscription  string // its id
	ResourceGroup string // which must be there
	Location      string // such as westeurope
	MemoryMB      int
	Instances     int
	Storage       string
	Identity      string
	Endpoint      string // of the resource manager; http only on this machine
	// Environment is given to workers. Azure keeps it as the app's settings: who may read those sees it.
	Environment map[string]string
	Tags        map[string]string // of what is made
	// Credential authenticates the driver. Defaults to the credentials of Azure's own tools.
	Credential azcore.TokenCredential

	from int // MB of the configuration of which this is a larger one; 0 where it is the user's own
}

// parse reads a URL.
func parse(u *url.URL) (Config, error) {
	if err := backends.CheckParameters(u, "memory", "instances", "storage", "identity", "endpoint"); err != nil {
		return Config{}, err
	}
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	if u.Host == "" || len(parts) != 2 || u.Fragment != "" {
		return Config{}, invalid("%q names no place: write azurefunctions://SUBSCRIPTION/RESOURCE-GROUP/LOCATION", u.Host+u.Path)
	}
	q := u.Query()
	c := Config{
		Subscription: u.Host, ResourceGroup: parts[0], Location: parts[1],
		Storage: q.Get("storage"), Identity: q.Get("identity"), Endpoint: q.Get("endpoint"),
	}
	var err error
	for name, field := range map[string]*int{"memory": &c.MemoryMB, "instances": &c.Instances} {
		if *field, err = backends.Number(u, name); err != nil {
			return Config{}, err
		}
	}
	return c, nil
}

// memories are the sizes of instances, in MB.
var memories = []int{512, 2048, 4096}

var (
	subscriptionID = regexp.MustCompile(`^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$`)
	groupName      = regexp.MustCompile(`^[\w.()-]{0,89}[\w()-]$`)
	locationName   = regexp.MustCompile(`^[a-z0-9]{2,40}$`)
	accountName    = regexp.MustCompile(`^[a-z0-9]{3,24}$`)
	identityName   = regexp.MustCompile(`^[A-Za-z0-9][\w-]{2,127}$`)
	settingName    = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// complete checks a configuration and fills in the defaults.
func (c Config) complete() (Config, error) {
	if c.MemoryMB == 0 {
		c.MemoryMB = 2048
	}
	if c.Instances == 0 {
		c.Instances = 100
	}
	if c.Endpoint == "" {
		c.Endpoint = publicEndpoint
	}
	c.Location = strings.ReplaceAll(strings.ToLower(c.Location), " ", "")
	switch {
	case !subscriptionID.MatchString(c.Subscription):
		return c, invalid("%q is no subscription's id, such as 01234567-89ab-cdef-0123-456789abcdef: az account show --query id", c.Subscription)
	case !groupName.MatchString(c.ResourceGroup):
		return c, invalid("%q is no resource group's name", c.ResourceGroup)
	case !locationName.MatchString(c.Location):
		return c, invalid("%q is no location such as westeurope", c.Location)
	case !slices.Contains(memories, c.MemoryMB):
		return c, invalid("memory=%d: an instance has 512, 2048 or 4096 MB", c.MemoryMB)
	case c.Instances < 40 || c.Instances > 1000:
		return c, invalid("instances=%d: an app has 40 to 1000 instances at most", c.Instances)
	case c.Storage != "" && !accountName.MatchString(c.Storage):
		return c, invalid("storage=%q is no storage account, whose name has 3 to 24 small letters and digits", c.Storage)
	case c.Identity != "" && !identityName.MatchString(c.Identity):
		return c, invalid("identity=%q is no user-assigned identity's name", c.Identity)
	}
	for name := range c.Environment {
		if !settingName.MatchString(name) || strings.HasPrefix(name, "GOWREN_WORKER") || strings.HasPrefix(name, "AzureWebJobs") {
			return c, invalid("Environment: the name %q is none that workers can be given", name)
		}
	}
	u, err := url.Parse(c.Endpoint)
	if err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && (u.Scheme != "http" || !loopback(u.Hostname())) {
		return c, invalid("endpoint=%q is no https address of a resource manager", c.Endpoint)
	}
	c.Endpoint = strings.TrimSuffix(c.Endpoint, "/")
	return c, nil
}

// loopback reports whether the host is this machine.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func invalid(format string, args ...any) error {
	return fmt.Errorf("azurefunctions: "+format+": %w", append(args, backends.ErrInvalid)...)
}
