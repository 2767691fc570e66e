package lambda

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awslambda "github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/schemas"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go/transport/http/protocol/restjson1"
)

// streamed is what a client has of a stream.
type streamed struct {
	pieces   int
	text     string
	complete *types.InvokeWithResponseStreamCompleteEvent
	err      error
}

// ownCodec gives a call a codec of its own: that of a client is shared by its streams, and not made for it
// (github.com/aws/smithy-go/issues/714).
func ownCodec(o *awslambda.Options) { o.Protocol = restjson1.New(schemas.AWSGirApiService) }

// stream invokes for a stream, and calls f, if there is one, after the first piece.
func (a *at) stream(ctx context.Context, name string, o order, heard func(text string)) (s streamed) {
	payload, err := json.Marshal(o)
	if err != nil {
		return streamed{err: err}
	}
	r, err := a.lambda.InvokeWithResponseStream(ctx, &awslambda.InvokeWithResponseStreamInput{FunctionName: &name, Payload: payload, LogType: types.LogTypeTail}, ownCodec)
	if err != nil {
		return streamed{err: err}
	}
	events := r.GetStream()
	defer events.Close()
	var text strings.Builder
	for event := range events.Events() {
		switch event := event.(type) {
		case *types.InvokeWithResponseStreamResponseEventMemberPayloadChunk:
			text.Write(event.Value.Payload)
			if s.pieces++; heard != nil {
				heard(text.String())
			}
		case *types.InvokeWithResponseStreamResponseEventMemberInvokeComplete:
			s.complete = &event.Value
		}
	}
	s.text, s.err = text.String(), events.Err()
	return s
}

func TestStream(t *testing.T) {
	t.Parallel()
	a := started(t, Options{})
	a.create("f")
	s := a.stream(t.Context(), "f", order{"stream", "3"}, nil)
	if s.err != nil || s.text != "piece 0\npiece 1\npiece 2\n" || s.complete == nil || s.complete.ErrorCode != nil {
		t.Errorf("%+v", s)
	}
	if s.complete == nil || !strings.Contains(tail(t, s.complete.LogResult), "REPORT RequestId: ") {
		t.Errorf("%+v", s)
	}
	// A buffered reply is a stream as well, and the reverse.
	if s = a.stream(t.Context(), "f", order{"count", ""}, nil); s.text != "2" || s.complete == nil || s.complete.ErrorCode != nil {
		t.Errorf("%+v", s)
	}
	if got := a.mustInvoke("f", `{"Do":"stream","With":"2"}`); got != "piece 0\npiece 1\n" {
		t.Errorf("%q", got)
	}
	// A piece is there before the next is made.
	path := filepath.Join(t.TempDir(), "go")
	s = a.stream(t.Context(), "f", order{"stream", "1 until=" + path}, func(string) {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Error(err)
		}
	})
	if s.err != nil || s.complete == nil || s.complete.ErrorCode != nil {
		t.Errorf("%+v", s)
	}
}

// TestLongStream passes more than a buffered reply may have.
func TestLongStream(t *testing.T) {
	t.Parallel()
	a := started(t, Options{})
	a.create("f")
	long := order{"stream", "1 size=" + strconv.Itoa(9<<20)}
	s := a.stream(t.Context(), "f", long, nil)
	if s.err != nil || len(s.text) != 9<<20+8 || s.complete == nil || s.complete.ErrorCode != nil {
		t.Errorf("error %v, %d bytes, %+v", s.err, len(s.text), s.complete)
	}
	payload, err := json.Marshal(long)
	if err != nil {
		t.Fatal(err)
	}
	r, err := a.invoke(t.Context(), "f", string(payload))
	if err != nil || !strings.Contains(string(r.Payload), "Function.ResponseSizeTooLarge") {
		t.Errorf("error %v", err)
	}
}

// TestStreamErrors checks streams that end badly.
func TestStreamErrors(t *testing.T) {
	t.Parallel()
	a := started(t, Options{})
	a.create("f", func(in *awslambda.CreateFunctionInput) { in.Timeout = aws.Int32(2) })
	for with, want := range map[string]string{
		"2 fail": "My.Midway", "2 exit": "Runtime.ExitError", "2 hang": "Sandbox.Timedout",
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			const pieces = "piece 0\npiece 1\n"
			path := filepath.Join(t.TempDir(), "heard") // the process exits when all that it has said has come
			s := a.stream(t.Context(), "f", order{"stream", with + "=" + path}, func(text string) {
				if text != pieces {
					return
				}
				if err := os.WriteFile(path, nil, 0o600); err != nil {
					t.Error(err)
				}
			})
			if s.err != nil || s.complete == nil || aws.ToString(s.complete.ErrorCode) != want || aws.ToString(s.complete.ErrorDetails) == "" {
				t.Errorf("%+v, error %v", s, s.err)
			}
			if s.text != pieces {
				t.Errorf("%q", s.text)
			}
		})
	}
	if s := a.stream(t.Context(), "f", order{"fail", "early"}, nil); s.complete == nil || aws.ToString(s.complete.ErrorCode) != "My.Error" || s.pieces != 0 {
		t.Errorf("%+v", s)
	}
	wantCode(t, a.stream(t.Context(), "g", order{}, nil).err, "ResourceNotFoundException")
}

// TestClientGoes checks that a function goes on when nobody waits for it.
func TestClientGoes(t *testing.T) {
	t.Parallel()
	a := started(t, Options{})
	a.create("f")
	path := filepath.Join(t.TempDir(), "done")
	ctx, cancel := context.WithCancel(t.Context())
	s := a.stream(ctx, "f", order{"stream", "50 touch=" + path}, func(string) { cancel() })
	if s.complete != nil {
		t.Errorf("%+v", s)
	}
	await(t, "the function's end", func() bool { _, err := os.Stat(path); return err == nil })
	await(t, "the environment's rest", func() bool { return a.mustInvoke("f", `{"Do":"count"}`) == "2" })
}

// TestFaults makes go wrong what can be made to.
func TestFaults(t *testing.T) {
	t.Parallel()
	a := started(t, Options{})
	a.create("f")
	a.SetFaults(Faults{DropReply: 1})
	if _, err := a.invoke(t.Context(), "f", `{"Do":"count"}`); err == nil {
		t.Error("there is a reply")
	}
	if got := a.mustInvoke("f", `{"Do":"count"}`); got != "2" {
		t.Errorf("the work was not done: %s", got)
	}
	a.SetFaults(Faults{ResetStream: 1})
	if s := a.stream(t.Context(), "f", order{"stream", "5"}, nil); s.complete != nil || s.err == nil {
		t.Errorf("%+v", s)
	}
	a.SetFaults(Faults{Kill: 1})
	if r, err := a.invoke(t.Context(), "f", `{"Do":"hang"}`); err != nil || !strings.Contains(string(r.Payload), "Error: Runtime exited with error: signal: killed") {
		t.Errorf("error %v, %+v", err, r)
	}
	a.SetFaults(Faults{KillLate: 1})
	if s := a.stream(t.Context(), "f", order{"stream", "5 hang"}, nil); s.pieces < 1 || s.complete == nil || aws.ToString(s.complete.ErrorCode) != "Runtime.ExitError" {
		t.Errorf("%+v", s)
	}
	s := a.stream(t.Context(), "f", order{"stream", "1 hang"}, func(string) {
		if n := a.Kill("f"); n == 0 {
			t.Error("nothing to kill")
		}
	})
	if s.complete == nil || aws.ToString(s.complete.ErrorCode) != "Runtime.ExitError" {
		t.Errorf("%+v", s)
	}
}
