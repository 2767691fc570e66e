package lambda

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// call is one request to one of the services.
type call struct {
	s   *Server
	w   http.ResponseWriter
	r   *http.Request
	id  string
	who *principal
}

type callKey struct{}

func withCall(ctx context.Context, c *call) context.Context {
	return context.WithValue(ctx, callKey{}, c)
}

// refusal is an error as a service words it.
type refusal struct {
	status        int
	code, message string
	reason        string // of throttling
}

func (e *refusal) Error() string { return e.code + ": " + e.message }

func refuse(status int, code, format string, args ...any) error {
	return &refusal{status: status, code: code, message: fmt.Sprintf(format, args...)}
}

// invalid is a parameter that Lambda understands and does not take.
func invalid(format string, args ...any) error {
	return refuse(http.StatusBadRequest, "InvalidParameterValueException", format, args...)
}

// constraint is a parameter out of the model's range.
func constraint(field string, value any, rule string) error {
	return refuse(http.StatusBadRequest, "ValidationException",
		"1 validation error detected: Value '%v' at '%s' failed to satisfy constraint: %s", value, field, rule)
}

// conflict is a call in the wrong state.
func conflict(format string, args ...any) error {
	return refuse(http.StatusConflict, "ResourceConflictException", format, args...)
}

// operation is one of Lambda's. It returns the status and what to encode as JSON; nil is no body, and a status of 0 that
// it has answered itself.
type operation func(c *call) (status int, reply any, err error)

// functionRoutes are Lambda's operations.
func (s *Server) functionRoutes() http.Handler {
	m := http.NewServeMux()
	for pattern, op := range map[string]operation{
		"POST /2015-03-31/functions":                                       createFunction,
		"GET /2015-03-31/functions":                                        listFunctions,
		"GET /2015-03-31/functions/{name}":                                 ofFunction("lambda:GetFunction", getFunction),
		"DELETE /2015-03-31/functions/{name}":                              ofFunction("lambda:DeleteFunction", deleteFunction),
		"GET /2015-03-31/functions/{name}/configuration":                   ofFunction("lambda:GetFunctionConfiguration", getFunctionConfiguration),
		"PUT /2015-03-31/functions/{name}/configuration":                   updateFunctionConfiguration,
		"PUT /2015-03-31/functions/{name}/code":                            updateFunctionCode,
		"POST /2015-03-31/functions/{name}/invocations":                    invoke,
		"POST /2021-11-15/functions/{name}/response-streaming-invocations": invokeWithResponseStream,
		"PUT /2017-10-31/functions/{name}/concurrency":                     putFunctionConcurrency,
		"DELETE /2017-10-31/functions/{name}/concurrency":                  ofFunction("lambda:DeleteFunctionConcurrency", deleteFunctionConcurrency),
		"GET /2019-09-30/functions/{name}/concurrency":                     ofFunction("lambda:GetFunctionConcurrency", getFunctionConcurrency),
		"PUT /2019-09-25/functions/{name}/event-invoke-config":             putFunctionEventInvokeConfig,
		"GET /2019-09-25/functions/{name}/event-invoke-config":             getFunctionEventInvokeConfig,
		"DELETE /2019-09-25/functions/{name}/event-invoke-config":          deleteFunctionEventInvokeConfig,
		"GET /2016-08-19/account-settings":                                 getAccountSettings,
		"GET /2017-03-31/tags/{resource}":                                  listTags,
		"POST /2017-03-31/tags/{resource}":                                 tagResource,
		"DELETE /2017-03-31/tags/{resource}":                               untagResource,
	} {
		m.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			c := r.Context().Value(callKey{}).(*call)
			c.r = r // with the path's values
			c.serve(op)
		})
	}
	m.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		c := r.Context().Value(callKey{}).(*call)
		c.fail(refuse(http.StatusNotFound, "UnknownOperationException", "no operation of the stand-in: %s %s", r.Method, r.URL.Path))
	})
	return m
}

func (c *call) serve(op operation) {
	var err error
	if c.who, err = c.s.keys.identify(c.r, "lambda"); err != nil {
		c.fail(err)
		return
	}
	status, reply, err := op(c)
	switch {
	case err != nil:
		c.fail(err)
	case status == 0:
	case reply == nil:
		c.w.WriteHeader(status)
	default:
		c.w.Header().Set("Content-Type", "application/json")
		c.w.WriteHeader(status)
		_ = json.NewEncoder(c.w).Encode(reply) // the client may have gone
	}
}

// fail answers with an error, as REST JSON has it.
func (c *call) fail(err error) {
	e, ok := errors.AsType[*refusal](err)
	if !ok {
		e = &refusal{status: http.StatusInternalServerError, code: "ServiceException", message: err.Error()}
	}
	body := map[string]string{"Type": "User", "message": e.message}
	if e.status >= 500 {
		body["Type"] = "Service"
	}
	if e.reason != "" {
		body["Reason"] = e.reason
	}
	c.w.Header().Set("X-Amzn-Errortype", e.code)
	c.w.Header().Set("Content-Type", "application/json")
	c.w.WriteHeader(e.status)
	_ = json.NewEncoder(c.w).Encode(body) // the client may have gone
}

// largestRequest bounds what a control call may bring, in bytes: Lambda words it so.
const largestRequest = 70167211

// decode reads the JSON body into v, which names all fields that may come.
func (c *call) decode(v any) error {
	body, err := io.ReadAll(io.LimitReader(c.r.Body, largestRequest+1))
	if err != nil {
		return refuse(http.StatusBadRequest, "SerializationException", "%v", err)
	}
	if len(body) > largestRequest {
		return refuse(http.StatusRequestEntityTooLarge, "RequestEntityTooLargeException",
			"Request must be smaller than %d bytes for the operation", largestRequest)
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return refuse(http.StatusBadRequest, "SerializationException", "%v", err)
	}
	return nil
}

// newID returns a UUID of random numbers.
func newID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // it never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
