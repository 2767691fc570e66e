package lambda

import (
	"cmp"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// function is one that was created.
type function struct {
	name   string
	role   string // the name
	config configuration
	keys   Credentials // of the role, for its environments
	live   *deployment // what environments are made of; nil while the function is Pending
	next   *deployment // what comes at due
	due    time.Time
	broken string // why next will not come

	tags     map[string]string
	reserved *int
	event    *eventConfig

	environments map[*environment]bool
	idle         []*environment // the one that was used last is at the end
	busy         int
}

// deployment is one state of a function's code and configuration. It does not change.
type deployment struct {
	config configuration
	root   string // where the archive is unpacked
	keys   Credentials
}

// settle lets time pass: what was due has come.
func (f *function) settle() {
	if f.next == nil || time.Now().Before(f.due) {
		return
	}
	next := f.next
	f.next = nil
	if f.live == nil {
		f.config.State, f.config.StateReason, f.config.StateReasonCode = "Active", "", ""
	}
	if f.broken != "" {
		f.config.LastUpdateStatus, f.config.LastUpdateStatusReason, f.config.LastUpdateStatusReasonCode = "Failed", f.broken, "InternalError"
		return
	}
	f.config.LastUpdateStatus, f.config.LastUpdateStatusReason, f.config.LastUpdateStatusReasonCode = "Successful", "", ""
	f.live = next
	for _, e := range f.idle { // those at work end with it
		e.kill()
	}
	f.idle = nil
}

// functionName is a name, a partial ARN or a whole one, and perhaps a version.
var functionName = regexp.MustCompile(`^(?:(?:arn:aws:lambda:([a-z0-9-]+):)?(\d{12}):function:)?([A-Za-z0-9_-]{1,64})(?::(\$LATEST|[A-Za-z0-9_-]+))?$`)

// find returns the function that a path names. The caller holds s.mu.
func (c *call) find(named string) (*function, error) {
	m := functionName.FindStringSubmatch(named)
	if m == nil {
		return nil, constraint("functionName", named, "Member must satisfy regular expression pattern: "+functionName.String())
	}
	version := cmp.Or(m[4], c.r.URL.Query().Get("Qualifier"))
	arn := c.s.functionARN(m[3])
	f := c.s.functions[m[3]]
	if f == nil || m[2] != "" && m[2] != c.s.Account || m[1] != "" && m[1] != c.s.Region || version != "" && version != "$LATEST" {
		if version != "" {
			arn += ":" + version
		}
		return nil, refuse(http.StatusNotFound, "ResourceNotFoundException", "Function not found: %s", arn)
	}
	f.settle()
	return f, nil
}

func (s *Server) functionARN(name string) string {
	return "arn:aws:lambda:" + s.Region + ":" + s.Account + ":function:" + name
}

// control is how every control operation on a function begins: with the right to it, and not too often.
func (c *call) control(action string) error {
	name := c.r.PathValue("name")
	resource := "*"
	if m := functionName.FindStringSubmatch(name); m != nil {
		resource = c.s.functionARN(m[3])
	}
	if err := c.s.keys.may(c.who, action, resource); err != nil {
		return err
	}
	if c.s.take(func(f *Faults) *int { return &f.ThrottleControl }) {
		return &refusal{http.StatusTooManyRequests, "TooManyRequestsException", "Rate exceeded", "CallerRateLimitExceeded"}
	}
	return nil
}

// ofFunction is a call that needs a right to a function that is there. Its work is done with the server's lock held.
func ofFunction(action string, do func(c *call, f *function) (int, any, error)) func(*call) (int, any, error) {
	return func(c *call) (int, any, error) {
		if err := c.control(action); err != nil {
			return 0, nil, err
		}
		c.s.mu.Lock()
		defer c.s.mu.Unlock()
		f, err := c.find(c.r.PathValue("name"))
		if err != nil {
			return 0, nil, err
		}
		return do(c, f)
	}
}

func getFunction(c *call, f *function) (int, any, error) {
	type concurrency struct{ ReservedConcurrentExecutions int }
	reply := struct {
		Configuration configuration
		Code          map[string]string
		Tags          map[string]string `json:",omitempty"`
		Concurrency   *concurrency      `json:",omitempty"`
	}{f.config, map[string]string{"RepositoryType": "S3", "Location": c.s.Endpoint + "/code/" + f.name}, maps.Clone(f.tags), nil}
	if f.reserved != nil {
		reply.Concurrency = &concurrency{*f.reserved}
	}
	return http.StatusOK, reply, nil
}

func getFunctionConfiguration(c *call, f *function) (int, any, error) {
	return http.StatusOK, f.config, nil
}

// deleteFunction takes the function away at once. Invocations that run are not disturbed.
func deleteFunction(c *call, f *function) (int, any, error) {
	delete(c.s.functions, f.name)
	for _, e := range f.idle {
		e.kill()
	}
	f.idle, f.live = nil, nil
	return http.StatusNoContent, nil, nil
}

// page is how many functions a list has at most.
const page = 50

func listFunctions(c *call) (int, any, error) {
	if err := c.control("lambda:ListFunctions"); err != nil {
		return 0, nil, err
	}
	limit := page
	if text := c.r.URL.Query().Get("MaxItems"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 10000 {
			return 0, nil, constraint("maxItems", text, "Member must have value between 1 and 10000")
		}
		limit = min(limit, n)
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	after := c.r.URL.Query().Get("Marker")
	reply := struct {
		Functions  []configuration
		NextMarker string `json:",omitempty"`
	}{Functions: []configuration{}}
	for _, name := range slices.Sorted(maps.Keys(c.s.functions)) {
		if name <= after {
			continue
		}
		if len(reply.Functions) == limit {
			reply.NextMarker = reply.Functions[limit-1].FunctionName
			break
		}
		f := c.s.functions[name]
		f.settle()
		listed := f.config
		// A list does not tell of states.
		listed.State, listed.StateReason, listed.StateReasonCode = "", "", ""
		listed.LastUpdateStatus, listed.LastUpdateStatusReason, listed.LastUpdateStatusReasonCode = "", "", ""
		reply.Functions = append(reply.Functions, listed)
	}
	return http.StatusOK, reply, nil
}

// tagged returns the function whose ARN a path has.
func (c *call) tagged(action string) (*function, error) {
	resource := c.r.PathValue("resource")
	if err := c.s.keys.may(c.who, action, resource); err != nil {
		return nil, err
	}
	if !strings.HasPrefix(resource, "arn:") {
		return nil, constraint("resource", resource, "Member must satisfy regular expression pattern: "+functionName.String())
	}
	return c.find(resource)
}

func listTags(c *call) (int, any, error) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	f, err := c.tagged("lambda:ListTags")
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, map[string]map[string]string{"Tags": maps.Clone(f.tags)}, nil
}

func tagResource(c *call) (int, any, error) {
	var in struct{ Tags map[string]string }
	if err := c.decode(&in); err != nil {
		return 0, nil, err
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	f, err := c.tagged("lambda:TagResource")
	if err != nil {
		return 0, nil, err
	}
	all := maps.Clone(f.tags)
	maps.Copy(all, in.Tags)
	if err := checkTags(all); err != nil {
		return 0, nil, err
	}
	f.tags = all
	return http.StatusNoContent, nil, nil
}

func untagResource(c *call) (int, any, error) {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	f, err := c.tagged("lambda:UntagResource")
	if err != nil {
		return 0, nil, err
	}
	for _, key := range c.r.URL.Query()["tagKeys"] {
		delete(f.tags, key)
	}
	return http.StatusNoContent, nil, nil
}
