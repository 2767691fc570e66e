package lambda

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
)

// invoke is the operation Invoke.
func invoke(c *call) (int, any, error) {
	kind := c.r.Header.Get("X-Amz-Invocation-Type")
	switch kind {
	case "":
		kind = "RequestResponse"
	case "RequestResponse", "Event", "DryRun":
	default:
		return 0, nil, constraint("invocationType", kind, "Member must satisfy enum value set: [Event, RequestResponse, DryRun]")
	}
	v, err := c.invocation(kind)
	if err != nil {
		return 0, nil, err
	}
	switch kind {
	case "Event":
		return c.invokeEvent(v)
	case "DryRun":
		c.s.mu.Lock()
		defer c.s.mu.Unlock()
		if _, err := c.invocable(); err != nil {
			return 0, nil, err
		}
		return http.StatusNoContent, nil, nil
	}
	if err := c.start(v); err != nil {
		return 0, nil, err
	}
	var reply []byte
	v.each(func(piece []byte) { reply = append(reply, piece...) })
	if c.s.take(func(f *Faults) *int { return &f.DropReply }) {
		panic(http.ErrAbortHandler) // which closes the connection
	}
	h := c.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Amz-Executed-Version", "$LATEST")
	if v.failed != nil {
		h.Set("X-Amz-Function-Error", "Unhandled")
		reply = v.failed.body
	}
	if c.r.Header.Get("X-Amz-Log-Type") == "Tail" {
		h.Set("X-Amz-Log-Result", base64.StdEncoding.EncodeToString(v.tail()))
	}
	c.w.WriteHeader(http.StatusOK)
	_, _ = c.w.Write(reply) // the client may have gone
	return 0, nil, nil
}

// invocation reads the request of either kind of invoking.
func (c *call) invocation(kind string) (*invocation, error) {
	name := c.r.PathValue("name")
	if m := functionName.FindStringSubmatch(name); m != nil {
		name = c.s.functionARN(m[3])
	}
	if err := c.s.keys.may(c.who, "lambda:InvokeFunction", name); err != nil {
		return nil, err
	}
	switch c.r.Header.Get("X-Amz-Log-Type") {
	case "", "None", "Tail":
	default:
		return nil, constraint("logType", c.r.Header.Get("X-Amz-Log-Type"), "Member must satisfy enum value set: [None, Tail]")
	}
	limit := largestPayload
	if kind == "Event" {
		limit = c.s.options.EventLimit
	}
	payload, err := io.ReadAll(io.LimitReader(c.r.Body, int64(limit)+1))
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "InvalidRequestContentException", "%v", err)
	}
	if len(payload) > limit {
		size := max(c.r.ContentLength, int64(len(payload)))
		_, _ = io.Copy(io.Discard, io.LimitReader(c.r.Body, 64<<20)) // so that the client is there to hear of it
		return nil, refuse(http.StatusRequestEntityTooLarge, "RequestTooLargeException",
			"%d byte payload is too large for the %s invocation type (limit %d bytes)", size, kind, limit)
	}
	if len(payload) == 0 {
		payload = []byte("{}")
	}
	if !json.Valid(payload) {
		return nil, refuse(http.StatusBadRequest, "InvalidRequestContentException", "Could not parse request body into json: Could not parse payload into json")
	}
	v := newInvocation(payload)
	v.id = c.id // as on Lambda, the request and the invocation are one
	if text := c.r.Header.Get("X-Amz-Client-Context"); text != "" {
		client, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(text) > 3583 || !json.Valid(client) {
			return nil, refuse(http.StatusBadRequest, "InvalidRequestContentException", "Client context must be a valid Base64-encoded JSON object.")
		}
		v.client = string(client)
	}
	return v, nil
}

// invocable returns the function that the call is for, if it can be invoked now. The caller holds s.mu.
func (c *call) invocable() (*function, error) {
	f, err := c.find(c.r.PathValue("name"))
	if err != nil {
		return nil, err
	}
	if f.live == nil {
		return nil, conflict("The operation cannot be performed at this time. The function is currently in the following state: %s", f.config.State)
	}
	return f, nil
}

// start begins an invocation of the function that the call is for.
func (c *call) start(v *invocation) error {
	c.s.mu.Lock()
	defer c.s.mu.Unlock()
	f, err := c.invocable()
	if err != nil {
		return err
	}
	return c.s.begin(f, v)
}
