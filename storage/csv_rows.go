package storage

import (
	"bytes"
	"io"
	"math"
)

// rowRange reads the bytes of the rows that begin in a split: from the first row's beginning to that of the first row
// behind the split. Both are found alike, so that the ranges of an object's splits lie side by side.
type rowRange struct {
	f     *feed
	begin int64  // of the first row
	data  []byte // what is not yet used of the feed's buffer
	stop  border
	over  bool // there is nothing behind data
}

// rows finds the first row of the split. The caller closes the feed.
func (in *input) rows(single bool) (*rowRange, error) {
	off, end := in.s.Off, in.end()
	stop := border{at: end, single: single}
	if in.s.Compression != "" || end == in.s.Size { // all that is left
		stop = border{at: math.MaxInt64, single: true}
	}
	start := border{at: off, pos: max(off-1, 0), single: single}
	if off > 0 && !single {
		odd, err := in.inQuotes()
		if err != nil {
			return nil, err
		}
		start.odd = odd
	}
	r := &rowRange{f: in.feed(start.pos, end-start.pos+slack, in.s.Size), stop: stop}
	if err := r.find(&start, end); err != nil {
		r.f.close()
		return nil, err
	}
	return r, nil
}

// inQuotes tells whether the split begins inside quotes.
func (in *input) inQuotes() (bool, error) {
	if in.s.Quotes != QuotesUnknown {
		return in.s.Quotes == QuotesOdd, nil
	}
	n, err := in.count('"', 0, in.s.Off)
	return n%2 == 1, err
}

// find goes to the first row. It does not look for it much beyond the end.
func (r *rowRange) find(start *border, end int64) error {
	for start.at > 0 {
		data, err := r.f.next()
		if err == io.EOF { // a wrapped io.EOF is a lost connection
			r.over = true
			return nil
		}
		if err != nil {
			return err
		}
		if start.pos < start.at && !start.single && data[0] == '"' {
			start.odd = !start.odd // the byte before the split, and start.odd was of the split
		}
		n, found := start.find(data)
		if found {
			r.data = data[n:]
			break
		}
		if start.pos >= end {
			r.over = true
			return nil
		}
	}
	r.begin, r.stop.pos = start.pos, start.pos
	if r.begin >= end {
		r.data, r.over = nil, true
		return nil
	}
	r.cut()
	return nil
}

// cut ends data at the border, when it is reached.
func (r *rowRange) cut() {
	var n int
	n, r.over = r.stop.find(r.data)
	r.data = r.data[:n]
}

func (r *rowRange) Read(p []byte) (int, error) {
	for len(r.data) == 0 {
		if r.over {
			return 0, io.EOF
		}
		var err error
		if r.data, err = r.f.next(); err != nil {
			return 0, err
		}
		r.cut()
	}
	n := copy(p, r.data)
	r.data = r.data[n:]
	return n, nil
}

// border finds the first row that begins at a position or later: at the object's first byte, or behind a newline that
// has an even number of quotes before it.
type border struct {
	at     int64
	pos    int64 // of the next byte
	odd    bool  // the quotes before pos are odd in number
	single bool  // all newlines end a row
}

// find goes through the object's next bytes. It returns how many of them lie before the row, and whether it was found.
func (b *border) find(data []byte) (n int, found bool) {
	if before := b.at - 1 - b.pos; before > 0 { // of the newlines there none counts
		b.pass(data[:min(before, int64(len(data)))])
		n = int(min(before, int64(len(data))))
	}
	for n < len(data) {
		i := bytes.IndexByte(data[n:], '\n')
		if i < 0 {
			b.pass(data[n:])
			break
		}
		b.pass(data[n : n+i+1])
		n += i + 1
		if !b.odd {
			return n, true
		}
	}
	return len(data), false
}

func (b *border) pass(data []byte) {
	b.pos += int64(len(data))
	if !b.single && bytes.Count(data, []byte{'"'})%2 == 1 {
		b.odd = !b.odd
	}
}
