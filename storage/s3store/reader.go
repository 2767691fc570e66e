package s3store

import (
	"context"
	"fmt"
	"io"
	"io/fs"

	"github.com/gowren/gowren/storage"
)

// reader reads a range of an object, through as many requests as it takes. Some are ahead of what is read, as far as
// memory goes; they are read in order. It is not for several goroutines.
type reader struct {
	b    *bucket
	ctx  context.Context
	stop context.CancelFunc
	key  string
	etag string

	off, end int64 // of what has not been asked for yet
	now      *answer
	at       int64 // bytes of now that were read
	queue    []*pending
	depth    int // how many may be ahead
	sum      *wholeSum
	err      error
}

// pending is a range that was asked for.
type pending struct {
	done   chan struct{}
	answer answer
	err    error
}

// begin starts with the first answer. The range is n bytes, as far as the object has them.
func (r *reader) begin(first *answer, total, n int64) {
	r.now, r.etag, r.depth = first, first.etag, 1
	r.end = total
	if n >= 0 && n < total-r.off {
		r.end = r.off + n
	}
	first.shorten(r.end - r.off)
	whole := r.off == 0 && r.end == total
	r.off += first.size
	if r.off >= r.end {
		return
	}
	r.ctx, r.stop = context.WithCancel(r.ctx)
	if whole {
		r.sum = newWholeSum()
	}
}

// ETag is that of the version that is read.
func (r *reader) ETag() string { return r.etag }

func (r *reader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for r.err == nil {
		if r.now == nil {
			r.err = r.next()
			continue
		}
		r.ask()
		n, err := r.readNow(p)
		if n == 0 && err == nil {
			continue
		}
		return n, err
	}
	return 0, r.err
}

// readNow reads of the answer at hand, and puts it away at its end.
func (r *reader) readNow(p []byte) (n int, err error) {
	if r.now.data != nil {
		if err := r.ctx.Err(); err != nil {
			r.err = r.b.fail(r.ctx, "get", r.key, err)
			return 0, r.err
		}
		n = copy(p, r.now.data[r.at:])
		r.at += int64(n)
		if r.at == int64(len(r.now.data)) {
			r.drop()
		}
	} else {
		if r.now.cut {
			p = p[:min(int64(len(p)), r.now.size-r.at)]
		}
		n, err = r.now.body.Read(p)
		r.at += int64(n)
		if err == nil && r.now.cut && r.at == r.now.size {
			err = io.EOF // otherwise the body's own end has to be met: there checksums are compared
		}
		if err == io.EOF && r.at < r.now.size {
			err = io.ErrUnexpectedEOF
		}
		if err == io.EOF {
			r.drop()
			err = nil
		} else if err != nil {
			r.err = r.b.fail(r.ctx, "get", r.key, damage(err))
			err = r.err
		}
	}
	if r.sum != nil {
		r.sum.write(p[:n])
	}
	return n, err
}

// drop puts away the answer that was read. From here on the reader is taken for one that wants all.
func (r *reader) drop() {
	r.now.close()
	r.now, r.at, r.depth = nil, 0, ahead-1
}

// ask asks for what comes next, as long as there is memory for it.
func (r *reader) ask() {
	for r.off < r.end && len(r.queue) < r.depth {
		buf := trySpare()
		if buf == nil {
			return
		}
		r.start(buf)
	}
}

// start asks for one range, into buf if there is one.
func (r *reader) start(buf *[]byte) {
	if r.sum != nil {
		r.sum.ask(r)
	}
	off, n := r.off, min(partSize, r.end-r.off)
	r.off += n
	q := &pending{done: make(chan struct{}), answer: answer{space: space{buf: buf}}}
	r.queue = append(r.queue, q)
	go func() {
		defer close(q.done)
		_, q.err = r.b.getRange(r.ctx, r.key, r.etag, off, n, &q.answer)
		if a := &q.answer; q.err == nil && a.size != n { // the first answer promised more
			q.err = fmt.Errorf("%w: the object has become shorter, %d of %d bytes from %d on", storage.ErrChanged, a.size, n, off)
			a.close()
		}
	}()
}

// next waits for the next answer. At the end of all it compares checksums, and returns io.EOF.
func (r *reader) next() error {
	if r.off >= r.end && len(r.queue) == 0 {
		if r.sum != nil {
			if err := r.sum.check(r); err != nil {
				return r.b.fail(r.ctx, "get", r.key, err)
			}
		}
		return io.EOF
	}
	if len(r.queue) == 0 {
		r.start(nil) // without memory: its body is read as it comes
	}
	q := r.queue[0]
	<-q.done
	if q.err != nil {
		return r.b.fail(r.ctx, "get", r.key, q.err)
	}
	r.queue, r.now = r.queue[1:], &q.answer
	return nil
}

// Close ends what is on the way and gives back the memory. It returns when nothing of it is left.
func (r *reader) Close() error {
	if r.stop != nil {
		r.stop()
	}
	for _, q := range r.queue {
		<-q.done
		q.answer.close()
	}
	r.queue = nil
	if r.sum != nil {
		r.sum.wait()
	}
	if r.now != nil {
		r.now.close()
		r.now = nil
	}
	if r.err == nil {
		r.err = fs.ErrClosed
	}
	return nil
}
