package storage

import (
	"context"
	"fmt"
	"io"
	"runtime/debug"
)

// buffers is how many buffers of a feed are filled, or used, or wait.
const buffers = 4

// feed reads in the background, and hands out what it has read a buffer at a time.
type feed struct {
	ctx    context.Context // the caller's
	cancel context.CancelFunc
	full   chan filled   // has room for all that can be in it
	free   chan []byte   // as well
	more   chan struct{} // asks for another range
	done   chan struct{}
	cur    filled
	err    error
}

// filled is a buffer, and what came after its bytes: an error, or the end of a range.
type filled struct {
	data   []byte
	err    error
	paused bool
}

// feed begins to read at pos, with a Get of first bytes, and goes on to end. Of the further ranges each is read only when
// it is asked for. A compressed object is read from its beginning to its end. The caller closes the feed.
func (in *input) feed(pos, first, end int64) *feed {
	if in.s.Compression != "" {
		pos, first, end = 0, in.s.Size, in.s.Size
	}
	ctx, cancel := context.WithCancel(in.ctx)
	f := &feed{
		ctx: in.ctx, cancel: cancel,
		full: make(chan filled, buffers+1), free: make(chan []byte, buffers),
		more: make(chan struct{}, 1), done: make(chan struct{}),
	}
	go f.run(ctx, in, in.ranges(ctx, pos, first, end))
	return f
}

// run fills buffers until the end, an error, or the feed is closed. It waits for nothing but reads, free buffers and
// requests for more.
func (f *feed) run(ctx context.Context, in *input, a *ranges) {
	defer close(f.done)
	defer a.close()
	defer func() {
		if p := recover(); p != nil { // it would end the process, where the caller could handle it
			f.full <- filled{err: in.fail("read", fmt.Errorf("panic: %v\n%s", p, debug.Stack()))}
		}
	}()
	r, err := in.unpack(a)
	if err != nil {
		f.full <- filled{err: err}
		return
	}
	defer r.Close()
	size := in.buffer
	if in.s.Compression == "" {
		size = int(min(int64(size), a.end-a.pos)) // no more than there is
	}
	for made := 0; ; {
		var buf []byte
		select {
		case buf = <-f.free:
		default:
			if made < buffers {
				buf = make([]byte, max(size, 1))
				made++
				break
			}
			select {
			case buf = <-f.free:
			case <-ctx.Done():
				f.full <- filled{err: in.fail("get", ctx.Err())}
				return
			}
		}
		next := fill(r, a, buf)
		f.full <- next
		if next.err != nil {
			return
		}
		if next.paused {
			select {
			case <-f.more:
			case <-ctx.Done():
				f.full <- filled{err: in.fail("get", ctx.Err())}
				return
			}
		}
	}
}

// fill reads until the buffer is full or a range ends.
func fill(r io.Reader, a *ranges, buf []byte) filled {
	n, empty := 0, 0
	for n < len(buf) {
		k, err := r.Read(buf[n:])
		n += k
		if err != nil {
			return filled{buf[:n], err, false}
		}
		if a.paused() {
			return filled{buf[:n], nil, true}
		}
		if k > 0 {
			empty = 0
		} else if empty++; empty == 100 {
			return filled{buf[:n], a.in.fail("get", io.ErrNoProgress), false}
		}
	}
	return filled{buf, nil, false}
}

// next returns more bytes, which are valid until the next call, or io.EOF at the end, or what went wrong.
func (f *feed) next() ([]byte, error) {
	for f.err == nil {
		if err := f.ctx.Err(); err != nil {
			return nil, err
		}
		if f.cur.data != nil {
			f.free <- f.cur.data[:cap(f.cur.data)]
		}
		if f.cur.paused {
			f.more <- struct{}{}
		}
		f.cur = <-f.full
		f.err = f.cur.err
		if len(f.cur.data) > 0 {
			return f.cur.data, nil
		}
	}
	return nil, f.err
}

// close ends the reading, and waits for it.
func (f *feed) close() {
	f.cancel()
	<-f.done
}
