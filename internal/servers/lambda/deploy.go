package lambda

import (
	"maps"
	"net/http"
	"runtime"
	"strconv"
	"time"
)

func itoa(n int) string { return strconv.Itoa(n) }

func createFunction(c *call) (int, any, error) {
	var in struct {
		FunctionName string
		Code         archive
		settings
		Architectures []string
		PackageType   string
		Publish       bool
		Tags          map[string]string
	}
	if err := c.decode(&in); err != nil {
		return 0, nil, err
	}
	m := functionName.FindStringSubmatch(in.FunctionName)
	if m == nil || m[4] != "" {
		return 0, nil, constraint("functionName", in.FunctionName, "Member must satisfy regular expression pattern: "+functionName.String())
	}
	name := m[3]
	c.r.SetPathValue("name", name)
	if err := c.control("lambda:CreateFunction"); err != nil {
		return 0, nil, err
	}
	if in.Architectures == nil {
		in.Architectures = []string{"x86_64"}
	}
	switch {
	case in.Role == nil:
		return 0, nil, constraint("role", nil, "Member must not be null")
	case in.PackageType != "" && in.PackageType != "Zip":
		return 0, nil, invalid("The stand-in has functions of package type Zip, and not %s.", in.PackageType)
	case in.Publish:
		return 0, nil, invalid("The stand-in publishes no versions.")
	case in.Runtime == nil || in.Handler == nil:
		return 0, nil, invalid("Runtime and Handler are mandatory parameters for functions created with deployment packages.")
	}
	if err := in.check(&c.s.options); err != nil {
		return 0, nil, err
	}
	if err := checkArchitectures(in.Architectures); err != nil {
		return 0, nil, err
	}
	if err := checkTags(in.Tags); err != nil {
		return 0, nil, err
	}
	if len(in.Tags) > 0 {
		if err := c.s.keys.may(c.who, "lambda:TagResource", c.s.functionARN(name)); err != nil {
			return 0, nil, err
		}
	}
	if err := c.s.keys.may(c.who, "iam:PassRole", *in.Role); err != nil {
		return 0, nil, err
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	if c.s.functions[name] != nil {
		return 0, nil, conflict("Function already exist: %s", name)
	}
	role, err := c.s.assumable(*in.Role)
	if err != nil {
		return 0, nil, err
	}
	f := &function{name: name, tags: maps.Clone(in.Tags), environments: map[*environment]bool{}}
	if f.tags == nil {
		f.tags = map[string]string{}
	}
	f.config = configuration{
		FunctionName: name, FunctionArn: c.s.functionARN(name), Timeout: 3, MemorySize: 128, Version: "$LATEST",
		PackageType: "Zip", Architectures: in.Architectures, EphemeralStorage: &storage{512},
		State: "Pending", StateReason: "The function is being created.", StateReasonCode: "Creating",
	}
	in.apply(&f.config)
	root, err := c.s.unpack(in.Code, &f.config)
	if err != nil {
		return 0, nil, err
	}
	f.role = role
	f.keys = c.s.keys.assume(role, name)
	c.s.change(f, root)
	f.broken = "" // a new function is not an update
	c.s.functions[name] = f
	return http.StatusCreated, f.config, nil
}

// change makes what f.config has become what environments are made of, when its time has come.
func (s *Server) change(f *function, root string) {
	f.config.LastUpdateStatus = "InProgress"
	f.config.LastUpdateStatusReason, f.config.LastUpdateStatusReasonCode = "The function is being created.", "Creating"
	f.config.LastModified = time.Now().UTC().Format("2006-01-02T15:04:05.000+0000")
	f.config.RevisionId = newID()
	f.next = &deployment{config: f.config, root: root, keys: f.keys}
	f.due = time.Now().Add(s.options.Pending)
	f.broken = s.options.UpdateFailure
}

// changeable returns the function that an update is for, unless it is at work on another.
func (c *call) changeable(revision *string) (*function, error) {
	f, err := c.find(c.r.PathValue("name"))
	switch {
	case err != nil:
		return nil, err
	case f.live == nil:
		return nil, conflict("The operation cannot be performed at this time. The function is currently in the following state: Pending")
	case f.next != nil:
		return nil, conflict("The operation cannot be performed at this time. An update is in progress for resource: %s", f.config.FunctionArn)
	case revision != nil && *revision != f.config.RevisionId:
		return nil, refuse(http.StatusPreconditionFailed, "PreconditionFailedException", "The Revision Id provided does not match the latest Revision Id.")
	}
	return f, nil
}

func updateFunctionConfiguration(c *call) (int, any, error) {
	var in struct {
		settings
		RevisionId *string
	}
	if err := c.decode(&in); err != nil {
		return 0, nil, err
	}
	if err := c.control("lambda:UpdateFunctionConfiguration"); err != nil {
		return 0, nil, err
	}
	if err := in.check(&c.s.options); err != nil {
		return 0, nil, err
	}
	if in.Role != nil {
		if err := c.s.keys.may(c.who, "iam:PassRole", *in.Role); err != nil {
			return 0, nil, err
		}
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	f, err := c.changeable(in.RevisionId)
	if err != nil {
		return 0, nil, err
	}
	if in.Role != nil {
		role, err := c.s.assumable(*in.Role)
		if err != nil {
			return 0, nil, err
		}
		if role != f.role {
			f.role, f.keys = role, c.s.keys.assume(role, f.name)
		}
	}
	in.apply(&f.config)
	c.s.change(f, f.live.root)
	return http.StatusOK, f.config, nil
}

func updateFunctionCode(c *call) (int, any, error) {
	var in struct {
		archive
		Architectures   []string
		DryRun, Publish bool
		RevisionId      *string
	}
	if err := c.decode(&in); err != nil {
		return 0, nil, err
	}
	if err := c.control("lambda:UpdateFunctionCode"); err != nil {
		return 0, nil, err
	}
	if in.Publish {
		return 0, nil, invalid("The stand-in publishes no versions.")
	}
	if in.Architectures != nil {
		if err := checkArchitectures(in.Architectures); err != nil {
			return 0, nil, err
		}
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	f, err := c.changeable(in.RevisionId)
	if err != nil {
		return 0, nil, err
	}
	config := f.config
	if in.Architectures != nil {
		config.Architectures = in.Architectures
	}
	root, err := c.s.unpack(in.archive, &config)
	if err != nil {
		return 0, nil, err
	}
	if in.DryRun {
		remove(root)
		return http.StatusOK, config, nil
	}
	f.config = config
	c.s.change(f, root)
	return http.StatusOK, f.config, nil
}

// architecture is the machine of this host as Lambda names it.
func architecture() string {
	switch runtime.GOARCH {
	case "amd64":
		return "x86_64"
	default:
		return runtime.GOARCH
	}
}
