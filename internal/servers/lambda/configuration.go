package lambda

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// configuration is what Lambda tells of a function.
type configuration struct {
	FunctionName, FunctionArn  string
	Runtime, Role, Handler     string
	CodeSize                   int64
	Description                string
	Timeout, MemorySize        int // seconds, MiB
	LastModified               string
	CodeSha256                 string
	Version                    string
	Environment                *variables `json:",omitempty"`
	RevisionId                 string
	State                      string `json:",omitempty"`
	StateReason                string `json:",omitempty"`
	StateReasonCode            string `json:",omitempty"`
	LastUpdateStatus           string `json:",omitempty"`
	LastUpdateStatusReason     string `json:",omitempty"`
	LastUpdateStatusReasonCode string `json:",omitempty"`
	PackageType                string
	Architectures              []string // one
	EphemeralStorage           *storage
	LoggingConfig              *logging       `json:",omitempty"`
	TracingConfig              map[string]any `json:",omitempty"`
}

type variables struct{ Variables map[string]string }

type storage struct{ Size int } // MiB

type logging struct {
	LogFormat           string `json:",omitempty"`
	ApplicationLogLevel string `json:",omitempty"`
	SystemLogLevel      string `json:",omitempty"`
	LogGroup            string `json:",omitempty"`
}

// settings are the fields of a configuration that a request may set. Those of Lambda's model that are missing here are
// not imitated, and refused.
type settings struct {
	Runtime, Role, Handler, Description *string
	Timeout, MemorySize                 *int
	Environment                         *variables
	EphemeralStorage                    *storage
	LoggingConfig                       *logging
}

var (
	rolePattern     = regexp.MustCompile(`^arn:aws:iam::(\d{12}):role/?([a-zA-Z_0-9+=,.@\-_/]+)$`)
	handlerPattern  = regexp.MustCompile(`^[^\s]+$`)
	variablePattern = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]+$`)
	groupPattern    = regexp.MustCompile(`^[.\-_/#A-Za-z0-9]+$`)
)

// reservedVariables are Lambda's own.
var reservedVariables = []string{
	"_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_NAME",
	"AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE",
	"AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID",
	"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_LAMBDA_RUNTIME_API", "LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR",
}

// check holds the model's ranges, and the rules beside it.
func (in *settings) check(o *Options) error {
	if in.Runtime != nil && *in.Runtime != "provided.al2023" {
		return invalid("The runtime parameter of %s is not one that the stand-in runs: it has provided.al2023.", *in.Runtime)
	}
	if in.Role != nil && !rolePattern.MatchString(*in.Role) {
		return constraint("role", *in.Role, "Member must satisfy regular expression pattern: "+rolePattern.String())
	}
	if in.Handler != nil && (!handlerPattern.MatchString(*in.Handler) || len(*in.Handler) > 128) {
		return constraint("handler", *in.Handler, "Member must satisfy regular expression pattern: [^\\s]+")
	}
	if in.Description != nil && utf8.RuneCountInString(*in.Description) > 256 {
		return constraint("description", *in.Description, "Member must have length less than or equal to 256")
	}
	if err := between("timeout", in.Timeout, 1, 900); err != nil {
		return err
	}
	if err := between("memorySize", in.MemorySize, 128, o.MemoryLimit); err != nil {
		return err
	}
	if in.EphemeralStorage != nil {
		if err := between("ephemeralStorage.size", &in.EphemeralStorage.Size, 512, 10240); err != nil {
			return err
		}
	}
	if l := in.LoggingConfig; l != nil {
		switch {
		case !slices.Contains([]string{"", "Text", "JSON"}, l.LogFormat):
			return constraint("loggingConfig.logFormat", l.LogFormat, "Member must satisfy enum value set: [JSON, Text]")
		case l.LogGroup != "" && (len(l.LogGroup) > 512 || !groupPattern.MatchString(l.LogGroup)):
			return constraint("loggingConfig.logGroup", l.LogGroup, "Member must satisfy regular expression pattern: [\\.\\-_/#A-Za-z0-9]+")
		case l.LogFormat != "JSON" && l.ApplicationLogLevel+l.SystemLogLevel != "":
			return invalid("Log levels can be set with the log format JSON only.")
		}
	}
	return in.Environment.check()
}

func between(field string, n *int, low, high int) error {
	switch {
	case n == nil:
		return nil
	case *n < low:
		return constraint(field, *n, "Member must have value greater than or equal to "+itoa(low))
	case *n > high:
		return constraint(field, *n, "Member must have value less than or equal to "+itoa(high))
	}
	return nil
}

func (v *variables) check() error {
	if v == nil {
		return nil
	}
	const sorry = "Lambda was unable to configure your environment variables because the environment variables you have provided "
	size := 0
	for _, name := range slices.Sorted(maps.Keys(v.Variables)) {
		if slices.Contains(reservedVariables, name) {
			return invalid(sorry+"contains reserved keys that are currently not supported for modification. Reserved keys used in this request: %s", name)
		}
		if !variablePattern.MatchString(name) {
			return constraint("environment.variables", name, "Map keys must satisfy constraint: [a-zA-Z]([a-zA-Z0-9_])+")
		}
		if strings.ContainsRune(v.Variables[name], 0) {
			return invalid(sorry + "contains a value with a zero byte.")
		}
		size += len(name) + len(v.Variables[name])
	}
	if size > 4096 {
		return invalid(sorry + "exceeded the 4KB limit.")
	}
	return nil
}

// apply puts what a request sets into a configuration.
func (in *settings) apply(c *configuration) {
	set(&c.Runtime, in.Runtime)
	set(&c.Role, in.Role)
	set(&c.Handler, in.Handler)
	set(&c.Description, in.Description)
	set(&c.Timeout, in.Timeout)
	set(&c.MemorySize, in.MemorySize)
	if in.Environment != nil {
		c.Environment = &variables{maps.Clone(in.Environment.Variables)}
		if len(in.Environment.Variables) == 0 {
			c.Environment = nil
		}
	}
	if in.EphemeralStorage != nil {
		c.EphemeralStorage = in.EphemeralStorage
	}
	if in.LoggingConfig != nil {
		l := *in.LoggingConfig
		set(&l.LogFormat, either(l.LogFormat, "Text"))
		set(&l.LogGroup, either(l.LogGroup, c.logGroup()))
		c.LoggingConfig = &l
	}
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

func either(text, otherwise string) *string {
	if text == "" {
		return &otherwise
	}
	return &text
}

// logGroup is where a function's lines go.
func (c *configuration) logGroup() string {
	if c.LoggingConfig != nil && c.LoggingConfig.LogGroup != "" {
		return c.LoggingConfig.LogGroup
	}
	return "/aws/lambda/" + c.FunctionName
}

// checkArchitectures holds that there is one, of two.
func checkArchitectures(names []string) error {
	if len(names) != 1 || names[0] != "x86_64" && names[0] != "arm64" {
		return constraint("architectures", names, "Member must satisfy constraint: [Member must satisfy enum value set: [x86_64, arm64]] and have length 1")
	}
	return nil
}

// checkTags holds the rules that all services share.
func checkTags(tags map[string]string) error {
	if len(tags) > 50 {
		return invalid("There are too many tags: %d, of at most 50.", len(tags))
	}
	for key, value := range tags {
		if key == "" || len(key) > 128 || len(value) > 256 || strings.HasPrefix(strings.ToLower(key), "aws:") {
			return refuse(http.StatusBadRequest, "InvalidParameterValueException", "The tag %q is not valid.", key)
		}
	}
	return nil
}
