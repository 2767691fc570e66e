package lambda

import (
	"encoding/xml"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

func (c *call) putRolePolicy(r *role) (any, error) {
	document := c.r.PostForm.Get("PolicyDocument")
	if err := checkPolicy(document, "Resource", 10240); err != nil {
		return nil, err
	}
	r.policies[c.r.PostForm.Get("PolicyName")] = document
	return nil, nil
}

// policy returns an inline policy of the role.
func (c *call) policy(r *role) (name, document string, err error) {
	name = c.r.PostForm.Get("PolicyName")
	document, ok := r.policies[name]
	if !ok {
		return "", "", roleError(http.StatusNotFound, "NoSuchEntity", "The role policy with name %s cannot be found.", name)
	}
	return name, document, nil
}

func (c *call) getRolePolicy(r *role) (any, error) {
	name, document, err := c.policy(r)
	if err != nil {
		return nil, err
	}
	return inline{RoleName: r.name, PolicyName: name, PolicyDocument: url.QueryEscape(document)}, nil
}

func (c *call) deleteRolePolicy(r *role) (any, error) {
	name, _, err := c.policy(r)
	delete(r.policies, name)
	return nil, err
}

func (c *call) listRolePolicies(r *role) (any, error) {
	return policyNames{Members: slices.Sorted(maps.Keys(r.policies))}, nil
}

func (c *call) attachRolePolicy(r *role) (any, error) {
	arn := c.r.PostForm.Get("PolicyArn")
	if !strings.HasPrefix(arn, "arn:aws:iam::aws:policy/") { // those of the account's own are not imitated
		return nil, roleError(http.StatusNotFound, "NoSuchEntity", "Policy %s does not exist or is not attachable.", arn)
	}
	r.attached[arn] = true
	return nil, nil
}

func (c *call) detachRolePolicy(r *role) (any, error) {
	arn := c.r.PostForm.Get("PolicyArn")
	if !r.attached[arn] {
		return nil, roleError(http.StatusNotFound, "NoSuchEntity", "Policy %s was not found.", arn)
	}
	delete(r.attached, arn)
	return nil, nil
}

func (c *call) listAttachedRolePolicies(r *role) (any, error) {
	var x attachedPolicies
	for _, arn := range slices.Sorted(maps.Keys(r.attached)) {
		x.Members = append(x.Members, attachedPolicy{arn[strings.LastIndexByte(arn, '/')+1:], arn})
	}
	return x, nil
}

// What IAM answers, inside its result.
type (
	inline struct {
		XMLName                              xml.Name `xml:"fields"`
		RoleName, PolicyName, PolicyDocument string
	}
	policyNames struct {
		XMLName xml.Name `xml:"PolicyNames"`
		Members []string `xml:"member"`
	}
	attachedPolicies struct {
		XMLName xml.Name         `xml:"AttachedPolicies"`
		Members []attachedPolicy `xml:"member"`
	}
	attachedPolicy struct{ PolicyName, PolicyArn string }
	xmlTags        struct {
		XMLName xml.Name `xml:"Tags"`
		Members []xmlTag `xml:"member"`
	}
	xmlTag struct{ Key, Value string }
)

func tagsReply(r *role) *xmlTags {
	x := &xmlTags{}
	for _, key := range slices.Sorted(maps.Keys(r.tags)) {
		x.Members = append(x.Members, xmlTag{key, r.tags[key]})
	}
	return x
}
