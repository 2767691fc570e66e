package azstore

import (
	"net/http"

	"github.com/gowren/gowren/internal/lent"
	"github.com/gowren/gowren/storage"
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

// counted is the kind as the service charges for it.
func (k kind) counted() storage.Kind {
	switch k {
	case kindGet:
		return storage.KindGet
	case kindHead:
		return storage.KindStat
	case kindList:
		return storage.KindList
	case kindDelete:
		return storage.KindDelete
	}
	return storage.KindPut
}

// sender sends the requests of a bucket. It is here that a shared access signature is added, below all of the SDK, so
// that neither its errors nor its log can repeat one. It is no http.Client, whose errors quote URLs.
type sender struct {
	transport *http.Transport
	sas       string
	meter     storage.Meter // attempts that failed included
}

// Do implements the SDK's Transporter. A redirect, which the service never sends, is an answer like others.
func (s *sender) Do(r *http.Request) (*http.Response, error) {
	c := callOf(r.Context())
	s.meter.Request(c.kind.counted())
	if c.sent.Add(1) > 1 {
		s.meter.Retry()
	}
	if k := c.kind; (k == kindPut || k == kindPart) && r.URL.Query().Get("comp") != "blocklist" {
		s.meter.Sent(max(0, r.ContentLength))
	}
	signed := r
	if s.sas != "" {
		u := *r.URL
		u.RawQuery = join(u.RawQuery, s.sas)
		signed = r.WithContext(r.Context()) // a shallow copy
		signed.URL = &u
	}
	answer, err := lent.RoundTrip(s.transport, signed)
	if err != nil {
		return nil, err
	}
	answer.Request = r
	if c.kind == kindGet && answer.StatusCode < http.StatusBadRequest {
		answer.Body = s.meter.Receiving(answer.Body)
	}
	return answer, nil
}
