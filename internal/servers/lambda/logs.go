package lambda

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// logGroup is one of CloudWatch Logs. It has the last of what was printed, in one piece.
type logGroup struct {
	name      string
	created   time.Time
	retention int // days; 0 is for ever

	mu   sync.Mutex
	text []byte
}

// keptLog bounds a group's text, in bytes.
const keptLog = 1 << 20

func (g *logGroup) add(p []byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.text = bounded(append(g.text, p...), keptLog)
}

// logGroup returns the group of a function, which its first environment creates with the rights of its role.
func (s *Server) logGroup(f *function, d *deployment, stream string) *logGroup {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &principal{arn: "arn:aws:sts::" + s.Account + ":assumed-role/" + f.role + "/" + f.name, role: f.role}
	name := d.config.logGroup()
	arn := "arn:aws:logs:" + s.Region + ":" + s.Account + ":log-group:" + name + ":*"
	g := s.groups[name]
	if g == nil {
		g = &logGroup{name: name, created: time.Now()}
		if s.keys.may(p, "logs:CreateLogGroup", arn) != nil {
			return g // which nobody sees; the function runs all the same
		}
		s.groups[name] = g
	}
	if s.keys.may(p, "logs:CreateLogStream", arn+stream) != nil || s.keys.may(p, "logs:PutLogEvents", arn+stream) != nil {
		return &logGroup{name: name}
	}
	return g
}

// Log returns the end of what the environments of a function have printed.
func (s *Server) Log(function string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	group := "/aws/lambda/" + function
	if f := s.functions[function]; f != nil {
		group = f.config.logGroup()
	}
	g := s.groups[group]
	if g == nil {
		return ""
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return string(g.text)
}

// serveLogs serves CloudWatch Logs.
func (c *call) serveLogs() {
	var err error
	if c.who, err = c.s.keys.identify(c.r, "logs"); err == nil {
		var reply any
		if reply, err = c.logs(); err == nil {
			c.w.Header().Set("Content-Type", "application/x-amz-json-1.1")
			if reply != nil {
				_ = json.NewEncoder(c.w).Encode(reply) // the client may have gone
			}
			return
		}
	}
	c.fail(err)
}

// retentions are the days that a group may have.
var retentions = []int{1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653}

func (c *call) logs() (any, error) {
	operation, ours := strings.CutPrefix(c.r.Header.Get("X-Amz-Target"), "Logs_20140328.")
	if !ours || !slices.Contains([]string{"CreateLogGroup", "DeleteLogGroup", "PutRetentionPolicy", "DescribeLogGroups"}, operation) {
		return nil, refuse(http.StatusBadRequest, "UnknownOperationException", "no operation of the stand-in: %s", c.r.Header.Get("X-Amz-Target"))
	}
	var in struct {
		LogGroupName, LogGroupNamePrefix, NextToken string
		RetentionInDays, Limit                      int
		Tags                                        map[string]string
	}
	body, err := io.ReadAll(io.LimitReader(c.r.Body, 1<<20))
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "SerializationException", "%v", err)
	}
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.DisallowUnknownFields()
	if err := d.Decode(&in); err != nil {
		return nil, refuse(http.StatusBadRequest, "SerializationException", "%v", err)
	}
	named := in.LogGroupName
	if operation == "DescribeLogGroups" {
		named = in.LogGroupNamePrefix
	} else if named == "" || len(named) > 512 || !groupPattern.MatchString(named) {
		return nil, refuse(http.StatusBadRequest, "InvalidParameterException", "the log group's name %q is not valid", named)
	}
	if err := c.s.keys.may(c.who, "logs:"+operation, "arn:aws:logs:"+c.s.Region+":"+c.s.Account+":log-group:"+named+":*"); err != nil {
		return nil, err
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	g := c.s.groups[named]
	switch operation {
	case "CreateLogGroup":
		if g != nil {
			return nil, refuse(http.StatusBadRequest, "ResourceAlreadyExistsException", "The specified log group already exists")
		}
		c.s.groups[named] = &logGroup{name: named, created: time.Now()}
		return nil, nil
	case "DescribeLogGroups":
		return c.describe(named, in.NextToken, in.Limit), nil
	}
	if g == nil {
		return nil, refuse(http.StatusBadRequest, "ResourceNotFoundException", "The specified log group does not exist.")
	}
	if operation == "DeleteLogGroup" {
		delete(c.s.groups, named)
		return nil, nil
	}
	if !slices.Contains(retentions, in.RetentionInDays) {
		return nil, refuse(http.StatusBadRequest, "InvalidParameterException", "%d days of retention are not among %v", in.RetentionInDays, retentions)
	}
	g.retention = in.RetentionInDays
	return nil, nil
}

// describe lists the groups whose names begin with prefix, from after on. The caller holds s.mu.
func (c *call) describe(prefix, after string, limit int) any {
	if limit <= 0 || limit > 50 {
		limit = 50
	}
	groups, next := []map[string]any{}, ""
	for _, name := range slices.Sorted(maps.Keys(c.s.groups)) {
		if !strings.HasPrefix(name, prefix) || name <= after {
			continue
		}
		if len(groups) == limit {
			next, _ = groups[limit-1]["logGroupName"].(string)
			break
		}
		g := c.s.groups[name]
		one := map[string]any{
			"logGroupName": name, "creationTime": g.created.UnixMilli(), "storedBytes": 0,
			"arn": "arn:aws:logs:" + c.s.Region + ":" + c.s.Account + ":log-group:" + name + ":*",
		}
		if g.retention > 0 {
			one["retentionInDays"] = g.retention
		}
		groups = append(groups, one)
	}
	reply := map[string]any{"logGroups": groups}
	if next != "" {
		reply["nextToken"] = next
	}
	return reply
}
