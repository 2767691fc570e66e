package azstore

import (
	"context"
	"io"
	"io/fs"
)

// ahead is how many parts of an object are read at the same time, beside the one that is given to the caller.
const ahead = 4

// reader gives the bytes of an object's parts in their order.
type reader struct {
	bucket *bucket
	key    string
	etag   string

	outer  context.Context // the caller's
	ctx    context.Context // ends with Close too
	cancel context.CancelFunc

	first     *part // whose head came with Get; nil once it is read
	asked     *span // what it answers
	next, end int64 // where the next part to be asked for begins; where the last one ends

	loading []<-chan loaded // the parts that are being read
	data    []byte          // the part that is given to the caller
	given   int             // of it
	err     error           // which ended the reading
}

// loaded is a part that was read.
type loaded struct {
	data []byte
	err  error
}

// Read implements [io.Reader]. It begins to read ahead when it is first called.
func (r *reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for r.err == nil && r.given == len(r.data) {
		done(r.data)
		r.data, r.given = nil, 0
		r.data, r.err = r.load()
	}
	if r.err == nil && r.outer.Err() != nil {
		r.err = r.bucket.fail(r.outer, "get", r.key, r.outer.Err())
	}
	if r.err != nil {
		return 0, r.err
	}
	n := copy(p, r.data[r.given:])
	r.given += n
	return n, nil
}

// load returns the next part, and asks for those that follow.
func (r *reader) load() ([]byte, error) {
	for len(r.loading) < ahead && r.next < r.end {
		off, n := r.next, min(rangeSize, r.end-r.next)
		r.next += n
		r.loading = append(r.loading, start(r.bucket.span(r.ctx, r.key, off, n, r.etag)))
	}
	var l loaded
	switch {
	case r.first != nil:
		l.data, l.err = r.asked.read(r.first)
		r.first = nil
	case len(r.loading) > 0:
		l = <-r.loading[0]
		r.loading = r.loading[1:]
	default:
		return nil, io.EOF
	}
	if l.err != nil {
		return nil, r.bucket.fail(r.outer, "get", r.key, l.err)
	}
	return l.data, nil
}

// start reads a span beside the caller.
func start(s *span) <-chan loaded {
	c := make(chan loaded, 1)
	go func() {
		data, err := s.read(nil)
		c <- loaded{data, err}
	}()
	return c
}

// Close ends what is under way, and returns when it has ended.
func (r *reader) Close() error {
	r.cancel()
	if r.first != nil {
		r.first.body.Close()
		r.first = nil
	}
	for _, c := range r.loading {
		l := <-c
		done(l.data)
	}
	r.loading = nil
	done(r.data)
	r.data, r.given = nil, 0
	if r.err == nil {
		r.err = r.bucket.fail(r.outer, "get", r.key, fs.ErrClosed)
	}
	return nil
}

// ETag implements [storage.Tagged].
func (r *reader) ETag() string { return r.etag }
