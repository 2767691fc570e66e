package gcf

import (
	"context"
	"crypto/rand"
	"strings"
	"time"

	"cloud.google.com/go/functions/apiv2/functionspb"
	"cloud.google.com/go/longrunning/autogen/longrunningpb"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
	"google.golang.org/protobuf/types/known/emptypb"
)

// operation is what a change of a function answers with.
type operation struct {
	state *longrunningpb.Operation
}

// operate begins an operation, whose work is done while nobody waits. The caller holds mu, and the work does not.
func (s *Server) operate(f *function, kind functionspb.OperationType, work func() error) (*longrunningpb.Operation, error) {
	if s.closed {
		return nil, status.Error(codes.Unavailable, "the service has ended")
	}
	name := f.spec.GetName()
	parent, _, _ := strings.Cut(name, "/functions/")
	metadata, err := anypb.New(&functionspb.OperationMetadata{Target: name, ApiVersion: "v2", OperationType: kind})
	if err != nil {
		return nil, err
	}
	op := &operation{&longrunningpb.Operation{Name: parent + "/operations/operation-" + strings.ToLower(rand.Text()), Metadata: metadata}}
	s.operations[op.state.GetName()] = op
	s.idle.Go(func() {
		time.Sleep(s.options.Work)
		err := work()
		s.mu.Lock()
		defer s.mu.Unlock()
		op.state.Done = true
		if err != nil {
			op.state.Result = &longrunningpb.Operation_Error{Error: status.Convert(err).Proto()}
			return
		}
		var result proto.Message = proto.CloneOf(f.spec)
		if kind == functionspb.OperationType_DELETE_FUNCTION {
			result = &emptypb.Empty{}
		}
		packed, err := anypb.New(result)
		if err != nil {
			op.state.Result = &longrunningpb.Operation_Error{Error: status.Convert(err).Proto()}
			return
		}
		op.state.Result = &longrunningpb.Operation_Response{Response: packed}
	})
	return proto.CloneOf(op.state), nil
}

// getOperation is the method GetOperation.
func (s *Server) getOperation(_ context.Context, decode func(any) error) (any, error) {
	var r longrunningpb.GetOperationRequest
	if err := decode(&r); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	op := s.operations[r.GetName()]
	if op == nil {
		return nil, status.Errorf(codes.NotFound, "Operation '%s' was not found", r.GetName())
	}
	return proto.CloneOf(op.state), nil
}
