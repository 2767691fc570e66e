// Package lent makes HTTP requests whose bodies can be sent again by whoever made them.
//
// A transport writes a request in a goroutine of its own, which may read from the body when the answer, or an error, has
// come already; who wants to send the body again has to wait until it is closed. Clients of Azure's SDK do not: they rewind
// the body at once. So a transport is only lent it, and it is taken back before such a client goes on.
package lent

import (
	"io"
	"net/http"
	"sync"
)

// RoundTrip is t's, for a client that may send the request's body again: nobody reads from it when RoundTrip has returned. A
// server that answers well before it has been sent all of the request is not for this.
func RoundTrip(t http.RoundTripper, r *http.Request) (*http.Response, error) {
	if r.Body == nil || r.Body == http.NoBody {
		return t.RoundTrip(r)
	}
	b := &body{ReadCloser: r.Body}
	lent := r.WithContext(r.Context()) // a shallow copy
	lent.Body, lent.GetBody = b, nil   // a transport would rewind it, too
	answer, err := t.RoundTrip(lent)
	b.takeBack()
	if answer != nil {
		answer.Request = r
	}
	return answer, err
}

// body is lent for one attempt.
type body struct {
	io.ReadCloser
	mu   sync.Mutex
	over bool
}

// Read ends where the body was taken back. To a transport that has sent all of it, and looks whether there is more, that is
// its end; for one that has not, it is too short, and the connection is given up.
func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over {
		return 0, io.EOF
	}
	return b.ReadCloser.Read(p)
}

func (b *body) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.over {
		return nil
	}
	return b.ReadCloser.Close()
}

// takeBack returns when nobody reads from the body any more.
func (b *body) takeBack() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = true
}
