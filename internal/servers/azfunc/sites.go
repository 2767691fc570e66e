package azfunc

import (
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
)

// siteBody is what an app is put with.
type siteBody struct {
	Location   string            `json:"location"`
	Kind       string            `json:"kind"`
	Tags       map[string]string `json:"tags,omitempty"`
	Identity   *identity         `json:"identity,omitempty"`
	Properties siteProperties    `json:"properties"`
}

type identity struct {
	Type         string              `json:"type"`
	UserAssigned map[string]struct{} `json:"userAssignedIdentities,omitempty"`
}

type siteProperties struct {
	ServerFarmID string `json:"serverFarmId"`
	HTTPSOnly    bool   `json:"httpsOnly"`
	SiteConfig   struct {
		AppSettings   []setting `json:"appSettings"`
		MinTLSVersion string    `json:"minTlsVersion,omitempty"`
		HTTP20Enabled bool      `json:"http20Enabled,omitempty"`
	} `json:"siteConfig"`
	FunctionAppConfig *appConfig `json:"functionAppConfig"`
}

type setting struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// site is an app.
type site struct {
	server     *Server
	name       string
	key        string // of the function
	principal  string // of the system-assigned identity
	front, scm *httptest.Server

	mu          sync.Mutex
	body        siteBody
	deployments []*deployment
	contended   bool // one was refused while another was under way
	gone        bool
	host        *host // of the last deployment; nil before the first
	loading     int   // how often the host is still asked for its functions in vain
}

// plan returns the name of the app's plan. The server is locked.
func (a *site) plan() string {
	id := a.body.Properties.ServerFarmID
	return id[strings.LastIndexByte(id, '/')+1:]
}

// What putting an app needs beside its own permission.
const (
	joinAction   = "Microsoft.Web/serverfarms/join/action"
	assignAction = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"
)

func (s *Server) putSite(r *request) (answer, *Refusal) {
	var body siteBody
	if refusal := r.decode(&body); refusal != nil {
		return answer{}, refusal
	}
	name := r.PathValue("name")
	if refusal := s.checkSite(name, &body); refusal != nil {
		return answer{}, refusal
	}
	if refusal := s.allowed(joinAction, body.Properties.ServerFarmID); refusal != nil {
		return answer{}, refusal
	}
	if len(body.Identity.UserAssigned) > 0 {
		if refusal := s.allowed(assignAction, r.path); refusal != nil {
			return answer{}, refusal
		}
	}
	var a *site
	status := http.StatusOK
	if s.options.Polls > 0 {
		status = http.StatusAccepted
	}
	return s.begin(status, func(string) any {
		if a == nil {
			return nil
		}
		return s.siteBody(r.path, a)
	}, func() { a = s.place(name, body) }), nil
}

// place makes the app, or gives the one that is there its new configuration.
func (s *Server) place(name string, body siteBody) *site {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.sites[name]
	if a == nil {
		a = &site{server: s, name: name, key: "key-" + rand.Text(), principal: "principal-" + strings.ToLower(rand.Text())}
		a.front = httptest.NewServer(http.HandlerFunc(a.serveFront))
		a.scm = httptest.NewServer(a.deploymentSite())
		s.sites[name] = a
	}
	a.mu.Lock()
	a.body = body
	a.mu.Unlock()
	return a
}

