package lambda

import (
	"encoding/xml"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// role is one of IAM.
type role struct {
	name, path, id, trust, description string
	created                            time.Time
	tags                               map[string]string
	policies                           map[string]string // by name
	attached                           map[string]bool   // by ARN
}

func (s *Server) roleARN(r *role) string {
	return "arn:aws:iam::" + s.Account + ":role" + r.path + r.name
}

// assumable returns the name of a role that Lambda can take: it exists, trusts Lambda, and is not too new. The caller
// holds s.mu.
func (s *Server) assumable(arn string) (string, error) {
	m := rolePattern.FindStringSubmatch(arn)
	if m[1] != s.Account {
		return "", refuse(http.StatusForbidden, "AccessDeniedException", "Cross-account pass role is not allowed.")
	}
	r := s.roles[arn[strings.LastIndexByte(arn, '/')+1:]]
	if r == nil || s.roleARN(r) != arn || time.Since(r.created) < s.options.RoleDelay || !strings.Contains(r.trust, "lambda.amazonaws.com") {
		return "", invalid("The role defined for the function cannot be assumed by Lambda.")
	}
	return r.name, nil
}

var roleName = regexp.MustCompile(`^[\w+=,.@-]{1,64}$`)

// roleError is an error of IAM's.
func roleError(status int, code, format string, args ...any) error {
	return refuse(status, code, format, args...)
}

// queried is an action of IAM: what it needs of the form, and what it does with the role.
type queried struct {
	needs []string
	maker bool // it makes the role
	do    func(c *call, r *role) (any, error)
}

var queries = map[string]queried{
	"CreateRole":               {needs: []string{"AssumeRolePolicyDocument"}, maker: true, do: (*call).createRole},
	"GetRole":                  {do: func(c *call, r *role) (any, error) { return c.roleReply(r, true), nil }},
	"DeleteRole":               {do: (*call).deleteRole},
	"TagRole":                  {do: (*call).tagRole},
	"PutRolePolicy":            {needs: []string{"PolicyName", "PolicyDocument"}, do: (*call).putRolePolicy},
	"GetRolePolicy":            {needs: []string{"PolicyName"}, do: (*call).getRolePolicy},
	"DeleteRolePolicy":         {needs: []string{"PolicyName"}, do: (*call).deleteRolePolicy},
	"ListRolePolicies":         {do: (*call).listRolePolicies},
	"AttachRolePolicy":         {needs: []string{"PolicyArn"}, do: (*call).attachRolePolicy},
	"DetachRolePolicy":         {needs: []string{"PolicyArn"}, do: (*call).detachRolePolicy},
	"ListAttachedRolePolicies": {do: (*call).listAttachedRolePolicies},
	"ListRoleTags":             {do: func(_ *call, r *role) (any, error) { return tagsReply(r), nil }},
}

// query does one action of IAM.
func (c *call) query(action string) (any, error) {
	q, known := queries[action]
	if !known {
		return nil, roleError(http.StatusBadRequest, "InvalidAction", "no action of the stand-in: %s", action)
	}
	name := c.r.PostForm.Get("RoleName")
	if !roleName.MatchString(name) {
		return nil, roleError(http.StatusBadRequest, "ValidationError", "1 validation error detected: Value '%s' at 'roleName' failed to satisfy constraint", name)
	}
	for _, need := range q.needs {
		if c.r.PostForm.Get(need) == "" {
			return nil, roleError(http.StatusBadRequest, "ValidationError", "1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", need)
		}
	}
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	r := c.s.roles[name]
	resource := "arn:aws:iam::" + c.s.Account + ":role/" + name
	if r != nil {
		resource = c.s.roleARN(r)
	}
	if err := c.s.keys.may(c.who, "iam:"+action, resource); err != nil {
		return nil, err
	}
	if c.s.due(func(f *Faults) *int { return &f.ThrottleControl }) {
		return nil, roleError(http.StatusBadRequest, "Throttling", "Rate exceeded")
	}
	switch {
	case q.maker && r != nil:
		return nil, roleError(http.StatusConflict, "EntityAlreadyExists", "Role with name %s already exists.", name)
	case !q.maker && r == nil:
		return nil, roleError(http.StatusNotFound, "NoSuchEntity", "The role with name %s cannot be found.", name)
	}
	return q.do(c, r)
}

func (c *call) createRole(*role) (any, error) {
	form := c.r.PostForm
	r := &role{
		name: form.Get("RoleName"), path: form.Get("Path"), id: "AROA" + strings.ToUpper(strings.ReplaceAll(newID(), "-", "")[:17]),
		trust: form.Get("AssumeRolePolicyDocument"), description: form.Get("Description"), created: time.Now(),
		tags: map[string]string{}, policies: map[string]string{}, attached: map[string]bool{},
	}
	if r.path == "" {
		r.path = "/"
	}
	if !strings.HasPrefix(r.path, "/") || !strings.HasSuffix(r.path, "/") {
		return nil, roleError(http.StatusBadRequest, "ValidationError", "The specified value for path is invalid. It must begin and end with / .")
	}
	if err := checkPolicy(r.trust, "Principal", 2048); err != nil {
		return nil, err
	}
	if tags := formTags(form); len(tags) > 0 {
		if err := c.s.keys.may(c.who, "iam:TagRole", c.s.roleARN(r)); err != nil {
			return nil, err
		}
		if err := checkTags(tags); err != nil {
			return nil, roleError(http.StatusBadRequest, "InvalidInput", "%v", err)
		}
		r.tags = tags
	}
	c.s.roles[r.name] = r
	return c.roleReply(r, false), nil
}

func (c *call) deleteRole(r *role) (any, error) {
	switch {
	case len(r.attached) > 0:
		return nil, roleError(http.StatusConflict, "DeleteConflict", "Cannot delete entity, must detach all policies first.")
	case len(r.policies) > 0:
		return nil, roleError(http.StatusConflict, "DeleteConflict", "Cannot delete entity, must delete policies first.")
	}
	delete(c.s.roles, r.name)
	return nil, nil
}

func (c *call) tagRole(r *role) (any, error) {
	all := maps.Clone(r.tags)
	maps.Copy(all, formTags(c.r.PostForm))
	if err := checkTags(all); err != nil {
		return nil, roleError(http.StatusBadRequest, "InvalidInput", "%v", err)
	}
	r.tags = all
	return nil, nil
}

// formTags reads Tags.member.1.Key and so on.
func formTags(form url.Values) map[string]string {
	tags := map[string]string{}
	for i := 1; form.Has("Tags.member." + itoa(i) + ".Key"); i++ {
		tags[form.Get("Tags.member."+itoa(i)+".Key")] = form.Get("Tags.member." + itoa(i) + ".Value")
	}
	return tags
}

// roleReply is a role as CreateRole and GetRole give it.
func (c *call) roleReply(r *role, tags bool) any {
	type xmlRole struct {
		XMLName                                                           xml.Name `xml:"Role"`
		Path, RoleName, RoleId, Arn, CreateDate, AssumeRolePolicyDocument string
		Description                                                       string `xml:",omitempty"`
		MaxSessionDuration                                                int
		Tags                                                              *xmlTags `xml:",omitempty"`
	}
	x := xmlRole{
		Path: r.path, RoleName: r.name, RoleId: r.id, Arn: c.s.roleARN(r), CreateDate: r.created.UTC().Format(time.RFC3339),
		AssumeRolePolicyDocument: url.QueryEscape(r.trust), Description: r.description, MaxSessionDuration: 3600,
	}
	if tags {
		x.Tags = tagsReply(r)
	}
	return x
}
