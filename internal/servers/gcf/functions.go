package gcf

import (
	"context"
	"fmt"
	"slices"

	"cloud.google.com/go/functions/apiv2/functionspb"
	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
)

// function is one that was made. Server.mu guards it.
type function struct {
	id    string
	spec  *functionspb.Function
	front *front // nil before the first successful build
}

// GetFunction implements the method of that name.
func (s *Server) GetFunction(_ context.Context, r *functionspb.GetFunctionRequest) (*functionspb.Function, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.find(r.GetName())
	if err != nil {
		return nil, err
	}
	return proto.CloneOf(f.spec), nil
}

// find returns a function. The caller holds mu.
func (s *Server) find(name string) (*function, error) {
	f := s.functions[name]
	if f == nil {
		return nil, status.Errorf(codes.NotFound, "Resource '%s' was not found", name)
	}
	return f, nil
}

// ListRuntimes implements the method of that name.
func (s *Server) ListRuntimes(context.Context, *functionspb.ListRuntimesRequest) (*functionspb.ListRuntimesResponse, error) {
	answer := &functionspb.ListRuntimesResponse{}
	for _, r := range runtimes {
		for _, e := range []functionspb.Environment{functionspb.Environment_GEN_1, functionspb.Environment_GEN_2} {
			answer.Runtimes = append(answer.Runtimes, &functionspb.ListRuntimesResponse_Runtime{
				Name: r.name, DisplayName: r.title, Stage: r.stage, Environment: e,
			})
		}
	}
	return answer, nil
}

// CreateFunction implements the method of that name.
func (s *Server) CreateFunction(_ context.Context, r *functionspb.CreateFunctionRequest) (*longrunningpb.Operation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := checkID(r.GetFunctionId()); err != nil {
		return nil, err
	}
	name := r.GetParent() + "/functions/" + r.GetFunctionId()
	spec := proto.CloneOf(r.GetFunction())
	if spec == nil || spec.GetName() != "" && spec.GetName() != name {
		return nil, invalid("function.name must be empty or %s", name)
	}
	if err := s.check(spec); err != nil {
		return nil, err
	}
	u, err := s.uploaded(spec)
	if err != nil {
		return nil, err
	}
	if s.functions[name] != nil {
		return nil, status.Errorf(codes.AlreadyExists, "Resource '%s' already exists", name)
	}
	spec.Name = name
	f := &function{id: r.GetFunctionId(), spec: spec}
	s.functions[name] = f
	return s.deploy(f, u, functionspb.OperationType_CREATE_FUNCTION)
}

// UpdateFunction implements the method of that name.
func (s *Server) UpdateFunction(_ context.Context, r *functionspb.UpdateFunctionRequest) (*longrunningpb.Operation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.find(r.GetFunction().GetName())
	if err != nil {
		return nil, err
	}
	if state := f.spec.GetState(); state != functionspb.Function_ACTIVE && state != functionspb.Function_FAILED {
		return nil, status.Errorf(codes.Aborted, "unable to queue the operation: another operation on %s is in progress", f.spec.GetName())
	}
	spec := proto.CloneOf(f.spec)
	paths := r.GetUpdateMask().GetPaths()
	if len(paths) == 0 {
		paths = []string{"build_config", "service_config", "labels", "description"}
	}
	from := r.GetFunction()
	for _, p := range paths {
		switch p {
		case "build_config":
			spec.BuildConfig = proto.CloneOf(from.GetBuildConfig())
		case "build_config.source":
			spec.BuildConfig.Source = proto.CloneOf(from.GetBuildConfig().GetSource())
		case "service_config":
			spec.ServiceConfig = proto.CloneOf(from.GetServiceConfig())
		case "labels":
			spec.Labels = from.GetLabels()
		case "description":
			spec.Description = from.GetDescription()
		default:
			return nil, invalid("Invalid update mask: the path %q is not known or cannot be updated", p)
		}
	}
	if !slices.Contains(paths, "service_config") {
		spec.ServiceConfig.Uri, spec.ServiceConfig.Service, spec.ServiceConfig.Revision = "", "", ""
	}
	if err := s.check(spec); err != nil {
		return nil, err
	}
	u, err := s.uploaded(spec)
	if err != nil {
		return nil, err
	}
	f.spec = spec
	return s.deploy(f, u, functionspb.OperationType_UPDATE_FUNCTION)
}

// DeleteFunction implements the method of that name.
func (s *Server) DeleteFunction(_ context.Context, r *functionspb.DeleteFunctionRequest) (*longrunningpb.Operation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.find(r.GetName())
	if err != nil {
		return nil, err
	}
	if state := f.spec.GetState(); state == functionspb.Function_DEPLOYING || state == functionspb.Function_DELETING {
		return nil, status.Errorf(codes.Aborted, "unable to queue the operation: another operation on %s is in progress", f.spec.GetName())
	}
	f.spec.State = functionspb.Function_DELETING
	return s.operate(f, functionspb.OperationType_DELETE_FUNCTION, func() error {
		if f.front != nil {
			f.front.close()
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.functions, f.spec.GetName())
		return nil
	})
}

// deploy begins the building of a function and its start. The caller holds mu.
func (s *Server) deploy(f *function, u *upload, kind functionspb.OperationType) (*longrunningpb.Operation, error) {
	f.spec.State, f.spec.StateMessages = functionspb.Function_DEPLOYING, nil
	entry := f.spec.GetBuildConfig().GetEntryPoint()
	return s.operate(f, kind, func() error {
		program, err := s.build(u.data, entry)
		if err == nil {
			err = s.serveFunction(f, program)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if err != nil {
			f.spec.State = functionspb.Function_FAILED
			message := fmt.Sprintf("Build failed with status: FAILURE and message: %v. For more details see the logs at "+
				"https://console.cloud.google.com/cloud-build/builds", err)
			f.spec.StateMessages = []*functionspb.StateMessage{{
				Severity: functionspb.StateMessage_ERROR, Type: "CloudRunServiceNotFound", Message: message,
			}}
			return status.Error(codes.InvalidArgument, message)
		}
		f.spec.State = functionspb.Function_ACTIVE
		return nil
	})
}
