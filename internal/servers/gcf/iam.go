package gcf

import (
	"net/http"
	"slices"
	"strings"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// permissions are what each method needs of its caller, as the reference of the service says.
var permissions = map[string]string{
	"CreateFunction":    "cloudfunctions.functions.create",
	"GetFunction":       "cloudfunctions.functions.get",
	"UpdateFunction":    "cloudfunctions.functions.update",
	"DeleteFunction":    "cloudfunctions.functions.delete",
	"GenerateUploadUrl": "cloudfunctions.functions.sourceCodeSet",
	"GetOperation":      "cloudfunctions.operations.get",
	"ListRuntimes":      "cloudfunctions.runtimes.list",
}

const (
	actAs  = "iam.serviceAccounts.actAs"
	invoke = "run.routes.invoke"
)

// admit checks the caller of a method of the control plane.
func (s *Server) admit(r *http.Request, method string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, method)
	if r.Header.Get("Authorization") != "Bearer "+s.Access {
		return status.Error(codes.Unauthenticated, "Request had invalid authentication credentials. Expected OAuth 2 access "+
			"token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.")
	}
	if s.options.Disabled {
		st, err := status.New(codes.PermissionDenied, "Cloud Functions API has not been used in project test-project before or it is "+
			"disabled. Enable it by visiting https://console.developers.google.com/apis/api/cloudfunctions.googleapis.com/overview?project=test-project "+
			"then retry.").WithDetails(&errdetails.ErrorInfo{Reason: "SERVICE_DISABLED", Domain: "googleapis.com",
			Metadata: map[string]string{"service": "cloudfunctions.googleapis.com"}})
		if err != nil {
			return err
		}
		return st.Err()
	}
	if s.busy[method] > 0 {
		s.busy[method]--
		return status.Error(codes.ResourceExhausted, "Quota exceeded for quota metric 'Per project mutation requests' and limit "+
			"'Per project mutation requests per 100 seconds' of service 'cloudfunctions.googleapis.com'")
	}
	parts := strings.Split(r.URL.Path, "/") // "", v2, projects, P, locations, L, …
	if len(parts) > 5 {
		if !slices.Contains(s.options.Projects, parts[3]) {
			return status.Errorf(codes.PermissionDenied, "Permission '%s' denied on resource '//cloudfunctions.googleapis.com/projects/%s/locations/%s' (or it may not exist).",
				permissions[method], parts[3], parts[5])
		}
		region, _, _ := strings.Cut(parts[5], ":")
		if !slices.Contains(s.options.Regions, region) {
			return status.Errorf(codes.PermissionDenied, "Permission denied on 'locations/%s' (or it may not exist).", region)
		}
	}
	return s.need(permissions[method], strings.TrimPrefix(r.URL.Path, "/v2/"))
}

// need notes that a permission was needed, and refuses where it is denied. The caller holds mu.
func (s *Server) need(permission, resource string) error {
	s.used[permission] = true
	if slices.Contains(s.options.Deny, permission) {
		if permission == actAs {
			return status.Errorf(codes.PermissionDenied, "Caller is missing permission 'iam.serviceaccounts.actAs' on service account "+
				"%s. Grant the role 'roles/iam.serviceAccountUser' to the caller on the service account %s.", resource, resource)
		}
		return status.Errorf(codes.PermissionDenied, "Permission '%s' denied on resource '%s' (or it may not exist).", permission, resource)
	}
	return nil
}
