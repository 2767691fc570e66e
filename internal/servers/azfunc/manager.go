package azfunc

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// request is a call of the resource manager, after all checks that are the same for each.
type request struct {
	*http.Request
	path string // as it came, with its upper-case letters
	body []byte
}

// answer is what a call returns: a body in JSON, or a refusal.
type answer struct {
	status int
	body   any
	pace   *operation // the operation that goes on, where there is one
}

// call is one of the resource manager's.
type call struct {
	route   string // in lower case: paths are compared so
	action  string
	version string // the versions of the API that this knows, separated by spaces
	do      func(s *Server, r *request) (answer, *Refusal)
}

const (
	inGroup    = "/subscriptions/{sub}/resourcegroups/{group}"
	web        = "/providers/microsoft.web"
	accounts   = "/providers/microsoft.storage/storageaccounts/{account}"
	containers = accounts + "/blobservices/default/containers/{container}"

	groupVersions   = "2021-04-01 2022-09-01"
	webVersions     = "2023-12-01 2024-04-01" // functionAppConfig came with the first
	storageVersions = "2023-01-01 2023-05-01"
	roleVersions    = "2022-04-01"
	identVersions   = "2023-01-31"
)

var calls = []call{
	{"GET " + inGroup, "Microsoft.Resources/subscriptions/resourceGroups/read", groupVersions, (*Server).getGroup},
	{"PUT " + inGroup + web + "/serverfarms/{name}", "Microsoft.Web/serverfarms/write", webVersions, (*Server).putPlan},
	{"GET " + inGroup + web + "/serverfarms/{name}", "Microsoft.Web/serverfarms/read", webVersions, (*Server).getPlan},
	{"DELETE " + inGroup + web + "/serverfarms/{name}", "Microsoft.Web/serverfarms/delete", webVersions, (*Server).deletePlan},
	{"PUT " + inGroup + web + "/sites/{name}", "Microsoft.Web/sites/write", webVersions, (*Server).putSite},
	{"GET " + inGroup + web + "/sites/{name}", "Microsoft.Web/sites/read", webVersions, (*Server).getSite},
	{"DELETE " + inGroup + web + "/sites/{name}", "Microsoft.Web/sites/delete", webVersions, (*Server).deleteSite},
	{
		"POST " + inGroup + web + "/sites/{name}/functions/{function}/listkeys", "Microsoft.Web/sites/functions/listkeys/action", webVersions,
		(*Server).listKeys,
	},
	{"GET " + inGroup + accounts, "Microsoft.Storage/storageAccounts/read", storageVersions, (*Server).getAccount},
	{
		"PUT " + inGroup + containers, "Microsoft.Storage/storageAccounts/blobServices/containers/write", storageVersions,
		(*Server).putContainer,
	},
	{
		"GET " + inGroup + containers, "Microsoft.Storage/storageAccounts/blobServices/containers/read", storageVersions,
		(*Server).getContainer,
	},
	{
		"DELETE " + inGroup + containers, "Microsoft.Storage/storageAccounts/blobServices/containers/delete", storageVersions,
		(*Server).deleteContainer,
	},
	{
		"GET " + inGroup + "/providers/microsoft.managedidentity/userassignedidentities/{name}",
		"Microsoft.ManagedIdentity/userAssignedIdentities/read", identVersions, (*Server).getIdentity,
	},
	{"PUT /roleassignments/{name}", "Microsoft.Authorization/roleAssignments/write", roleVersions, (*Server).putRole},
	{"DELETE /roleassignments/{name}", "Microsoft.Authorization/roleAssignments/delete", roleVersions, (*Server).deleteRole},
}

// Actions returns the permissions that the calls of this server need, those of the deployment's site included.
func Actions() []string {
	actions := map[string]bool{publishAction: true, joinAction: true, assignAction: true}
	for _, c := range calls {
		actions[c.action] = true
	}
	return slices.Sorted(maps.Keys(actions))
}

