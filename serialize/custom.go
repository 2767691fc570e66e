package serialize

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"reflect"

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

func customOf(t reflect.Type) custom {
	if t.Kind() == reflect.Pointer || t.Kind() == reflect.Interface {
		return customNone
	}
	p := reflect.PointerTo(t) // has the methods of t too
	writes := p.Implements(reflect.TypeFor[msgpack.CustomEncoder]()) || p.Implements(reflect.TypeFor[msgpack.Marshaler]())
	reads := p.Implements(reflect.TypeFor[msgpack.CustomDecoder]()) || p.Implements(reflect.TypeFor[msgpack.Unmarshaler]())
	switch {
	case writes && reads:
		return customNative
	case writes || reads:
		return customHalf
	case p.Implements(reflect.TypeFor[encoding.BinaryMarshaler]()) && p.Implements(reflect.TypeFor[encoding.BinaryUnmarshaler]()):
		return customBinary
	case p.Implements(reflect.TypeFor[encoding.TextMarshaler]()) && p.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()):
		return customText
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

// promoter returns the embedded field whose methods t seems to have inherited, where t has more than that field. Such
// methods know nothing of the other fields, and those would be lost without a word.
func promoter(t reflect.Type, kind custom) (reflect.StructField, bool) {
	if t.Kind() != reflect.Struct {
		return reflect.StructField{}, false
	}
	for i := range t.NumField() {
		f := t.Field(i)
		inner := f.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		if f.Anonymous && customOf(inner) == kind && t.NumField() > 1 {
			return f, true
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
	case n == 1:
		return nil
	case c.dynamic > 0:
		return fmt.Errorf("%s writes %d values, which cannot be told apart inside an interface: write an array", v.Type(), n)
	}
	// Several values, as EncodeMulti writes them, are held together by an extension.
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
	if t, err := scan(body); err == nil && t.form == formExt && t.ext == extMulti {
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
