package azstore

import (
	"io"
	"net/http"
	"sync/atomic"
)

// kind is what a request is for.
type kind int

const (
	kindPut kind = iota // the request that makes an object
	kindGet
	kindList
	kindDelete
	kindHead
	kindPart // a block of a large object
	kinds
)

// counts holds what was sent and received, attempts that failed included.
type counts struct {
	requests [kinds]atomic.Int64
	up, down atomic.Int64 // bytes of bodies
	retries  atomic.Int64 // requests beyond the first of a call
}

// sender sends the requests of a bucket. It is here that a shared access signature is added, below all of the SDK, so
// that neither its errors nor its log can repeat one. It is no http.Client, whose errors quote URLs.
type sender struct {
	transport *http.Transport
	sas       string
	counts    counts
}

// Do implements the SDK's Transporter. A redirect, which the service never sends, is an answer like others.
func (s *sender) Do(r *http.Request) (*http.Response, error) {
	c := callOf(r.Context())
	s.counts.requests[c.kind].Add(1)
	if c.sent.Add(1) > 1 {
		s.counts.retries.Add(1)
	}
	s.counts.up.Add(max(0, r.ContentLength))
	signed := r
	if s.sas != "" {
		u := *r.URL
		u.RawQuery = join(u.RawQuery, s.sas)
		signed = r.WithContext(r.Context()) // a shallow copy
		signed.URL = &u
	}
	answer, err := s.transport.RoundTrip(signed)
	if err != nil {
		return nil, err
	}
	answer.Request = r
	answer.Body = &counted{answer.Body, &s.counts.down}
	return answer, nil
}

// counted counts the bytes of a body.
type counted struct {
	io.ReadCloser
	n *atomic.Int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.n.Add(int64(n))
	return n, err
}
