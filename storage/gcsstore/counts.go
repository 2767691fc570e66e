package gcsstore

import (
	"io"
	"sync/atomic"
)

// kind is what a request is for, which is also what it costs.
type kind int

const (
	kindGet    kind = iota
	kindHead        // asks for metadata
	kindPut         // stores an object, or begins an upload in parts
	kindPart        // of an upload
	kindList        // a page
	kindDelete      // of one object
	kinds
)

// counters are the numbers behind [Counts].
type counters struct {
	requests          [kinds]atomic.Int64
	retries, up, down atomic.Int64
}

// Counts are numbers of requests since the bucket was opened, those that failed included.
type Counts struct {
	Gets, Heads, Puts, Parts, Lists, Deletes int64

	Retries            int64 // requests that the SDK sent again; they are among those above
	BytesUp, BytesDown int64 // of bodies
}

// Counts returns the numbers so far.
func (b *Bucket) Counts() Counts {
	n := func(k kind) int64 { return b.counts.requests[k].Load() }
	return Counts{
		Gets: n(kindGet), Heads: n(kindHead), Puts: n(kindPut), Parts: n(kindPart), Lists: n(kindList), Deletes: n(kindDelete),
		Retries: b.counts.retries.Load(), BytesUp: b.counts.up.Load(), BytesDown: b.counts.down.Load(),
	}
}

// counting counts the bytes that are read of a body.
type counting struct {
	io.ReadCloser
	n *atomic.Int64
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.n.Add(int64(n))
	return n, err
}
