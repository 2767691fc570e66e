package storage

import (
	"io"
	"sync/atomic"
)

// Kind is a kind of request to a store, as it is charged for.
type Kind int

// The kinds of requests.
const (
	KindGet    Kind = iota // reads bytes
	KindStat               // reads what is known of an object
	KindPut                // writes an object or a part of one, or begins or ends an upload in parts
	KindList               // a page of a listing
	KindDelete             // removes objects
	kinds
)

// Stats is what was asked of a store since a bucket was opened, by this process and through that bucket alone.
type Stats struct {
	Requests [kinds]int64 `json:"requests"` // by Kind, those that failed included
	Retries  int64        `json:"retries"`  // requests among them that repeat a failed one
	Sent     int64        `json:"sent"`     // bytes of objects
	Received int64        `json:"received"` // likewise
}

// Metered is implemented by buckets that know their Stats: those of clouds, and what [Count] returns.
type Metered interface{ Stats() Stats }

// StatsOf returns the Stats of a bucket, or of the one that it wraps. It is false where none of them knows.
func StatsOf(b Bucket) (Stats, bool) {
	for {
		if m, ok := b.(Metered); ok {
			return m.Stats(), true
		}
		w, ok := b.(interface{ Unwrap() Bucket })
		if !ok {
			return Stats{}, false
		}
		b = w.Unwrap()
	}
}

// Add returns s and other together.
func (s Stats) Add(other Stats) Stats {
	for k := range s.Requests {
		s.Requests[k] += other.Requests[k]
	}
	s.Retries += other.Retries
	s.Sent += other.Sent
	s.Received += other.Received
	return s
}

// Sub returns what came to s since it was before.
func (s Stats) Sub(before Stats) Stats {
	for k := range s.Requests {
		s.Requests[k] -= before.Requests[k]
	}
	s.Retries -= before.Retries
	s.Sent -= before.Sent
	s.Received -= before.Received
	return s
}

// Meter counts what a driver asks of its store. The zero value is ready. It is safe for concurrent use.
type Meter struct {
	requests               [kinds]atomic.Int64
	retries, sent, receive atomic.Int64
}

// Stats implements [Metered].
func (m *Meter) Stats() Stats {
	s := Stats{Retries: m.retries.Load(), Sent: m.sent.Load(), Received: m.receive.Load()}
	for k := range m.requests {
		s.Requests[k] = m.requests[k].Load()
	}
	return s
}

// Request counts a request.
func (m *Meter) Request(k Kind) { m.requests[k].Add(1) }

// Retry notes that a request repeats a failed one.
func (m *Meter) Retry() { m.retries.Add(1) }

// Sending returns a reader of r whose bytes count as sent. It is a Seeker where r is.
func (m *Meter) Sending(r io.Reader) io.Reader {
	metered := &meteredReader{r, &m.sent}
	if seeker, ok := r.(io.Seeker); ok {
		return struct {
			io.Reader
			io.Seeker
		}{metered, seeker}
	}
	return metered
}

// Sent counts bytes that were sent.
func (m *Meter) Sent(n int64) { m.sent.Add(n) }

// Received counts bytes that were received.
func (m *Meter) Received(n int64) { m.receive.Add(n) }

// Receiving returns a reader of r whose bytes count as received.
func (m *Meter) Receiving(r io.ReadCloser) io.ReadCloser {
	return &meteredBody{meteredReader{r, &m.receive}, r}
}

type meteredReader struct {
	r io.Reader
	n *atomic.Int64
}

func (m *meteredReader) Read(p []byte) (int, error) {
	n, err := m.r.Read(p)
	m.n.Add(int64(n))
	return n, err
}

type meteredBody struct {
	meteredReader
	io.Closer
}
