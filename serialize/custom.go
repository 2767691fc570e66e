package serialize

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/vmihailenco/msgpack/v5"
)

// custom tells which encoding of its own a type brings. A pair of methods counts only where both halves are there: a type
// that only prints itself with MarshalText is encoded by what it is.
type custom uint8

const (
	customNone   custom = iota
	customHalf          // msgpack methods in one direction only
	customNative        // EncodeMsgpack or MarshalMsgpack, with a counterpart
	customBinary
	customText
)

func (k custom) any() bool { return k != customNone }

// pairs lists the methods that make a pair, first to last: the ways to write, and the ways to read.
var pairs = []struct {
	kind          custom
	writes, reads []reflect.Type
}{
	{
		customNative,
		[]reflect.Type{reflect.TypeFor[msgpack.CustomEncoder](), reflect.TypeFor[msgpack.Marshaler]()},
		[]reflect.Type{reflect.TypeFor[msgpack.CustomDecoder](), reflect.TypeFor[msgpack.Unmarshaler]()},
	},
	{
		customBinary,
		[]reflect.Type{reflect.TypeFor[encoding.BinaryMarshaler]()},
		[]reflect.Type{reflect.TypeFor[encoding.BinaryUnmarshaler]()},
	},
	{
		customText,
		[]reflect.Type{reflect.TypeFor[encoding.TextMarshaler]()},
		[]reflect.Type{reflect.TypeFor[encoding.TextUnmarshaler]()},
	},
}

func customOf(t reflect.Type) custom {
	if t.Kind() == reflect.Pointer || t.Kind() == reflect.Interface {
		return customNone
	}
	p := reflect.PointerTo(t) // has the methods of t too
	for _, pair := range pairs {
		writes, reads := slices.ContainsFunc(pair.writes, p.Implements), slices.ContainsFunc(pair.reads, p.Implements)
		switch {
		case writes && reads:
			return pair.kind
		case pair.kind == customNative && (writes || reads):
			return customHalf
		}
	}
	return customNone
}

// fillCustom plans a type that brings its own encoding, and returns false for any other.
func (b *planner) fillCustom(p *plan) bool {
	kind := customOf(p.typ)
	if kind == customNone {
		return false
	}
	p.custom = true
	if f, ok := promoter(p.typ, kind); ok {
		p.refuse("%s takes its encoding from the embedded %s, which would drop its other fields: give the embedded field a name", p.typ, f.Type)
		return true
	}
	switch kind {
	case customHalf:
		p.refuse("%s has msgpack methods in one direction only: it needs EncodeMsgpack and DecodeMsgpack", p.typ)
	case customNative:
		p.enc, p.dec = unlessNil(p.typ, encodeNative), decodeNative
	case customBinary:
		p.enc, p.dec = unlessNil(p.typ, encodeBinary), decodeBinary
	case customText:
		p.enc, p.dec = unlessNil(p.typ, encodeText), decodeText
	}
	return true
}

// promoter returns the embedded field that t seems to have inherited its encoding from, or one of two that each bring a
// half of it, where t has more fields than one. Such methods know nothing of the other fields, and those would be lost
// without a word.
func promoter(t reflect.Type, kind custom) (reflect.StructField, bool) {
	if t.Kind() != reflect.Struct || t.NumField() == 1 {
		return reflect.StructField{}, false
	}
	for _, pair := range pairs {
		writes, reads := false, false
		for i := range t.NumField() {
			f := t.Field(i)
			if pair.kind != kind || !f.Anonymous {
				continue
			}
			inner := f.Type
			if inner.Kind() != reflect.Pointer && inner.Kind() != reflect.Interface {
				inner = reflect.PointerTo(inner)
			}
			writes = writes || slices.ContainsFunc(pair.writes, inner.Implements)
			reads = reads || slices.ContainsFunc(pair.reads, inner.Implements)
			if writes && reads {
				return f, true
			}
		}
	}
	return reflect.StructField{}, false
}

