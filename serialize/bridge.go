package serialize

import (
	"errors"
	"io"
	"runtime"

	"github.com/vmihailenco/msgpack/v5"
)

// The Coder lends itself to types with an EncodeMsgpack or DecodeMsgpack method through msgpack's own Encoder and
// Decoder, which write to a sink and read from a source.

// encoder returns an Encoder that appends to c.out.
func (c *Coder) encoder() *msgpack.Encoder {
	if c.enc == nil {
		c.enc = msgpack.NewEncoder(&c.out)
	}
	c.enc.Reset(&c.out) // a type may have set flags
	c.enc.SetSortMapKeys(true)
	return c.enc
}

// decoder returns a Decoder that reads data.
func (c *Coder) decoder(data []byte) *msgpack.Decoder {
	if c.dec == nil {
		c.dec = msgpack.NewDecoder(&c.src)
	}
	c.src = source{data: data}
	c.dec.Reset(&c.src)
	return c.dec
}

const (
	watchEvery = 16 << 10 // bytes
	maxFrames  = 20_000   // far above what maxDepth levels take
)

// sink collects what is written, and looks at the depth of the stack now and then: a type whose EncodeMsgpack follows a
// cycle is stopped by an error before the stack overflows, which no program survives.
type sink struct {
	b       []byte
	watched int // bytes since the last look
}

func (s *sink) Write(p []byte) (int, error) {
	s.b = append(s.b, p...)
	return len(p), s.watch(len(p))
}

func (s *sink) WriteByte(b byte) error {
	s.b = append(s.b, b)
	return s.watch(1)
}

func (s *sink) watch(n int) error {
	if s.watched += n; s.watched < watchEvery {
		return nil
	}
	s.watched = 0
	var frame [1]uintptr
	if runtime.Callers(maxFrames, frame[:]) > 0 {
		return errDepth
	}
	return nil
}

// source reads from bytes.
type source struct {
	data []byte
	pos  int
}

func (s *source) Read(p []byte) (int, error) {
	if s.pos == len(s.data) && len(p) > 0 {
		return 0, io.EOF
	}
	n := copy(p, s.data[s.pos:])
	s.pos += n
	return n, nil
}

func (s *source) ReadByte() (byte, error) {
	if s.pos == len(s.data) {
		return 0, io.EOF
	}
	s.pos++
	return s.data[s.pos-1], nil
}

func (s *source) UnreadByte() error {
	if s.pos == 0 {
		return errors.New("nothing to unread")
	}
	s.pos--
	return nil
}
