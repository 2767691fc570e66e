package gcf

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"cloud.google.com/go/functions/apiv2/functionspb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// runtimes are the Go runtimes that functions can be made with, and how they stand.
var runtimes = []struct {
	name, title string
	stage       functionspb.ListRuntimesResponse_RuntimeStage
}{
	{"go122", "Go 1.22", functionspb.ListRuntimesResponse_DECOMMISSIONED},
	{"go125", "Go 1.25", functionspb.ListRuntimesResponse_DEPRECATED},
	{"go126", "Go 1.26", functionspb.ListRuntimesResponse_GA},
	{"go127", "Go 1.27", functionspb.ListRuntimesResponse_GA},
	{"go128", "Go 1.28", functionspb.ListRuntimesResponse_BETA},
	{"nodejs24", "Node.js 24", functionspb.ListRuntimesResponse_GA},
}

var (
	idPattern     = regexp.MustCompile(`^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$`)
	labelKey      = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,62}$`)
	labelValue    = regexp.MustCompile(`^[a-z0-9_-]{0,63}$`)
	memoryPattern = regexp.MustCompile(`^([0-9]+)(k|M|G|Ki|Mi|Gi)?$`)
	connector     = regexp.MustCompile(`^projects/[^/]+/locations/[^/]+/connectors/[^/]+$`)
	account       = regexp.MustCompile(`^projects/[^/]+/serviceAccounts/[^/]+@[^/]+$`)
	envName       = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
)

// reserved are the names that the platform sets itself.
var reserved = []string{
	"FUNCTION_TARGET", "FUNCTION_SIGNATURE_TYPE", "K_SERVICE", "K_REVISION", "K_CONFIGURATION", "PORT", "CLOUD_RUN_TIMEOUT_SECONDS",
	"GOOGLE_CLOUD_PROJECT", "GCP_PROJECT", "ENTRY_POINT", "FUNCTION_NAME",
}

func invalid(format string, args ...any) error {
	return status.Errorf(codes.InvalidArgument, format, args...)
}

// checkID checks the id of a new function.
func checkID(id string) error {
	if len(id) < 4 || !idPattern.MatchString(id) {
		return invalid("Invalid function_id %q: it must have 4 to 63 characters, lower-case letters, digits and hyphens, begin with a letter and not end with a hyphen", id)
	}
	return nil
}

// check checks what a function is to be. It does not look at the source.
func (s *Server) check(f *functionspb.Function) error {
	if f.GetEnvironment() != functionspb.Environment_GEN_2 {
		return invalid("environment must be GEN_2 in version 2 of this API for HTTP functions of the second generation")
	}
	for k, v := range f.GetLabels() {
		if !labelKey.MatchString(k) || !labelValue.MatchString(v) || strings.HasPrefix(k, "goog") {
			return invalid("Invalid label %q: %q", k, v)
		}
	}
	if len(f.GetLabels()) > 64 {
		return invalid("too many labels")
	}
	if err := s.checkBuild(f.GetBuildConfig()); err != nil {
		return err
	}
	return s.checkService(f.GetServiceConfig())
}

func (s *Server) checkBuild(b *functionspb.BuildConfig) error {
	ok := false
	for _, r := range runtimes {
		ok = ok || r.name == b.GetRuntime() && strings.HasPrefix(r.name, "go") && r.stage != functionspb.ListRuntimesResponse_DECOMMISSIONED
	}
	if !ok {
		return invalid("The runtime %q is not supported or has been decommissioned; see https://cloud.google.com/functions/docs/runtime-support", b.GetRuntime())
	}
	if e := b.GetEntryPoint(); e == "" || e[0] < 'A' || e[0] > 'Z' {
		return invalid("Invalid entry point %q", e)
	}
	if b.GetSource().GetStorageSource() == nil {
		return invalid("build_config.source must be given")
	}
	if a := b.GetServiceAccount(); a != "" && !account.MatchString(a) {
		return invalid("Invalid build_config.service_account %q: expected projects/{projectId}/serviceAccounts/{email}", a)
	}
	if b.GetBuild() != "" || b.GetSourceProvenance() != nil {
		return invalid("build_config has fields that are output only")
	}
	return nil
}

func (s *Server) checkService(c *functionspb.ServiceConfig) error {
	if t := c.GetTimeoutSeconds(); t < 1 || t > 3600 {
		return invalid("Invalid value for service_config.timeout_seconds: %d; HTTP functions have 1 to 3600", t)
	}
	mem, cpu := mebibytes(c.GetAvailableMemory()), 0.0
	if mem < 128 || mem > 32768 {
		return invalid("Invalid value for service_config.available_memory: %q", c.GetAvailableMemory())
	}
	if c.GetAvailableCpu() != "" {
		var err error
		if cpu, err = strconv.ParseFloat(c.GetAvailableCpu(), 64); err != nil || cpu < 0.08 || cpu > 8 || cpu > 1 && cpu != 2 && cpu != 4 && cpu != 6 && cpu != 8 {
			return invalid("Invalid value for service_config.available_cpu: %q", c.GetAvailableCpu())
		}
		limit := map[bool]int{true: 512, false: 1024}[cpu < 0.5]
		if cpu >= 1 {
			limit = int(cpu) * 4096
		}
		if mem > limit || cpu == 4 && mem < 2048 || cpu > 4 && mem < 4096 {
			return invalid("Invalid memory/cpu combination: %g CPUs with %d MiB", cpu, mem)
		}
	}
	if n := c.GetMaxInstanceRequestConcurrency(); n < 0 || n > 1000 || n > 1 && cpu < 1 {
		return invalid("Invalid value for service_config.max_instance_request_concurrency: %d", n)
	}
	if c.GetMaxInstanceCount() < 0 || c.GetMinInstanceCount() < 0 || c.GetMinInstanceCount() > max(c.GetMaxInstanceCount(), 100) {
		return invalid("Invalid instance counts: min %d, max %d", c.GetMinInstanceCount(), c.GetMaxInstanceCount())
	}
	if v := c.GetVpcConnector(); v != "" && !connector.MatchString(v) {
		return invalid("Invalid value for service_config.vpc_connector: %q", v)
	}
	if c.GetService() != "" || c.GetUri() != "" || c.GetRevision() != "" {
		return invalid("service_config has fields that are output only")
	}
	for name := range c.GetEnvironmentVariables() {
		if slices.Contains(reserved, name) || strings.HasPrefix(name, "X_GOOGLE_") || !envName.MatchString(name) {
			return invalid("Invalid environment variable: %q is reserved, or is no name", name)
		}
	}
	email := c.GetServiceAccountEmail()
	if email == "" {
		email = "123456789012-compute@developer.gserviceaccount.com"
	} else if !slices.Contains(s.options.ServiceAccounts, email) {
		return invalid("Service account %s was not found.", email)
	}
	return s.need(actAs, email)
}

// mebibytes reads a quantity of memory; 0 is none.
func mebibytes(q string) int {
	m := memoryPattern.FindStringSubmatch(q)
	if m == nil {
		return 0
	}
	n, err := strconv.Atoi(m[1])
	if err != nil {
		return 0
	}
	unit := map[string]int{"": 1, "k": 1e3, "M": 1e6, "G": 1e9, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}[m[2]]
	return n * unit >> 20
}
