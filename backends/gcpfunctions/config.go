package gcpfunctions

import (
	"compress/flate"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"cloud.google.com/go/functions/apiv2/functionspb"

	"github.com/gowren/gowren/backends"
)

// Config says which functions there are to be. Project and Region are needed; other zero fields have the defaults that the
// package's documentation names.
type Config struct {
	Project string // its id, not its number
	Region  string // such as europe-west1

	MemoryMB     int           // of an instance; what programs and tasks write to /tmp counts too
	CPU          int           // processors of an instance, and so tasks that it runs at once: 1, 2, 4, 6 or 8
	Timeout      time.Duration // of an invocation; whole seconds, at most an hour
	MaxInstances int           // and so invocations at once
	MinInstances int           // kept warm, and paid for, all the time

	ServiceAccount      string // email of the account that workers run as
	BuildServiceAccount string // email of the account that builds
	// Invoker is the email of an account whose identity the driver takes to call the functions. A service account that
	// the driver runs as needs none; a person's credentials give no identity that a function accepts.
	Invoker string

	VPCConnector string            // its name, or the whole resource's
	Ingress      string            // where calls may come from: all, internal, or internal-and-gclb
	Labels       map[string]string // of the functions, besides the one of gowren
	Env          map[string]string // environment variables of workers
	Prefix       string            // of the functions' names
	Runtime      string            // such as go126; defaults to the newest that is generally available

	Tokens   Tokens       // what requests are authorized by; defaults to Google's application default credentials
	Endpoint string       // http://host:port or https://host of another server than Google's
	Client   *http.Client // for the requests to functions; it must not have a time-out

	loose bool          // what is uploaded is not compressed
	poll  time.Duration // how soon an invocation looks whether it was cancelled
	from  int           // MB of the configuration of which this is a larger one; 0 where it is the user's own
}

// scheme is that of the URL.
const scheme = "gcpfunctions"

// parameters are those of the URL, beside env.NAME and label.NAME.
var parameters = []string{
	"memory", "cpu", "timeout", "max", "min", "serviceaccount", "buildserviceaccount", "invoker", "vpcconnector", "ingress",
	"prefix", "runtime", "endpoint",
}

// parse reads a URL.
func parse(u *url.URL) (Config, error) {
	var c Config
	c.Project, c.Region = u.Host, strings.Trim(u.Path, "/")
	query := u.Query()
	for name := range query {
		if env, ok := strings.CutPrefix(name, "env."); ok {
			if c.Env == nil {
				c.Env = map[string]string{}
			}
			c.Env[env] = query.Get(name)
			continue
		}
		if label, ok := strings.CutPrefix(name, "label."); ok {
			if c.Labels == nil {
				c.Labels = map[string]string{}
			}
			c.Labels[label] = query.Get(name)
			continue
		}
		if !slices.Contains(parameters, name) {
			return c, fmt.Errorf("%s has no parameter %q; it has: %s, env.NAME, label.NAME: %w", scheme, name, strings.Join(parameters, ", "), backends.ErrInvalid)
		}
	}
	for name, field := range map[string]*int{"memory": &c.MemoryMB, "cpu": &c.CPU, "max": &c.MaxInstances, "min": &c.MinInstances} {
		var err error
		if *field, err = backends.Number(u, name); err != nil {
			return c, err
		}
	}
	for name, field := range map[string]*string{
		"serviceaccount": &c.ServiceAccount, "buildserviceaccount": &c.BuildServiceAccount, "invoker": &c.Invoker,
		"vpcconnector": &c.VPCConnector, "ingress": &c.Ingress, "prefix": &c.Prefix, "runtime": &c.Runtime, "endpoint": &c.Endpoint,
	} {
		*field = query.Get(name)
	}
	if s := query.Get("timeout"); s != "" {
		var err error
		if c.Timeout, err = duration(s); err != nil {
			return c, err
		}
	}
	return c, nil
}

// duration reads a number of seconds, or what time.ParseDuration takes.
func duration(s string) (time.Duration, error) {
	if n, err := strconv.Atoi(s); err == nil {
		return time.Duration(n) * time.Second, nil
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%s: timeout=%q is no number of seconds, and no duration such as 30m: %w", scheme, s, backends.ErrInvalid)
	}
	return d, nil
}

