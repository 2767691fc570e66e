package awslambda

import (
	"fmt"
	"net/url"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/gowren/gowren/backends"
)

// Config says which function is used, and how. The zero value of a field is its default.
type Config struct {
	Region         string            // empty is what the SDK finds
	MemoryMB       int               // 128 to 10240; defaults to 1769, which has one CPU
	Arch           string            // amd64 or arm64; defaults to this machine's
	Timeout        time.Duration     // longest invocation, in whole seconds; defaults to 15 minutes, which is the longest
	StorageMB      int               // 512 to 10240 in /tmp; defaults to 512
	Role           string            // ARN of the workers' role; empty has Prepare make one
	Concurrency    int               // invocations at once of this driver; 0 is what the platform allows
	Reserved       int               // invocations at once that are set aside for the function; 0 sets none aside
	Subnets        []string          // of a VPC that workers are in
	SecurityGroups []string          // in that VPC
	RetentionDays  int               // of logs; defaults to 30; -1 is for ever
	Plain          bool              // replies come whole, for regions without response streaming
	Tags           map[string]string // of the function and its role
	Env            map[string]string // of workers; no place for credentials: everybody who may look at the function sees it
	// AWS is the SDK's configuration. Without it the default chain is asked. Region, where it is set, overrides its own.
	AWS *aws.Config

	from int // MB of the configuration of which this is a larger one; 0 where it is the user's own
}

const (
	defaultMemory  = 1769 // MB, with which a function has one CPU
	mostMemory     = 10240
	longestTimeout = 15 * time.Minute
	defaultStorage = 512 // MB, which are free
	defaultDays    = 30
)