// routes answers all that the resource manager does.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	for _, c := range calls {
		mux.HandleFunc(c.route, func(w http.ResponseWriter, r *http.Request) { s.serve(w, r, c) })
	}
	mux.HandleFunc("GET /identity/token", s.giveToken)
	mux.HandleFunc("GET /operations/{id}", s.getOperation)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		refuse(w, Refusal{http.StatusNotFound, "InvalidResourceType", "The resource type could not be found: " + r.Method + " " + r.URL.Path})
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Header.Set(pathHeader, r.URL.Path)
		r.URL.Path = strings.ToLower(r.URL.Path)
		if scope, name, ok := strings.Cut(r.URL.Path, "/providers/microsoft.authorization/roleassignments/"); ok {
			r.URL.Path = "/roleassignments/" + name
			r.Header.Set(scopeHeader, scope)
		}
		mux.ServeHTTP(w, r)
	})
}

// What routes finds out travels in headers of this server's own.
const pathHeader, scopeHeader = "X-Azfunc-Path", "X-Azfunc-Scope"

// serve does what all calls have in common.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, c call) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 4<<20))
	if err != nil {
		return // the caller is gone
	}
	if strikes(&s.Faults.MuteCalls) {
		hang(r)
		return
	}
	req := &request{Request: r, path: r.Header.Get(pathHeader), body: body}
	a, refusal := s.answer(req, c)
	if refusal != nil {
		if refusal.Status == http.StatusTooManyRequests {
			w.Header().Set("Retry-After", s.options.RetryAfter)
		}
		refuse(w, *refusal)
		return
	}
	if a.pace != nil {
		w.Header().Set("Azure-AsyncOperation", s.URL+"/operations/"+a.pace.id+"?api-version=2024-04-01")
		w.Header().Set("Retry-After", s.options.RetryAfter)
	}
	reply(w, a.status, a.body)
}

func (s *Server) answer(r *request, c call) (answer, *Refusal) {
	if refusal := s.authorized(r.Request); refusal != nil {
		return answer{}, refusal
	}
	switch v := r.URL.Query().Get("api-version"); {
	case v == "":
		return answer{}, &Refusal{http.StatusBadRequest, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required for all requests."}
	case !slices.Contains(strings.Fields(c.version), v):
		return answer{}, &Refusal{http.StatusBadRequest, "InvalidApiVersionParameter", "The api-version '" + v + "' is invalid. The supported versions are '" + c.version + "'."}
	}
	if sub := r.PathValue("sub"); sub != "" && sub != s.options.Subscription {
		return answer{}, &Refusal{http.StatusNotFound, "SubscriptionNotFound", "The subscription '" + sub + "' could not be found."}
	}
	if group := r.PathValue("group"); group != "" && !strings.EqualFold(group, s.options.Group) {
		return answer{}, &Refusal{http.StatusNotFound, "ResourceGroupNotFound", "Resource group '" + group + "' could not be found."}
	}
	s.mu.Lock()
	throttled := s.throttled > 0
	if throttled {
		s.throttled--
	}
	s.mu.Unlock()
	if throttled {
		return answer{}, &Refusal{http.StatusTooManyRequests, "TooManyRequests", "The number of requests for the subscription has exceeded the limit."}
	}
	if refusal := s.allowed(c.action, r.path); refusal != nil {
		return answer{}, refusal
	}
	return c.do(s, r)
}

// decode reads a body that may have no field that is not known here, so that a wrong name is found.
func (r *request) decode(v any) *Refusal {
	d := json.NewDecoder(bytes.NewReader(r.body))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return invalidRequest("The request content was invalid and could not be deserialized: %v", err)
	}
	return nil
}

func invalidRequest(format string, args ...any) *Refusal {
	return &Refusal{http.StatusBadRequest, "BadRequest", fmt.Sprintf(format, args...)}
}

func notFound(r *request) *Refusal {
	return &Refusal{http.StatusNotFound, "ResourceNotFound", "The Resource '" + r.path + "' was not found."}
}

func refuse(w http.ResponseWriter, r Refusal) {
	reply(w, r.Status, map[string]any{"error": map[string]string{"code": r.Code, "message": r.Message}})
}

func reply(w http.ResponseWriter, status int, body any) {
	if body == nil {
		w.WriteHeader(status)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the caller may be gone
}
