package lambda

import (
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"
)

// routes are the Runtime API of one environment.
func (e *environment) routes() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /2018-06-01/runtime/invocation/next", e.serveNext)
	m.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/response", e.serveResponse)
	m.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/error", e.serveError)
	m.HandleFunc("POST /2018-06-01/runtime/init/error", e.serveInitError)
	return m
}

// serveNext hands out the next invocation, which may be long in coming.
func (e *environment) serveNext(w http.ResponseWriter, r *http.Request) {
	select {
	case e.asked <- struct{}{}:
	default:
	}
	select {
	case v := <-e.next:
		h := w.Header()
		h.Set("Lambda-Runtime-Aws-Request-Id", v.id)
		h.Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(v.deadline.UnixMilli(), 10))
		h.Set("Lambda-Runtime-Invoked-Function-Arn", e.d.config.FunctionArn)
		h.Set("Lambda-Runtime-Trace-Id", v.trace)
		if v.client != "" {
			h.Set("Lambda-Runtime-Client-Context", v.client)
		}
		h.Set("Content-Type", "application/json")
		_, _ = w.Write(v.payload) // one that does not read it will be seen to have ended
	case <-r.Context().Done():
	}
}

// answered returns the invocation that the bootstrap answers, or tells it that there is none.
func (e *environment) answered(w http.ResponseWriter, r *http.Request) *invocation {
	e.mu.Lock()
	v := e.current
	e.mu.Unlock()
	if v == nil || v.id != r.PathValue("id") {
		answer(w, http.StatusBadRequest, `{"errorType":"InvalidRequestID","errorMessage":"Invalid request ID"}`)
		return nil
	}
	select {
	case <-v.over:
		answer(w, http.StatusForbidden, `{"errorType":"InvalidStateTransition","errorMessage":"State transition from Ready to InvocationErrorResponse failed"}`)
		return nil
	default:
		return v
	}
}

func answer(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body) // it may have ended
}

const accepted = `{"status":"OK"}`

// serveResponse passes a reply on as it comes.
func (e *environment) serveResponse(w http.ResponseWriter, r *http.Request) {
	v := e.answered(w, r)
	if v == nil {
		return
	}
	limit := largestReply
	if v.stream && (r.Header.Get("Lambda-Runtime-Function-Response-Mode") == "streaming" || r.ContentLength < 0) {
		limit = largestStream
	}
	total := 0
	for {
		piece := make([]byte, 64<<10)
		n, err := r.Body.Read(piece)
		if total += n; total > limit {
			v.fail("Function.ResponseSizeTooLarge", "Response payload size exceeded maximum allowed payload size (%d bytes).", limit)
			answer(w, http.StatusRequestEntityTooLarge, `{"errorType":"RequestEntityTooLarge","errorMessage":"Exceeded maximum allowed payload size."}`)
			return
		}
		if n > 0 && !v.put(piece[:n]) {
			return
		}
		if n > 0 && v.killLate {
			e.kill()
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			e.truncated(v)
			return
		}
	}
	if kind := r.Trailer.Get("Lambda-Runtime-Function-Error-Type"); kind != "" {
		body, err := base64.StdEncoding.DecodeString(r.Trailer.Get("Lambda-Runtime-Function-Error-Body"))
		if err != nil {
			body = nil
		}
		v.end(&failure{kind, body})
	}
	v.end(nil)
	answer(w, http.StatusAccepted, accepted)
}

// truncated is the end of a reply that broke off, with its process as a rule.
func (e *environment) truncated(v *invocation) {
	select {
	case <-v.over:
	case <-e.dead: // which is the reason, and is told as such
	case <-time.After(time.Second):
		v.fail("Runtime.TruncatedResponse", "Response truncated")
	}
}

// serveError takes the error of a function.
func (e *environment) serveError(w http.ResponseWriter, r *http.Request) {
	v := e.answered(w, r)
	if v == nil {
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, largestReply+1))
	if err != nil {
		e.truncated(v)
		return
	}
	if len(body) > largestReply {
		v.fail("Function.ResponseSizeTooLarge", "Response payload size exceeded maximum allowed payload size (%d bytes).", largestReply)
	}
	kind := r.Header.Get("Lambda-Runtime-Function-Error-Type")
	if kind == "" {
		kind = "Unhandled"
	}
	v.end(&failure{kind, body})
	answer(w, http.StatusAccepted, accepted)
}

// serveInitError takes the reason for which a bootstrap does not start.
func (e *environment) serveInitError(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, largestReply))
	if err != nil {
		return
	}
	e.mu.Lock()
	e.initError = &failure{r.Header.Get("Lambda-Runtime-Function-Error-Type"), body}
	e.mu.Unlock()
	answer(w, http.StatusAccepted, accepted)
}
