package gcf

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"cloud.google.com/go/functions/apiv2/functionspb"
	"google.golang.org/genproto/googleapis/api/annotations"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// route is one method of the service over HTTP, as its annotation in the vendor's definition says.
type route struct {
	method string // its name
	verb   string
	path   *regexp.Regexp
	fields []string // what the groups of path hold, such as function.name
	body   string   // the field that the body is; "*" for the whole message; "" for none
	call   func(ctx context.Context, decode func(any) error) (any, error)
}

// system are the query parameters that every method takes and no message has.
var system = []string{"alt", "prettyPrint", "fields", "key", "quotaUser", "$.xgafv"}

// routes reads them out of the descriptors.
func (s *Server) routes() []route {
	var all []route
	methods := functionspb.File_google_cloud_functions_v2_functions_proto.Services().ByName("FunctionService").Methods()
	for _, m := range functionspb.FunctionService_ServiceDesc.Methods {
		rule, _ := proto.GetExtension(methods.ByName(protoreflect.Name(m.MethodName)).Options(), annotations.E_Http).(*annotations.HttpRule)
		r := route{method: m.MethodName, body: rule.GetBody(), call: func(ctx context.Context, decode func(any) error) (any, error) {
			return m.Handler(s, ctx, decode, nil)
		}}
		var pattern string
		switch {
		case rule.GetGet() != "":
			r.verb, pattern = http.MethodGet, rule.GetGet()
		case rule.GetPost() != "":
			r.verb, pattern = http.MethodPost, rule.GetPost()
		case rule.GetPatch() != "":
			r.verb, pattern = http.MethodPatch, rule.GetPatch()
		case rule.GetDelete() != "":
			r.verb, pattern = http.MethodDelete, rule.GetDelete()
		}
		r.path, r.fields = template(pattern)
		all = append(all, r)
	}
	// The service's configuration, and not the definition of operations, says where they are.
	path, fields := template("/v2/{name=projects/*/locations/*/operations/*}")
	return append(all, route{method: "GetOperation", verb: http.MethodGet, path: path, fields: fields, call: s.getOperation})
}

// template makes an expression of a path such as /v2/{name=projects/*/locations/*}:verb.
func template(pattern string) (*regexp.Regexp, []string) {
	var fields []string
	variable := regexp.MustCompile(`\{([a-z_.]+)=([^}]+)\}`)
	expr, at := "^", 0
	for _, m := range variable.FindAllStringSubmatchIndex(pattern, -1) {
		fields = append(fields, pattern[m[2]:m[3]])
		inner := strings.ReplaceAll(regexp.QuoteMeta(pattern[m[4]:m[5]]), `\*`, `[^/:]+`)
		expr += regexp.QuoteMeta(pattern[at:m[0]]) + "(" + inner + ")"
		at = m[1]
	}
	return regexp.MustCompile(expr + regexp.QuoteMeta(pattern[at:]) + "$"), fields
}

// rest serves the control plane.
func (s *Server) rest() http.Handler {
	routes := s.routes()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for _, rt := range routes {
			m := rt.path.FindStringSubmatch(r.URL.Path)
			if m == nil || rt.verb != r.Method {
				continue
			}
			answer, err := s.serve(r, rt, m[1:])
			if err != nil {
				fail(w, err)
				return
			}
			reply(w, http.StatusOK, answer)
			return
		}
		http.Error(w, "<!DOCTYPE html><title>Error 404 (Not Found)!!1</title>", http.StatusNotFound)
	})
}

func (s *Server) serve(r *http.Request, rt route, values []string) (proto.Message, error) {
	if err := s.admit(r, rt.method); err != nil {
		return nil, err
	}
	fields := map[string]any{}
	if rt.body != "" {
		body, err := io.ReadAll(io.LimitReader(r.Body, 10<<20))
		if err != nil {
			return nil, err
		}
		var v any = map[string]any{}
		if len(body) > 0 {
			if err := json.Unmarshal(body, &v); err != nil {
				return nil, status.Errorf(codes.InvalidArgument, "Invalid JSON payload received. %v", err)
			}
		}
		if rt.body == "*" {
			whole, ok := v.(map[string]any)
			if !ok {
				return nil, status.Error(codes.InvalidArgument, "Invalid JSON payload received. Not an object")
			}
			fields = whole
		} else {
			fields[rt.body] = v
		}
	}
	for i, f := range rt.fields {
		outer, inner, nested := strings.Cut(f, ".")
		if !nested {
			fields[f] = values[i]
			continue
		}
		if m, ok := fields[outer].(map[string]any); ok {
			m[inner] = values[i]
		}
	}
	for name, v := range r.URL.Query() {
		if !slices.Contains(system, name) {
			fields[name] = v[0]
		}
	}
	joined, err := json.Marshal(fields)
	if err != nil {
		return nil, err
	}
	answer, err := rt.call(r.Context(), func(m any) error {
		if err := protojson.Unmarshal(joined, m.(proto.Message)); err != nil {
			return status.Errorf(codes.InvalidArgument, "Invalid JSON payload received. %v", err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return answer.(proto.Message), nil
}

// statuses are those of HTTP for the codes.
var statuses = map[codes.Code]int{
	codes.InvalidArgument: 400, codes.FailedPrecondition: 400, codes.OutOfRange: 400, codes.Unauthenticated: 401,
	codes.PermissionDenied: 403, codes.NotFound: 404, codes.AlreadyExists: 409, codes.Aborted: 409,
	codes.ResourceExhausted: 429, codes.Unimplemented: 501, codes.Unavailable: 503,
}

// fail answers with an error as the service writes it.
func fail(w http.ResponseWriter, err error) {
	st := status.Convert(err)
	code := statuses[st.Code()]
	if code == 0 {
		code = http.StatusInternalServerError
	}
	var details []any
	for _, d := range st.Details() {
		if info, ok := d.(*errdetails.ErrorInfo); ok {
			details = append(details, map[string]any{
				"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": info.GetReason(), "domain": info.GetDomain(), "metadata": info.GetMetadata(),
			})
		}
	}
	body, _ := json.Marshal(map[string]any{"error": map[string]any{
		"code": code, "message": st.Message(), "status": canonical(st.Code()), "details": details,
	}})
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(code)
	_, _ = w.Write(body)
}

// canonical is a code's name in JSON, such as NOT_FOUND.
func canonical(c codes.Code) string {
	return strings.ToUpper(regexp.MustCompile(`([a-z])([A-Z])`).ReplaceAllString(c.String(), "${1}_$2"))
}

func reply(w http.ResponseWriter, code int, m proto.Message) {
	body, err := protojson.Marshal(m)
	if err != nil {
		fail(w, fmt.Errorf("encoding the answer: %w", err))
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=UTF-8")
	w.WriteHeader(code)
	_, _ = w.Write(body)
}
