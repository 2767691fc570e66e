package azfunc

import (
	"crypto/rand"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// operation is work that goes on after its call was answered.
type operation struct {
	id   string
	left int // how often it is still asked for in vain
	done func()
}

// begin returns what a call answers whose work is done by done: later, where operations are wanted, or now.
func (s *Server) begin(status int, body func(state string) any, done func()) answer {
	if s.options.Polls == 0 {
		done()
		return answer{status: status, body: body("Succeeded")}
	}
	op := &operation{id: strings.ToLower(rand.Text()), left: s.options.Polls, done: done}
	s.mu.Lock()
	s.operations[op.id] = op
	s.mu.Unlock()
	return answer{status: status, body: body("InProgress"), pace: op}
}

// getOperation tells how far an operation is.
func (s *Server) getOperation(w http.ResponseWriter, r *http.Request) {
	if refusal := s.authorized(r); refusal != nil {
		refuse(w, *refusal)
		return
	}
	s.mu.Lock()
	op := s.operations[r.PathValue("id")]
	finish := false
	if op != nil && op.left > 0 {
		op.left--
		finish = op.left == 0
	}
	s.mu.Unlock()
	if op == nil {
		refuse(w, Refusal{http.StatusNotFound, "NotFound", "There is no operation " + r.PathValue("id")})
		return
	}
	if finish {
		op.done()
	}
	status := "Succeeded"
	if op.left > 0 {
		status = "InProgress"
		w.Header().Set("Retry-After", s.options.RetryAfter)
	}
	reply(w, http.StatusOK, map[string]string{"id": op.id, "status": status})
}

// giveToken is the endpoint of managed identities, as an app has it.
func (s *Server) giveToken(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	switch {
	case r.Header.Get("X-IDENTITY-HEADER") != s.secret:
		http.Error(w, "the header X-IDENTITY-HEADER is wrong", http.StatusUnauthorized)
	case q.Get("api-version") != "2019-08-01" || q.Get("resource") == "":
		http.Error(w, "resource and api-version=2019-08-01 are needed", http.StatusBadRequest)
	default:
		reply(w, http.StatusOK, map[string]string{
			"access_token": s.issue(), "expires_on": strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10),
			"resource": q.Get("resource"), "token_type": "Bearer", "client_id": "00000000-0000-0000-0000-00000000000d",
		})
	}
}
