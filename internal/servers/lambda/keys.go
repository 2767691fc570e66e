package lambda

import (
	"crypto/rand"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// Credentials are what signs a request.
type Credentials struct{ AccessKey, SecretKey, SessionToken string }

// principal is who calls.
type principal struct {
	arn     string
	role    string // "" for the driver
	session string
	expired bool
}

// keys knows who has which key, and who did what.
type keys struct {
	s       *Server
	mu      sync.Mutex
	holders map[string]*principal // by access key
	actions map[string]map[string]bool
}

func newKeys(s *Server) *keys {
	return &keys{s: s, holders: map[string]*principal{}, actions: map[string]map[string]bool{}}
}

// driver gives the driver its keys.
func (k *keys) driver() Credentials {
	p := &principal{arn: "arn:aws:iam::" + k.s.Account + ":user/driver"}
	if c := k.s.options.Driver; c != nil {
		p.session = c.SessionToken
		k.holders[c.AccessKey] = p
		return *c
	}
	return k.issue("AKIA", p)
}

// assume gives a function the keys of its role.
func (k *keys) assume(role, function string) Credentials {
	return k.issue("ASIA", &principal{
		arn:  "arn:aws:sts::" + k.s.Account + ":assumed-role/" + role + "/" + function,
		role: role, session: rand.Text(),
	})
}

func (k *keys) issue(prefix string, p *principal) Credentials {
	k.mu.Lock()
	defer k.mu.Unlock()
	c := Credentials{prefix + rand.Text()[:16], rand.Text() + rand.Text()[:14], p.session}
	k.holders[c.AccessKey] = p
	return c
}

// ExpireCredentials makes the driver's credentials, and those of all functions, expired ones.
func (s *Server) ExpireCredentials() {
	s.keys.mu.Lock()
	defer s.keys.mu.Unlock()
	for _, p := range s.keys.holders {
		p.expired = true
	}
}

// authorization is the header of signature version 4, up to the signature.
var authorization = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=([A-Za-z0-9]+)/(\d{8})/([a-z0-9-]+)/([a-z0-9]+)/aws4_request, ?SignedHeaders=[^,]+, ?Signature=[0-9a-f]{64}$`)

// identify returns who signed a request to a service.
func (k *keys) identify(r *http.Request, service string) (*principal, error) {
	header := r.Header.Get("Authorization")
	if header == "" {
		return nil, refuse(http.StatusForbidden, "MissingAuthenticationTokenException", "Missing Authentication Token")
	}
	m := authorization.FindStringSubmatch(header)
	if m == nil {
		return nil, refuse(http.StatusForbidden, "IncompleteSignatureException", "Authorization header is not of signature version 4")
	}
	if m[4] != service {
		return nil, refuse(http.StatusForbidden, "SignatureDoesNotMatch", "Credential should be scoped to correct service: '%s'.", service)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	p := k.holders[m[1]]
	if p == nil || r.Header.Get("X-Amz-Security-Token") != p.session {
		code := "UnrecognizedClientException"
		if service == "iam" || service == "sts" {
			code = "InvalidClientTokenId"
		}
		return nil, refuse(http.StatusForbidden, code, "The security token included in the request is invalid.")
	}
	if p.expired {
		code := "ExpiredTokenException"
		if service == "iam" || service == "sts" {
			code = "ExpiredToken"
		}
		return nil, refuse(http.StatusForbidden, code, "The security token included in the request is expired")
	}
	if service != "iam" && m[3] != k.s.Region {
		return nil, refuse(http.StatusForbidden, "SignatureDoesNotMatch", "Credential should be scoped to a valid region.")
	}
	return p, nil
}

// may records that somebody does what IAM calls action, and refuses it where it is denied.
func (k *keys) may(p *principal, action, resource string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.actions[p.role] == nil {
		k.actions[p.role] = map[string]bool{}
	}
	k.actions[p.role][action] = true
	if !slices.Contains(k.s.options.Deny, action) {
		return nil
	}
	code := "AccessDeniedException"
	if strings.HasPrefix(action, "iam:") && action != "iam:PassRole" {
		code = "AccessDenied"
	}
	return refuse(http.StatusForbidden, code,
		"User: %s is not authorized to perform: %s on resource: %s because no identity-based policy allows the %s action",
		p.arn, action, resource, action)
}

// Actions returns the IAM actions that were asked for with the driver's credentials, denied ones included, sorted. Those
// which need no permission, as sts:GetCallerIdentity, are not among them.
func (s *Server) Actions() []string { return s.keys.did("") }

// RoleActions returns the IAM actions that Lambda did in the name of a function's role, or the function with its keys.
func (s *Server) RoleActions(role string) []string { return s.keys.did(role) }

func (k *keys) did(role string) []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	var all []string
	for action := range k.actions[role] {
		all = append(all, action)
	}
	slices.Sort(all)
	return all
}