var (
	regionPattern   = regexp.MustCompile(`^[a-z]{2,4}(-[a-z]+)+-\d{1,2}$`)
	rolePattern     = regexp.MustCompile(`^arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+$`)
	variablePattern = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_]+$`)
	// retentions are the days that CloudWatch Logs knows.
	retentions = []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}
)

func invalid(format string, args ...any) error {
	return fmt.Errorf("awslambda: "+format+": %w", append(args, backends.ErrInvalid)...)
}

// settle fills in the defaults, and refuses what Lambda would.
func (c *Config) settle() error {
	if c.MemoryMB == 0 {
		c.MemoryMB = defaultMemory
	}
	if c.Arch == "" {
		c.Arch = "amd64"
		if runtime.GOARCH == "arm64" {
			c.Arch = "arm64"
		}
	}
	if c.Arch == "x86_64" { // as AWS calls it
		c.Arch = "amd64"
	}
	if c.Timeout == 0 {
		c.Timeout = longestTimeout
	}
	if c.StorageMB == 0 {
		c.StorageMB = defaultStorage
	}
	if c.RetentionDays == 0 {
		c.RetentionDays = defaultDays
	}
	switch {
	case c.Region != "" && !regionPattern.MatchString(c.Region):
		return invalid("%q is no region: write it as in awslambda://us-east-1", c.Region)
	case c.MemoryMB < 128 || c.MemoryMB > mostMemory:
		return invalid("memory is from 128 to %d MB, and not %d", mostMemory, c.MemoryMB)
	case c.Arch != "amd64" && c.Arch != "arm64":
		return invalid("arch is amd64 or arm64, and not %q", c.Arch)
	case c.Timeout < time.Second || c.Timeout > longestTimeout || c.Timeout%time.Second != 0:
		return invalid("timeout is from 1s to 15m in whole seconds, and not %v", c.Timeout)
	case c.StorageMB < 512 || c.StorageMB > 10240:
		return invalid("storage is from 512 to 10240 MB, and not %d", c.StorageMB)
	case c.Role != "" && !rolePattern.MatchString(c.Role):
		return invalid("role is an ARN such as arn:aws:iam::123456789012:role/worker, and not %q", c.Role)
	case c.Concurrency < 0 || c.Reserved < 0:
		return invalid("concurrency and reserved are numbers of at least 1")
	case (len(c.Subnets) == 0) != (len(c.SecurityGroups) == 0):
		return invalid("subnets and groups go together: Lambda takes both or none")
	case c.RetentionDays != -1 && !slices.Contains(retentions, c.RetentionDays):
		return invalid("retention is one of %v days, and not %d", retentions, c.RetentionDays)
	}
	return c.checkMaps()
}

func (c *Config) checkMaps() error {
	for name, value := range c.Env {
		if !variablePattern.MatchString(name) || strings.HasPrefix(name, "GOWREN_WORKER") || strings.HasPrefix(name, "AWS_LAMBDA_") {
			return invalid("workers cannot be given a variable %q", name)
		}
		if strings.ContainsRune(value, 0) {
			return invalid("the variable %s holds a zero byte", name)
		}
	}
	for name, value := range c.Tags {
		if name == "" || len(name) > 128 || len(value) > 256 || strings.HasPrefix(strings.ToLower(name), "aws:") || strings.HasPrefix(name, tagName) {
			return invalid("%q=%q cannot be a tag", name, value)
		}
	}
	if len(c.Tags) > 40 {
		return invalid("%d tags are too many: of at most 50, some are the backend's", len(c.Tags))
	}
	return nil
}

// cpus is how many tasks a worker runs at once: a CPU comes with each 1769 MB.
func (c *Config) cpus() int { return cpusOf(c.MemoryMB) }

func cpusOf(memoryMB int) int { return max((memoryMB+defaultMemory/2)/defaultMemory, 1) }

// parameters are those of the URL. Those that end in a dot are followed by a name.
var parameters = []string{
	"memory", "arch", "timeout", "storage", "role", "concurrency", "reserved", "subnets", "groups", "retention", "invoke",
}

// parse reads a URL.
func parse(u *url.URL) (Config, error) {
	c := Config{Region: u.Host, Tags: map[string]string{}, Env: map[string]string{}}
	if u.Opaque != "" || strings.Trim(u.Path, "/") != "" || u.Fragment != "" || u.Port() != "" {
		return c, invalid("the URL names a region and nothing else before its parameters, as in awslambda://us-east-1?memory=1769")
	}
	q := u.Query()
	known := slices.Concat(parameters, []string{"tag.NAME", "env.NAME"})
	for name, values := range q {
		if len(values) > 1 {
			return c, invalid("the parameter %s is given twice", name)
		}
		if tag, ok := strings.CutPrefix(name, "tag."); ok {
			c.Tags[tag] = values[0]
			known = append(known, name)
		}
		if variable, ok := strings.CutPrefix(name, "env."); ok {
			c.Env[variable] = values[0]
			known = append(known, name)
		}
	}
	if err := backends.CheckParameters(u, known...); err != nil {
		return c, err
	}
	c.Arch, c.Role, c.Subnets, c.SecurityGroups = q.Get("arch"), q.Get("role"), list(q.Get("subnets")), list(q.Get("groups"))
	for name, field := range map[string]*int{
		"memory": &c.MemoryMB, "storage": &c.StorageMB, "concurrency": &c.Concurrency, "reserved": &c.Reserved,
	} {
		var err error
		if *field, err = backends.Number(u, name); err != nil {
			return c, err
		}
	}
	if err := c.parseWords(q); err != nil {
		return c, err
	}
	return c, c.settle()
}

func (c *Config) parseWords(q url.Values) error {
	var err error
	if s := q.Get("timeout"); s != "" {
		if c.Timeout, err = time.ParseDuration(s); err != nil || c.Timeout <= 0 {
			return invalid("timeout=%q is no time such as 5m", s)
		}
	}
	if s := q.Get("retention"); s != "" {
		if c.RetentionDays, err = strconv.Atoi(s); err != nil || c.RetentionDays == 0 {
			return invalid("retention=%q is no number of days", s)
		}
	}
	switch s := q.Get("invoke"); s {
	case "", "stream", "plain":
		c.Plain = s == "plain"
	default:
		return invalid("invoke is stream or plain, and not %q", s)
	}
	return nil
}

// list splits at commas.
func list(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}
