package azfunc

import (
	"net/http"
	"strings"
)

// plan is a serverfarm of the sku FC1, which takes one app.
type plan struct {
	Location   string            `json:"location"`
	Kind       string            `json:"kind"`
	Tags       map[string]string `json:"tags,omitempty"`
	SKU        sku               `json:"sku"`
	Properties planProperties    `json:"properties"`
}

type sku struct {
	Name string `json:"name"`
	Tier string `json:"tier"`
}

type planProperties struct {
	Reserved bool `json:"reserved"` // Linux
}

func (s *Server) putPlan(r *request) (answer, *Refusal) {
	p := &plan{}
	if refusal := r.decode(p); refusal != nil {
		return answer{}, refusal
	}
	switch {
	case p.SKU != sku{"FC1", "FlexConsumption"}:
		return answer{}, invalidRequest("This server knows the sku FC1 of the tier FlexConsumption alone.")
	case !p.Properties.Reserved:
		return answer{}, invalidRequest("Flex Consumption is on Linux alone: reserved must be true.")
	case !s.here(p.Location):
		return answer{}, s.elsewhere(p.Location, "Microsoft.Web/serverFarms")
	}
	name := r.PathValue("name")
	return s.begin(http.StatusCreated, func(state string) any { return s.planBody(r.path, p, state) }, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.plans[name] = p
	}), nil
}

// here reports whether a location, as it is written or read, is the server's.
func (s *Server) here(location string) bool {
	return strings.ReplaceAll(strings.ToLower(location), " ", "") == s.options.Location
}

func (s *Server) elsewhere(location, kind string) *Refusal {
	return &Refusal{http.StatusBadRequest, "LocationNotAvailableForResourceType", "The provided location '" + location + "' is not available for resource type '" +
		kind + "'. List of available regions for the resource type is '" + s.options.Location + "'."}
}

func (s *Server) planBody(id string, p *plan, state string) any {
	return map[string]any{
		"id": id, "name": id[strings.LastIndexByte(id, '/')+1:], "location": p.Location, "kind": p.Kind, "tags": p.Tags, "sku": p.SKU,
		"properties": map[string]any{"provisioningState": state, "status": "Ready", "reserved": true},
	}
}

func (s *Server) getPlan(r *request) (answer, *Refusal) {
	s.mu.Lock()
	p := s.plans[r.PathValue("name")]
	s.mu.Unlock()
	if p == nil {
		return answer{}, notFound(r)
	}
	return answer{status: http.StatusOK, body: s.planBody(r.path, p, "Succeeded")}, nil
}

func (s *Server) deletePlan(r *request) (answer, *Refusal) {
	name := r.PathValue("name")
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.plans[name] == nil {
		return answer{status: http.StatusNoContent}, nil
	}
	for _, a := range s.sites {
		if a.plan() == name {
			return answer{}, &Refusal{http.StatusConflict, "Conflict", "Server farm '" + name + "' cannot be deleted because it has web app(s) " + a.name + " assigned to it."}
		}
	}
	delete(s.plans, name)
	return answer{status: http.StatusOK}, nil
}