// checkSite returns what Azure would refuse of an app.
func (s *Server) checkSite(name string, body *siteBody) *Refusal {
	for _, taken := range s.options.Taken {
		if strings.HasPrefix(name, taken) {
			return &Refusal{http.StatusConflict, "Conflict", "Website with given name " + name + " already exists."}
		}
	}
	const letters = "abcdefghijklmnopqrstuvwxyz0123456789-"
	if len(name) < 2 || len(name) > 60 || strings.Trim(name, letters) != "" || strings.Trim(name, "-") != name {
		return invalidRequest("The name %q is invalid: 2 to 60 letters, digits and inner hyphens.", name)
	}
	if !s.here(body.Location) {
		return s.elsewhere(body.Location, "Microsoft.Web/sites")
	}
	if body.Kind != "functionapp,linux" {
		return invalidRequest("The kind %q is no function app on Linux.", body.Kind)
	}
	if body.Identity == nil {
		body.Identity = &identity{Type: "None"}
	}
	for id := range body.Identity.UserAssigned {
		if !slices.Contains(s.options.Identities, id[strings.LastIndexByte(id, '/')+1:]) {
			return &Refusal{http.StatusBadRequest, "FailedIdentityOperation", "The identity " + id + " does not exist."}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	a := &site{body: *body}
	if s.plans[a.plan()] == nil {
		return &Refusal{http.StatusNotFound, "NotFound", "Cannot find serverfarm with name " + a.plan() + "."}
	}
	for other, b := range s.sites {
		if other != name && b.plan() == a.plan() {
			return invalidRequest("The plan %s is of Flex Consumption and has an app already: %s.", a.plan(), other)
		}
	}
	return s.checkConfig(body)
}

// siteBody is what the resource manager tells of an app. The settings are not in it.
func (s *Server) siteBody(id string, a *site) any {
	a.mu.Lock()
	defer a.mu.Unlock()
	ident := map[string]any{"type": a.body.Identity.Type}
	if strings.Contains(a.body.Identity.Type, "SystemAssigned") {
		ident["principalId"], ident["tenantId"] = a.principal, "00000000-0000-0000-0000-0000000000ff"
	}
	front, scm := strings.TrimPrefix(a.front.URL, "http://"), strings.TrimPrefix(a.scm.URL, "http://")
	return map[string]any{
		"id": id, "name": a.name, "location": a.body.Location, "kind": a.body.Kind, "tags": a.body.Tags, "identity": ident,
		"properties": map[string]any{
			"state": "Running", "defaultHostName": front, "enabledHostNames": []string{front, scm},
			"hostNameSslStates": []any{
				map[string]string{"name": front, "hostType": "Standard"}, map[string]string{"name": scm, "hostType": "Repository"},
			},
			"serverFarmId": a.body.Properties.ServerFarmID, "functionAppConfig": a.body.Properties.FunctionAppConfig,
		},
	}
}

func (s *Server) find(r *request) (*site, *Refusal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.sites[r.PathValue("name")]; a != nil {
		return a, nil
	}
	return nil, notFound(r)
}

func (s *Server) getSite(r *request) (answer, *Refusal) {
	a, refusal := s.find(r)
	if refusal != nil {
		return answer{}, refusal
	}
	return answer{status: http.StatusOK, body: s.siteBody(r.path, a)}, nil
}

func (s *Server) deleteSite(r *request) (answer, *Refusal) {
	if _, refusal := s.find(r); refusal != nil {
		return answer{status: http.StatusNoContent}, nil
	}
	s.Delete(r.PathValue("name"))
	return answer{status: http.StatusOK}, nil
}

// listKeys gives the keys of one function, which the host must have loaded.
func (s *Server) listKeys(r *request) (answer, *Refusal) {
	a, refusal := s.find(r)
	if refusal != nil {
		return answer{}, refusal
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.loading > 0 {
		a.loading--
		return answer{}, notFound(r)
	}
	if a.host == nil || a.host.function(r.PathValue("function")) == nil {
		return answer{}, notFound(r)
	}
	return answer{status: http.StatusOK, body: map[string]string{"default": a.key}}, nil
}

// unload takes the app's package away, and ends its workers.
func (a *site) unload() {
	a.mu.Lock()
	h := a.host
	a.host = nil
	a.mu.Unlock()
	if h != nil {
		h.end()
	}
}

// stop is the app's end, but for its addresses.
func (a *site) stop() {
	a.mu.Lock()
	a.gone = true
	a.mu.Unlock()
	a.unload()
}

// end stops the app's servers and its workers.
func (a *site) end() {
	a.stop()
	a.front.CloseClientConnections()
	a.front.Close()
	a.scm.Close()
}
