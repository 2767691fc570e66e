package storage

import (
	"bytes"
	"errors"
	"io"
)

// cutter cuts what a feed hands out at each separator. A record that lies in one buffer is not copied.
type cutter struct {
	f     *feed
	sep   []byte
	begin int64  // where the next record begins
	data  []byte // the feed's buffer
	at    int    // where in it the next record begins, or goes on
	carry []byte // what came before data, where a record does not lie in one buffer
	open  bool   // the last record was ended by the end of the object and not by a separator
	most  int64  // how long a record can be; 0 is any
}

// errLongLine ends a record for want of a separator, and not of memory.
var errLongLine = errors.New("the line is longer than 64 MiB")

// next returns the record that begins at begin, which is valid until the next call, or io.EOF at the end of the object. What is
// too long does not depend on the buffers.
func (c *cutter) next() ([]byte, error) {
	record, err := c.record()
	if c.most > 0 && int64(len(record)) > c.most {
		return nil, errLongLine
	}
	return record, err
}

func (c *cutter) record() ([]byte, error) {
	if i := c.find(); i >= 0 {
		record := c.data[c.at : c.at+i : c.at+i]
		c.use(i + len(c.sep))
		return record, nil
	}
	return c.across(-1)
}

// skip goes to the first record that begins at off or later, but before end. It is io.EOF where there is none: it does
// not look for one much beyond end.
func (c *cutter) skip(off, end int64) error {
	for c.begin < off {
		if i := c.find(); i >= 0 {
			c.use(i + len(c.sep))
			continue
		}
		if _, err := c.across(end); err != nil {
			return err
		}
	}
	return nil
}

// find returns how far the next separator is, or -1 where it is not in data.
func (c *cutter) find() int {
	if len(c.sep) == 1 {
		return bytes.IndexByte(c.data[c.at:], c.sep[0])
	}
	return bytes.Index(c.data[c.at:], c.sep)
}

// use moves on. It writes no pointer, which the garbage collector would look at for each record.
func (c *cutter) use(n int) {
	c.at += n
	c.begin += int64(n)
}

// across returns the record that is not yet ended by the separators in data. Where limit is not negative it drops the
// record, and stops with io.EOF when it has read that far.
func (c *cutter) across(limit int64) ([]byte, error) {
	c.carry = append(c.carry[:0], c.data[c.at:]...)
	c.data, c.at = nil, 0
	for {
		if limit >= 0 {
			if drop := len(c.carry) - len(c.sep) + 1; drop > 0 { // what is left may begin a separator
				c.carry = append(c.carry[:0], c.carry[drop:]...)
				c.begin += int64(drop)
			}
			if c.begin+int64(len(c.carry)) >= limit {
				return nil, io.EOF
			}
		}
		if c.most > 0 && limit < 0 && int64(len(c.carry)) > c.most {
			return nil, errLongLine // before there is more of it
		}
		data, err := c.f.next()
		if err == io.EOF && len(c.carry) > 0 && limit < 0 { // a wrapped io.EOF is a lost connection
			c.begin += int64(len(c.carry))
			c.open = true
			return c.carry, nil
		}
		if err != nil {
			return nil, err
		}
		if n, used := c.end(data); n >= 0 {
			c.begin += int64(n + len(c.sep))
			c.data, c.at = data, used
			return c.carry[:n:n], nil
		}
		c.carry = append(c.carry, data...)
	}
}

// end looks for the first separator that ends in data. It returns the length of the record, which is then in carry, and
// how much of data is used up; or -1.
func (c *cutter) end(data []byte) (n, used int) {
	before, over := len(c.carry), len(c.sep)-1
	from := max(0, before-over)
	c.carry = append(c.carry, data[:min(over, len(data))]...)
	if i := bytes.Index(c.carry[from:], c.sep); i >= 0 {
		return from + i, from + i + len(c.sep) - before
	}
	c.carry = c.carry[:before]
	i := bytes.Index(data, c.sep)
	if i < 0 {
		return -1, 0
	}
	c.carry = append(c.carry, data[:i]...)
	return before + i, i + len(c.sep)
}