var (
	projectPattern = regexp.MustCompile(`^([a-z][a-z0-9.-]*:)?[a-z][a-z0-9-]{4,28}[a-z0-9]$`)
	regionPattern  = regexp.MustCompile(`^[a-z]+-[a-z]+[0-9]+$`)
	prefixPattern  = regexp.MustCompile(`^[a-z][a-z0-9-]{0,29}$`)
	runtimePattern = regexp.MustCompile(`^go[0-9]{3,4}$`)
	emailPattern   = regexp.MustCompile(`^[A-Za-z0-9._-]+@[A-Za-z0-9.-]+$`)
	envPattern     = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	labelKey       = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,62}$`)
	labelValue     = regexp.MustCompile(`^[a-z0-9_-]{0,63}$`)
)

// taken are the environment variables that the platform and gowren set themselves.
var taken = []string{"PORT", "FUNCTION_TARGET", "FUNCTION_SIGNATURE_TYPE", "K_SERVICE", "K_REVISION", "K_CONFIGURATION"}

// ingresses are the service's words for the values of Ingress.
var ingresses = map[string]functionspb.ServiceConfig_IngressSettings{
	"all": functionspb.ServiceConfig_ALLOW_ALL, "internal": functionspb.ServiceConfig_ALLOW_INTERNAL_ONLY,
	"internal-and-gclb": functionspb.ServiceConfig_ALLOW_INTERNAL_AND_GCLB,
}

// memories are the least and the most memory in MB that an instance with so many processors can have.
var memories = map[int][2]int{1: {256, 4096}, 2: {256, 8192}, 4: {2048, 16384}, 6: {4096, 24576}, 8: {4096, 32768}}

// complete sets defaults.
func (c Config) complete() Config {
	if c.MemoryMB == 0 {
		c.MemoryMB = 2048
	}
	if c.CPU == 0 {
		for _, n := range slices.Sorted(maps.Keys(memories)) {
			if c.CPU = n; c.MemoryMB <= memories[n][1]/2 || n == 8 {
				break
			}
		}
	}
	if c.poll == 0 {
		c.poll = time.Second / 2
	}
	if c.Timeout == 0 {
		c.Timeout = time.Hour
	}
	if c.MaxInstances == 0 {
		c.MaxInstances = 100
	}
	if c.Ingress == "" {
		c.Ingress = "all"
	}
	if c.Prefix == "" {
		c.Prefix = "gowren"
	}
	if c.VPCConnector != "" && !strings.Contains(c.VPCConnector, "/") {
		c.VPCConnector = c.parent() + "/connectors/" + c.VPCConnector
	}
	return c
}

// level is that of what is uploaded.
func (c Config) level() int {
	if c.loose {
		return flate.NoCompression
	}
	return flate.BestSpeed
}

// parent is the resource that functions are in.
func (c Config) parent() string { return "projects/" + c.Project + "/locations/" + c.Region }

// check refuses what the service could not take. It is the complete configuration's.
func (c Config) check() error {
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("%s: %s: %w", scheme, fmt.Sprintf(format, args...), backends.ErrInvalid)
	}
	limits, known := memories[c.CPU]
	for _, rule := range []struct {
		ok   bool
		text string
	}{
		{projectPattern.MatchString(c.Project) && regionPattern.MatchString(c.Region),
			fmt.Sprintf("%q and %q are no project and region: write gcpfunctions://my-project/europe-west1", c.Project, c.Region)},
		{known, fmt.Sprintf("cpu=%d: an instance has 1, 2, 4, 6 or 8", c.CPU)},
		{!known || c.MemoryMB >= limits[0] && c.MemoryMB <= limits[1],
			fmt.Sprintf("memory=%d: with cpu=%d it is %d to %d MB", c.MemoryMB, c.CPU, limits[0], limits[1])},
		{c.Timeout >= time.Minute && c.Timeout <= time.Hour && c.Timeout%time.Second == 0,
			fmt.Sprintf("timeout=%v: it is whole seconds, from 60 to 3600", c.Timeout)},
		{c.MaxInstances >= 1 && c.MaxInstances <= 1000 && c.MinInstances >= 0 && c.MinInstances <= c.MaxInstances,
			fmt.Sprintf("min=%d, max=%d: there are 1 to 1000 instances at most, and no more that are kept warm", c.MinInstances, c.MaxInstances)},
		{ingresses[c.Ingress] != 0, fmt.Sprintf("ingress=%q: it is all, internal or internal-and-gclb", c.Ingress)},
		{prefixPattern.MatchString(c.Prefix), fmt.Sprintf("prefix=%q: it has up to 30 lower-case letters, digits and hyphens, and begins with a letter", c.Prefix)},
		{c.Runtime == "" || runtimePattern.MatchString(c.Runtime), fmt.Sprintf("runtime=%q: it is one such as go126", c.Runtime)},
	} {
		if !rule.ok {
			return wrong("%s", rule.text)
		}
	}
	for name, email := range map[string]string{"serviceaccount": c.ServiceAccount, "buildserviceaccount": c.BuildServiceAccount, "invoker": c.Invoker} {
		if email != "" && !emailPattern.MatchString(email) {
			return wrong("%s=%q is no email of a service account: it is like name@%s.iam.gserviceaccount.com", name, email, c.Project)
		}
	}
	for name := range c.Env {
		if !envPattern.MatchString(name) || slices.Contains(taken, name) || strings.HasPrefix(name, "X_GOOGLE_") || strings.HasPrefix(name, backends.RoleVariable) {
			return wrong("env.%s: the platform or gowren sets it, or it is no name", name)
		}
	}
	for name, value := range c.Labels {
		if !labelKey.MatchString(name) || !labelValue.MatchString(value) || strings.HasPrefix(name, "goog") || strings.HasPrefix(name, ourLabel) {
			return wrong("label.%s=%q: a label has up to 63 lower-case letters, digits, hyphens and underscores, and is not one of Google's or gowren's own", name, value)
		}
	}
	return checkEndpoint(c.Endpoint)
}

// checkEndpoint does not repeat the endpoint, which may hold what should not be there.
func checkEndpoint(endpoint string) error {
	if endpoint == "" {
		return nil
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("%s: the endpoint is not of the form http://host:port or https://host: %w", scheme, backends.ErrInvalid)
	}
	return nil
}