// unlessNil writes nil for a nil slice or map without asking its methods.
func unlessNil(t reflect.Type, enc encodeFunc) encodeFunc {
	switch t.Kind() {
	case reflect.Slice, reflect.Map, reflect.Func, reflect.Chan:
		return func(c *Coder, v reflect.Value) error {
			if v.IsNil() {
				c.out.b = append(c.out.b, codeNil)
				return nil
			}
			return enc(c, v)
		}
	}
	return enc
}

func encodeBinary(c *Coder, v reflect.Value) error {
	b, err := v.Addr().Interface().(encoding.BinaryMarshaler).MarshalBinary()
	if err == nil {
		c.out.b, err = appendBytes(c.out.b, b)
	}
	return err
}

func decodeBinary(c *Coder, v reflect.Value) error {
	b, err := c.text(v.Type())
	if err != nil {
		return err
	}
	return v.Addr().Interface().(encoding.BinaryUnmarshaler).UnmarshalBinary(bytes.Clone(b))
}

func encodeText(c *Coder, v reflect.Value) error {
	b, err := v.Addr().Interface().(encoding.TextMarshaler).MarshalText()
	if err == nil {
		c.out.b, err = appendBytes(c.out.b, b)
	}
	return err
}

func decodeText(c *Coder, v reflect.Value) error {
	b, err := c.text(v.Type())
	if err != nil {
		return err
	}
	return v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText(bytes.Clone(b))
}

// encodeNative has a type write itself, and checks what it wrote: one method that writes an array one element short would
// otherwise spoil everything after it.
func encodeNative(c *Coder, v reflect.Value) error {
	start := len(c.out.b)
	var err error
	switch m := v.Addr().Interface().(type) {
	case msgpack.CustomEncoder:
		err = m.EncodeMsgpack(c.encoder())
	case msgpack.Marshaler:
		var b []byte
		b, err = m.MarshalMsgpack()
		c.out.b = append(c.out.b, b...)
	}
	if err != nil {
		return err
	}
	written := c.out.b[start:]
	n, err := c.checker.count(written, c.depth)
	switch {
	case err != nil:
		return fmt.Errorf("%s wrote what is not msgpack: %w", v.Type(), err)
	case n == 0:
		return fmt.Errorf("%s wrote nothing: write nil at least", v.Type())
	case n == 1 && !isMulti(written):
		return nil
	case c.dynamic > 0:
		return fmt.Errorf("%s writes several values, which cannot be told apart inside an interface: write an array", v.Type())
	}
	// Several values, as EncodeMulti writes them, are held together by an extension. So is such an extension, which a type
	// that carries encoded values may write: the decoder takes one off.
	head, err := appendExtHead(make([]byte, 0, 8), extMulti, len(written))
	if err != nil {
		return err
	}
	c.out.b = append(c.out.b, head...)
	copy(c.out.b[start+len(head):], written)
	copy(c.out.b[start:], head)
	return nil
}

func decodeNative(c *Coder, v reflect.Value) error {
	n, err := c.checker.value(c.in[c.pos:], c.depth)
	if err != nil {
		return err
	}
	body := c.in[c.pos : c.pos+n]
	c.pos += n
	if isMulti(body) {
		t, _ := scan(body)
		body = body[t.size:]
		if _, err := c.checker.count(body, c.depth); err != nil {
			return err
		}
	}
	switch m := v.Addr().Interface().(type) {
	case msgpack.CustomDecoder:
		if err := m.DecodeMsgpack(c.decoder(body)); err != nil {
			return err
		}
		if c.src.pos != len(body) {
			return errors.New("its DecodeMsgpack did not read all that was written")
		}
		return nil
	case msgpack.Unmarshaler:
		return m.UnmarshalMsgpack(bytes.Clone(body))
	}
	return nil
}

// isMulti tells whether data, which has been checked, begins with an extension of several values.
func isMulti(data []byte) bool {
	t, _ := scan(data)
	return t.form == formExt && t.ext == extMulti
}
