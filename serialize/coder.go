package serialize

import (
	"errors"
	"fmt"
	"reflect"
	"sync"

	"github.com/vmihailenco/msgpack/v5"
)

// Coder encodes and decodes values. It keeps its buffers between calls. It is not safe for concurrent use: give each
// goroutine one of its own. The zero value is ready.
type Coder struct {
	out sink   // what has been written
	in  []byte // what is being read
	pos int

	depth   int // arrays and maps around the current value
	links   int // pointers and interfaces on the way to it
	dynamic int // interfaces on the way to it, when writing

	checker checker
	enc     *msgpack.Encoder // for types with an EncodeMsgpack of their own
	dec     *msgpack.Decoder
	src     source
}

// NewCoder returns a Coder.
func NewCoder() *Coder { return new(Coder) }

var coders = sync.Pool{New: func() any { return new(Coder) }}

// Append appends the encoding of v to dst, or of what v points to where v is a pointer; a nil v is encoded as nil. To
// encode an x of any type, pass &x: then nothing is copied, and methods on x's pointer are seen. On an error it returns
// dst as it was.
func (c *Coder) Append(dst []byte, v any) ([]byte, error) {
	out, done, err := appendFast(dst, v)
	if !done {
		out, err = c.append(dst, v)
	}
	if err != nil {
		return dst, fmt.Errorf("serialize: encode %s: %w", typeName(v), err)
	}
	return out, nil
}

// Decode sets what v points to, which is first set to its zero value, to the value that data encodes. All of data must be
// that one value. The result shares no memory with data, nor with what v pointed to before. On an error it is the zero
// value.
func (c *Coder) Decode(data []byte, v any) error {
	done, err := decodeFast(data, v)
	if !done {
		err = c.decode(data, v)
	}
	if err != nil {
		return fmt.Errorf("serialize: decode %s: %w", typeName(v), err)
	}
	return nil
}

// Append is [Coder.Append] with a Coder from a pool. It is safe for concurrent use.
func Append(dst []byte, v any) ([]byte, error) {
	c := coders.Get().(*Coder)
	defer coders.Put(c)
	return c.Append(dst, v)
}

// Marshal returns the encoding of v, or of what v points to where v is a pointer. It is safe for concurrent use.
func Marshal(v any) ([]byte, error) { return Append(nil, v) }

// Unmarshal is [Coder.Decode] with a Coder from a pool. It is safe for concurrent use.
func Unmarshal(data []byte, v any) error {
	c := coders.Get().(*Coder)
	defer coders.Put(c)
	return c.Decode(data, v)
}

func (c *Coder) append(dst []byte, v any) (out []byte, err error) {
	defer c.release(&err)
	rv := reflect.ValueOf(v)
	switch {
	case !rv.IsValid(), rv.Kind() == reflect.Pointer && rv.IsNil():
		return append(dst, codeNil), nil
	case rv.Kind() == reflect.Pointer:
		rv = rv.Elem()
	default:
		rv = addressable(rv)
	}
	c.out.b = dst
	err = planOf(rv.Type()).enc(c, rv)
	return c.out.b, err
}

func (c *Coder) decode(data []byte, v any) (err error) {
	rv := reflect.ValueOf(v)
	if rv.Kind() != reflect.Pointer || rv.IsNil() {
		return errors.New("the destination must be a pointer that is not nil")
	}
	rv = rv.Elem()
	rv.SetZero()
	defer func() {
		if err != nil {
			rv.SetZero()
		}
	}()
	defer c.release(&err)
	n, err := c.checker.value(data, 0)
	if err != nil {
		return err
	}
	if n != len(data) {
		return errTrailing
	}
	c.in = data
	return planOf(rv.Type()).decode(c, rv)
}

// release makes c ready for its next call, and turns a panic into an error: a method of a user's type may panic on input
// it did not expect, and must not take the process with it.
func (c *Coder) release(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("panic: %v", r)
	}
	c.out.b, c.out.watched = nil, 0
	c.in, c.pos, c.src = nil, 0, source{}
	c.depth, c.links, c.dynamic = 0, 0, 0
}

// addressable returns v, or a copy of it that can be addressed.
func addressable(v reflect.Value) reflect.Value {
	if v.CanAddr() {
		return v
	}
	p := reflect.New(v.Type()).Elem()
	p.Set(v)
	return p
}

// head reads the head of the next value.
func (c *Coder) head() (token, error) {
	t, err := scan(c.in[c.pos:])
	c.pos += t.size
	return t, err
}

// payload reads the bytes that follow the head t. They are part of the input: copy what is kept.
func (c *Coder) payload(t token) []byte {
	b := c.in[c.pos : c.pos+t.n]
	c.pos += t.n
	return b
}

// enter counts a level of nesting, leave takes it back. On an error nobody needs the count any more.
func (c *Coder) enter() error {
	if c.depth++; c.depth > maxDepth {
		return errDepth
	}
	return nil
}

func (c *Coder) leave() { c.depth-- }

// follow counts a pointer or an interface, unfollow takes it back.
func (c *Coder) follow() error {
	if c.links++; c.links > maxLinks {
		return errDepth
	}
	return nil
}

func (c *Coder) unfollow() { c.links-- }
