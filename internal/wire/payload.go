package wire

import (
	"encoding/binary"
	"fmt"
	"math"
)

func appendBytes[T ~string | ~[]byte](dst []byte, s T) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(s)))
	return append(dst, s...)
}

// cursor reads a payload's fields. After its first error it yields zero values; nothing is allocated before the bytes
// for it were seen.
type cursor struct {
	data []byte
	err  error
}

func (c *cursor) fail(what string) {
	if c.err == nil {
		c.err = fmt.Errorf("wire: a payload with a bad %s: %w", what, ErrCorrupt)
	}
	c.data = nil
}

func (c *cursor) uint(what string) uint64 {
	if len(c.data) > 0 && c.data[0] < 0x80 { // one byte: by far the most
		v := c.data[0]
		c.data = c.data[1:]
		return uint64(v)
	}
	v, n := binary.Uvarint(c.data)
	if n <= 0 {
		c.fail(what)
		return 0
	}
	c.data = c.data[n:]
	return v
}

// size reads a number that fits an int64, and twice it too: an offset and a size can be added.
func (c *cursor) size(what string) int64 {
	v := c.uint(what)
	if v >= 1<<62 {
		c.fail(what)
		return 0
	}
	return int64(v)
}

// int reads a number that fits an int, here and on a machine of 32 bits.
func (c *cursor) int(what string) int {
	v := c.size(what)
	if v > math.MaxInt {
		c.fail(what)
		return 0
	}
	return int(v)
}

// sum reads a checksum.
func (c *cursor) sum() uint32 {
	v := c.uint("checksum")
	if v > math.MaxUint32 {
		c.fail("checksum")
		return 0
	}
	return uint32(v)
}

func (c *cursor) take(n int64, what string) []byte {
	if n > int64(len(c.data)) {
		c.fail(what)
		return nil
	}
	b := c.data[:n:n]
	c.data = c.data[n:]
	return b
}

func (c *cursor) bytes(what string) []byte { return c.take(c.size(what), what) }
func (c *cursor) string(what string) string {
	return string(c.bytes(what))
}

func (c *cursor) byte(what string) byte {
	b := c.take(1, what)
	if b == nil {
		return 0
	}
	return b[0]
}
