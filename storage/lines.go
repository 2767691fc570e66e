package storage

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"iter"
)

// Lines yields the lines that begin in the split, without the "\n" or "\r\n" that ends them. A line begins at the
// object's first byte and after each "\n", so that over all splits of an object, whatever their size, each line is
// yielded once. The last line of an object may lack its end. The slice is valid until the next step.
//
// It reads on past the split for the rest of the last line. Memory is a buffer of 256 KiB, which doubles until the
// longest line fits. An object that changed since it was split is [ErrChanged], where the store can tell. After an error
// nothing more is yielded. Reads that fail are tried again as [Retry] does.
func Lines(ctx context.Context, s Split) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		b, err := Open(ctx, s.URL)
		if err != nil {
			yield(nil, err)
			return
		}
		b = Retry(b, RetryPolicy{})
		defer b.Close()
		lines(ctx, b, s, 256<<10)(yield)
	}
}

// lines is Lines from an open bucket, with a buffer of size bytes to begin with.
func lines(ctx context.Context, b Bucket, s Split, size int) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		if s.Off < 0 || s.Len < 0 || s.Size < s.Off || s.Size-s.Off < s.Len {
			yield(nil, &Error{"get", s.URL, s.Key, fmt.Errorf("%w: the split is not in the object: %d bytes from %d on, of %d",
				fs.ErrInvalid, s.Len, s.Off, s.Size)})
			return
		}
		r := openAhead(ctx, b, s)
		defer r.close()
		size := min(int64(size), max(s.Size-r.pos, 1)) // no more than there is
		l := &liner{r: r, buf: make([]byte, size), pos: r.pos, end: s.Off + s.Len}
		if s.Off > 0 && !l.skip() {
			if l.err != nil && l.err != io.EOF { // a wrapped io.EOF is a lost connection
				yield(nil, l.err)
			}
			return
		}
		for l.pos < l.end {
			line, err := l.next()
			if err == io.EOF { // a wrapped io.EOF is a lost connection
				return
			}
			if !yield(line, err) || err != nil {
				return
			}
		}
	}
}

// liner cuts what it reads at each "\n".
type liner struct {
	r    io.Reader
	buf  []byte
	from int   // buf[from:to] is read and not yet used
	to   int   //
	pos  int64 // of buf[from] in the object
	end  int64 // of the split
	err  error // of the last read
}

// skip goes to the first line that begins in the split, of which the byte before is read as well. It is false where
// there is none: it does not look for one beyond the end.
func (l *liner) skip() bool {
	for l.pos < l.end-1 {
		if l.from == l.to && !l.fill() {
			return false
		}
		window := l.buf[l.from:min(int64(l.to), int64(l.from)+l.end-1-l.pos)]
		i := bytes.IndexByte(window, '\n')
		if i >= 0 {
			l.use(i + 1)
			return true
		}
		l.use(len(window))
	}
	return false
}

// next returns the line that begins at pos, or io.EOF at the end of the object.
func (l *liner) next() ([]byte, error) {
	for seen := 0; ; {
		if i := bytes.IndexByte(l.buf[l.from+seen:l.to], '\n'); i >= 0 {
			line := l.buf[l.from : l.from+seen+i]
			l.use(len(line) + 1)
			if n := len(line); n > 0 && line[n-1] == '\r' {
				line = line[:n-1]
			}
			return line, nil
		}
		seen = l.to - l.from
		if l.fill() {
			continue
		}
		if l.err == io.EOF && seen > 0 { // a wrapped io.EOF is a lost connection
			line := l.buf[l.from:l.to]
			l.use(seen)
			return line, nil
		}
		return nil, l.err
	}
}

func (l *liner) use(n int) {
	l.from += n
	l.pos += int64(n)
}

// fill reads more behind what is there, for which it makes room first. It is false where there is no more.
func (l *liner) fill() bool {
	if l.err != nil {
		return false
	}
	if l.from > 0 {
		copy(l.buf, l.buf[l.from:l.to])
		l.from, l.to = 0, l.to-l.from
	}
	if l.to == len(l.buf) {
		l.buf = append(l.buf, make([]byte, len(l.buf))...)
	}
	for tries := 0; tries < 100; tries++ {
		n, err := l.r.Read(l.buf[l.to:])
		l.to += n
		l.err = err
		if n > 0 {
			return true
		}
		if err != nil {
			return false
		}
	}
	l.err = io.ErrNoProgress
	return false
}
