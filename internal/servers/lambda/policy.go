package lambda

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

var (
	actionPattern   = regexp.MustCompile(`^(\*|[a-z0-9-]+:[A-Za-z*?]+)$`)
	resourcePattern = regexp.MustCompile(`^(\*|arn:[a-z*-]+:[a-z0-9*-]*:[a-z0-9*-]*:[0-9*]*:.+)$`)
)

// checkPolicy holds that a document is a policy: its statements have what they must.
func checkPolicy(document, also string, largest int) error {
	malformed := func(why string) error {
		return roleError(http.StatusBadRequest, "MalformedPolicyDocument", "%s", why)
	}
	if len(strings.Join(strings.Fields(document), "")) > largest {
		return roleError(http.StatusConflict, "LimitExceeded", "Maximum policy size of %d bytes exceeded", largest)
	}
	var policy struct {
		Version   string
		ID        string `json:"Id"`
		Statement json.RawMessage
	}
	if err := json.Unmarshal([]byte(document), &policy); err != nil {
		return malformed("Syntax errors in policy.")
	}
	if policy.Version != "2012-10-17" && policy.Version != "2008-10-17" {
		return malformed("The policy's Version is not one of 2012-10-17 and 2008-10-17.")
	}
	var statements []map[string]any
	if json.Unmarshal(policy.Statement, &statements) != nil {
		statements = make([]map[string]any, 1)
		if json.Unmarshal(policy.Statement, &statements[0]) != nil {
			return malformed("Syntax errors in policy.")
		}
	}
	if len(statements) == 0 {
		return malformed("Missing required field Statement")
	}
	for _, s := range statements {
		for _, need := range []string{"Effect", "Action", also} {
			if s[need] == nil {
				return malformed("Missing required field " + need)
			}
		}
		if s["Effect"] != "Allow" && s["Effect"] != "Deny" {
			return malformed(fmt.Sprintf("Invalid effect: %v", s["Effect"]))
		}
		if !all(s["Action"], actionPattern) {
			return malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
		}
		if also == "Resource" && !all(s["Resource"], resourcePattern) {
			return malformed(`Resource must be in ARN format or "*".`)
		}
		for field := range s {
			if !slices.Contains([]string{"Sid", "Effect", "Action", "Condition", also}, field) {
				return malformed("Syntax errors in policy: " + field)
			}
		}
	}
	return nil
}

// all reports whether a value, which is a string or a list of some, is as it should be.
func all(value any, pattern *regexp.Regexp) bool {
	list, ok := value.([]any)
	if !ok {
		list = []any{value}
	}
	for _, one := range list {
		text, ok := one.(string)
		if !ok || !pattern.MatchString(text) {
			return false
		}
	}
	return len(list) > 0
}
