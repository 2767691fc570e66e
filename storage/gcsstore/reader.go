package gcsstore

import (
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"sync"

	"github.com/gowren/gowren/storage"
)

const (
	// maxAhead is how many parts of a large object are fetched while another one is read.
	maxAhead = 3
	// eager is which fraction of the first part is read before the next is asked for: many look at the beginning alone.
	eager = 8
)

// reader reads a range: the first part as it comes, and further ones from memory.
type reader struct {
	bucket *Bucket
	key    string
	ctx    context.Context
	cancel context.CancelFunc
	err    error // met before, by which it stays

	generation int64
	etag       string

	start, off, end int64 // of the range, and the next byte in it
	first           *part // nil once it was read
	data            []byte
	buffer          []byte // that data are in

	asked   int64 // the end of what was asked for
	pending []*fetch
	ahead   int // how long pending may be, which grows
	free    [][]byte
	running sync.WaitGroup

	whole     bool // the range is the object
	sum, want uint32
}

// fetch is a part on its way into memory.
type fetch struct {
	buffer []byte
	err    error
	done   chan struct{}
}

// Read implements [io.Reader].
func (r *reader) Read(p []byte) (int, error) {
	if r.err == nil && r.ctx.Err() != nil {
		r.err = r.bucket.fail("get", r.key, r.ctx.Err())
	}
	if r.err == nil && r.off == r.end {
		r.err = r.finish()
	}
	if r.err != nil || len(p) == 0 {
		return 0, r.err
	}
	n, err := r.read(p)
	if r.whole {
		r.sum = crc32.Update(r.sum, castagnoli, p[:n])
	}
	r.off += int64(n)
	if err != nil {
		r.err = r.bucket.fail("get", r.key, err)
	}
	return n, r.err
}

// read reads from the first part, or from what was fetched.
func (r *reader) read(p []byte) (int, error) {
	if r.first != nil {
		if r.off-r.start >= r.bucket.part/eager {
			r.fetchAhead()
		}
		n, err := r.first.Read(p)
		if err == nil && r.first.left == 0 {
			err = r.first.r.Close()
			r.first = nil
		}
		return n, err
	}
	if len(r.data) == 0 {
		if err := r.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, r.data)
	r.data = r.data[n:]
	return n, nil
}

// next waits for the part that follows.
func (r *reader) next() error {
	if r.buffer != nil {
		r.free = append(r.free, r.buffer[:cap(r.buffer)])
		r.buffer = nil
	}
	r.fetchAhead()
	f := r.pending[0]
	select {
	case <-f.done:
	case <-r.ctx.Done():
		return r.ctx.Err()
	}
	if f.err != nil {
		return f.err
	}
	r.data, r.buffer = f.buffer, f.buffer
	r.pending = r.pending[1:]
	r.ahead = min(r.ahead+1, maxAhead)
	r.fetchAhead()
	return nil
}

// fetchAhead asks for further parts, as many as there may be.
func (r *reader) fetchAhead() {
	for len(r.pending) < r.ahead && r.asked < r.end {
		n := min(r.bucket.part, r.end-r.asked)
		var buffer []byte
		if last := len(r.free) - 1; last >= 0 {
			buffer, r.free = r.free[last], r.free[:last]
		} else {
			buffer = make([]byte, n)
		}
		f := &fetch{buffer: buffer[:min(n, int64(len(buffer)))], done: make(chan struct{})}
		off := r.asked
		r.asked += int64(len(f.buffer))
		r.pending = append(r.pending, f)
		r.running.Go(func() {
			defer close(f.done)
			f.err = r.fetch(f.buffer, off)
		})
	}
}

// fetch fills the buffer from off on.
func (r *reader) fetch(buffer []byte, off int64) error {
	p, err := r.bucket.open(r.ctx, r.key, r.generation, off, int64(len(buffer)))
	if err != nil {
		return err
	}
	defer p.r.Close()
	if _, err := io.ReadFull(p, buffer); err != nil {
		return err
	}
	return nil
}

// finish compares the checksum at the end of a whole object.
func (r *reader) finish() error {
	if !r.whole {
		return io.EOF
	}
	want := r.want
	if want == 0 { // or the answer has none
		c := r.bucket.newCall(storage.KindStat)
		attrs, err := r.bucket.object(r.key, c).Generation(r.generation).Attrs(c.in(r.ctx))
		if err != nil {
			// It is final, or another Get would find nothing left to read, and take that for a good end.
			err = r.bucket.readError(r.ctx, c, err, true)
			return r.bucket.fail("get", r.key, fmt.Errorf("%w, or not: its CRC32C could not be asked for: %v", storage.ErrDamaged, err)) //nolint:errorlint // its class must not show
		}
		want = attrs.CRC32C
	}
	if r.sum != want {
		return r.bucket.fail("get", r.key, fmt.Errorf("%w: its CRC32C is %08x and should be %08x", storage.ErrDamaged, r.sum, want))
	}
	return io.EOF
}

// Close ends what is under way.
func (r *reader) Close() error {
	if r.err == nil {
		r.err = r.bucket.fail("get", r.key, fs.ErrClosed)
	}
	r.cancel()
	if r.first != nil {
		r.first.r.Close() //nolint:errcheck // it was only read, and its errors with it
		r.first = nil
	}
	r.running.Wait()
	r.data, r.buffer, r.free, r.pending = nil, nil, nil, nil
	return nil
}

// ETag is that of the generation being read.
func (r *reader) ETag() string { return r.etag }
