package awslambda

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// runtimeAPI speaks Lambda's Runtime API, which is how a function gets its invocations and answers them.
type runtimeAPI struct {
	base string
	http *http.Client
}

func newRuntime(host string) *runtimeAPI {
	// Between two invocations the function is frozen, connections with it.
	return &runtimeAPI{"http://" + host + "/2018-06-01/runtime/", &http.Client{Transport: &http.Transport{DisableCompression: true}}}
}

// event is an invocation as Lambda gives it.
type event struct {
	id       string
	deadline time.Time
	payload  []byte
}

// next waits for the next invocation.
func (r *runtimeAPI) next(ctx context.Context) (event, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.base+"invocation/next", nil)
	if err != nil {
		return event{}, err
	}
	resp, err := r.http.Do(req)
	if err != nil {
		return event{}, fmt.Errorf("awslambda: ask for an invocation: %w", err)
	}
	defer resp.Body.Close()
	payload, err := io.ReadAll(io.LimitReader(resp.Body, largestPayload+1))
	if err != nil {
		return event{}, fmt.Errorf("awslambda: read an invocation: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return event{}, fmt.Errorf("awslambda: the Runtime API answers %s: %.200q", resp.Status, payload)
	}
	e := event{id: resp.Header.Get("Lambda-Runtime-Aws-Request-Id"), payload: payload}
	ms, err := strconv.ParseInt(resp.Header.Get("Lambda-Runtime-Deadline-Ms"), 10, 64)
	if e.id == "" || err != nil {
		return event{}, fmt.Errorf("awslambda: an invocation %q with the deadline %q", e.id, resp.Header.Get("Lambda-Runtime-Deadline-Ms"))
	}
	e.deadline = time.UnixMilli(ms)
	return e, nil
}

// answer answers an invocation with a whole reply.
func (r *runtimeAPI) answer(ctx context.Context, id string, reply any) error {
	data, err := json.Marshal(reply)
	if err != nil {
		return err
	}
	return r.post(ctx, "invocation/"+id+"/response", bytes.NewReader(data), http.Header{"Content-Type": {"application/json"}})
}

// stream answers an invocation with what comes from body, as it comes.
func (r *runtimeAPI) stream(ctx context.Context, id string, body io.Reader) error {
	return r.post(ctx, "invocation/"+id+"/response", body, http.Header{
		"Content-Type": {"application/octet-stream"}, "Lambda-Runtime-Function-Response-Mode": {"streaming"},
	})
}

// fail answers an invocation with an error.
func (r *runtimeAPI) fail(ctx context.Context, id, kind string, err error) error {
	return r.post(ctx, "invocation/"+id+"/error", failure(kind, err), http.Header{errorType: {kind}})
}

// failInit tells that this worker cannot start.
func (r *runtimeAPI) failInit(ctx context.Context, kind string, err error) error {
	return r.post(ctx, "init/error", failure(kind, err), http.Header{errorType: {kind}})
}

const errorType = "Lambda-Runtime-Function-Error-Type"

func failure(kind string, err error) io.Reader {
	data, _ := json.Marshal(map[string]any{"errorType": kind, "errorMessage": err.Error(), "stackTrace": []string{}}) // strings can be encoded
	return bytes.NewReader(data)
}

func (r *runtimeAPI) post(ctx context.Context, path string, body io.Reader, header http.Header) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.base+path, body)
	if err != nil {
		return err
	}
	req.Header = header
	resp, err := r.http.Do(req)
	if err != nil {
		return fmt.Errorf("awslambda: answer: %w", err)
	}
	defer resp.Body.Close()
	said, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10)) // what came of it is told
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("awslambda: the Runtime API answers %s: %s", resp.Status, said)
	}
	return nil
}
