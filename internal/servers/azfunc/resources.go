package azfunc

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
)

func (s *Server) getGroup(r *request) (answer, *Refusal) {
	return answer{status: http.StatusOK, body: map[string]any{
		"id": r.path, "name": s.options.Group, "location": s.options.Location, "properties": map[string]string{"provisioningState": "Succeeded"},
	}}, nil
}

func (s *Server) getAccount(r *request) (answer, *Refusal) {
	name := r.PathValue("account")
	if !slices.Contains(s.options.Accounts, name) {
		return answer{}, notFound(r)
	}
	return answer{status: http.StatusOK, body: map[string]any{
		"id": r.path, "name": name, "location": s.options.Location, "kind": "StorageV2",
		"properties": map[string]any{
			"provisioningState": "Succeeded",
			"primaryEndpoints":  map[string]string{"blob": "https://" + name + ".blob.core.windows.net/"},
		},
	}}, nil
}

// container is a container of blobs.
type container struct {
	PublicAccess string            `json:"publicAccess,omitempty"`
	Metadata     map[string]string `json:"metadata,omitempty"`
}

func (s *Server) putContainer(r *request) (answer, *Refusal) {
	account, name := r.PathValue("account"), r.PathValue("container")
	if !slices.Contains(s.options.Accounts, account) {
		return answer{}, notFound(r)
	}
	var body struct {
		Properties container `json:"properties"`
	}
	if refusal := r.decode(&body); refusal != nil {
		return answer{}, refusal
	}
	if len(name) < 3 || len(name) > 63 || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || strings.Contains(name, "--") {
		return answer{}, invalidRequest("The specified container name %q is invalid.", name)
	}
	for key := range body.Properties.Metadata {
		if !metadataName.MatchString(key) {
			return answer{}, invalidRequest("The metadata specified is invalid. It has characters that are not permitted: %q.", key)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	status := http.StatusOK
	if s.containers[account+"/"+name] == nil {
		status = http.StatusCreated
	}
	s.containers[account+"/"+name] = &body.Properties
	return answer{status: status, body: map[string]any{"id": r.path, "name": name, "properties": body.Properties}}, nil
}

// metadataName is an identifier of C#.
var metadataName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

func (s *Server) getContainer(r *request) (answer, *Refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.containers[r.PathValue("account")+"/"+r.PathValue("container")]
	if c == nil {
		return answer{}, notFound(r)
	}
	return answer{status: http.StatusOK, body: map[string]any{"id": r.path, "name": r.PathValue("container"), "properties": *c}}, nil
}

func (s *Server) deleteContainer(r *request) (answer, *Refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := r.PathValue("account") + "/" + r.PathValue("container")
	if s.containers[name] == nil {
		return answer{status: http.StatusNoContent}, nil
	}
	delete(s.containers, name)
	return answer{status: http.StatusOK}, nil
}

func (s *Server) getIdentity(r *request) (answer, *Refusal) {
	name := r.PathValue("name")
	if !slices.Contains(s.options.Identities, name) {
		return answer{}, notFound(r)
	}
	return answer{status: http.StatusOK, body: map[string]any{
		"id": r.path, "name": name, "location": s.options.Location,
		"properties": map[string]string{"clientId": "client-of-" + name, "principalId": "principal-of-" + name},
	}}, nil
}

// assignment is a role that an identity has for a scope.
type assignment struct{ scope, principal, role string }

func (s *Server) putRole(r *request) (answer, *Refusal) {
	var body struct {
		Properties struct {
			RoleDefinitionID string `json:"roleDefinitionId"`
			PrincipalID      string `json:"principalId"`
			PrincipalType    string `json:"principalType"`
			Description      string `json:"description"`
		} `json:"properties"`
	}
	if refusal := r.decode(&body); refusal != nil {
		return answer{}, refusal
	}
	p := body.Properties
	const definitions = "/providers/microsoft.authorization/roledefinitions/"
	_, role, ok := strings.Cut(strings.ToLower(p.RoleDefinitionID), definitions)
	if !ok || p.PrincipalID == "" {
		return answer{}, invalidRequest("roleDefinitionId and principalId are needed.")
	}
	if p.PrincipalType != "ServicePrincipal" {
		// Without it, the directory is asked for an identity that it does not know yet.
		return answer{}, &Refusal{http.StatusBadRequest, "PrincipalNotFound", "Principal " + p.PrincipalID + " does not exist in the directory."}
	}
	if name := r.PathValue("name"); len(name) != 36 || strings.Count(name, "-") != 4 {
		return answer{}, &Refusal{http.StatusBadRequest, "InvalidRoleAssignmentId", "The role assignment ID '" + name + "' is not valid. It must be a GUID."}
	}
	a := assignment{r.Header.Get(scopeHeader), p.PrincipalID, role}
	s.mu.Lock()
	defer s.mu.Unlock()
	id := a.scope + "/" + r.PathValue("name")
	for other, known := range s.roles {
		if known == a && other != id {
			return answer{}, &Refusal{http.StatusConflict, "RoleAssignmentExists", "The role assignment already exists: " + other}
		}
	}
	if known, ok := s.roles[id]; ok && known != a {
		return answer{}, &Refusal{http.StatusBadRequest, "RoleAssignmentUpdateNotPermitted", "Tenant ID, application ID, principal ID, and scope are not allowed to be updated."}
	}
	s.roles[id] = a
	return answer{status: http.StatusCreated, body: map[string]any{"id": r.path}}, nil
}

func (s *Server) deleteRole(r *request) (answer, *Refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := r.Header.Get(scopeHeader) + "/" + r.PathValue("name")
	if _, ok := s.roles[id]; !ok {
		return answer{status: http.StatusNoContent}, nil
	}
	delete(s.roles, id)
	return answer{status: http.StatusOK}, nil
}

// may reports whether a principal has one of the roles for blobs in a container.
func (s *Server) may(principal, account, container string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.roles {
		_, scope, _ := strings.Cut(a.scope, "/storageaccounts/")
		_, of, within := strings.Cut(scope, "/containers/")
		here := scope == account || within && strings.HasPrefix(scope, account+"/") && of == container
		if here && a.principal == principal && slices.Contains(blobRoles, a.role) {
			return true
		}
	}
	return false
}

// blobRoles are Azure's own roles that let an identity write blobs: owner and contributor of a blob's data.
var blobRoles = []string{"b7e6dc6d-f1e8-4753-8033-0f276bb0955b", "ba92f5b4-2d11-453d-a403-e96b0029c9fe"}

// Grant gives a user-assigned identity what Azure asks for on a storage account, as its owner does.
func (s *Server) Grant(identity, account string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	scope := strings.ToLower("/subscriptions/" + s.options.Subscription + "/resourcegroups/" + s.options.Group + "/providers/microsoft.storage/storageaccounts/" + account)
	s.roles[scope+"/granted-to-"+identity] = assignment{scope, "principal-of-" + identity, blobRoles[0]}
}
