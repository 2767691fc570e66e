package serialize

import (
	"fmt"
	"reflect"
	"unsafe"
)

// appendNumeric appends memory, that of a slice of e that is not nil, as an extension.
func appendNumeric(dst, memory []byte, e element) ([]byte, error) {
	dst = growFor(dst, len(memory))
	dst, err := appendExtHead(dst, extSlice, 1+len(memory))
	if err != nil {
		return dst, err
	}
	return appendRaw(append(dst, byte(e)), memory, e.word(), nativeIsLittle), nil
}

// numericPayload splits an extension that holds numbers into their kind and their bytes.
func numericPayload(payload []byte) (element, []byte, error) {
	if len(payload) == 0 || !element(payload[0]).valid() {
		return 0, nil, fmt.Errorf("unknown kind of numbers in an extension of %d bytes", len(payload))
	}
	e := element(payload[0])
	if (len(payload)-1)%e.size() != 0 {
		return 0, nil, fmt.Errorf("%d bytes are no whole number of %s", len(payload)-1, e.name())
	}
	return e, payload[1:], nil
}

// scalarPayload is numericPayload for exactly one number.
func scalarPayload(payload []byte) (number, element, error) {
	e, payload, err := numericPayload(payload)
	if err != nil {
		return number{}, 0, err
	}
	if len(payload) != e.size() {
		return number{}, 0, fmt.Errorf("%d bytes where one %s was due", len(payload), e.name())
	}
	return e.load(payload, 0), e, nil
}

// numericPlan is for slices whose elements are numbers without an encoding of their own.
func numericPlan(t reflect.Type, e element) (encodeFunc, decodeFunc) {
	enc := func(c *Coder, v reflect.Value) (err error) {
		switch {
		case v.IsNil():
			c.out.b = append(c.out.b, codeNil)
		case e.isRaw():
			memory := unsafe.Slice((*byte)(v.UnsafePointer()), v.Len()*e.size())
			c.out.b, err = appendNumeric(c.out.b, memory, e)
		default:
			wide := make([]uint64, v.Len())
			for i := range wide {
				if e == elemInt {
					wide[i] = uint64(v.Index(i).Int())
				} else {
					wide[i] = v.Index(i).Uint()
				}
			}
			c.out.b, err = appendNumeric(c.out.b, bytesOf(wide), e)
		}
		return err
	}
	dec := func(c *Coder, v reflect.Value) error {
		tok, err := c.head()
		if err != nil {
			return err
		}
		switch {
		case tok.form == formArray:
			return c.decodeNumbers(v, t, tok.n)
		case tok.form == formExt && tok.ext == extSlice:
			from, payload, err := numericPayload(c.payload(tok))
			if err != nil {
				return err
			}
			return storeNumbers(v, t, e, from, payload)
		}
		return mismatch(tok, t)
	}
	return enc, dec
}

// storeNumbers sets v, a slice of e, to a payload of elements of from: in one copy where the two agree.
func storeNumbers(v reflect.Value, t reflect.Type, e, from element, payload []byte) error {
	n := len(payload) / from.size()
	if from == e && e.isRaw() && n > 0 {
		v.Set(reflect.SliceAt(t.Elem(), memoryOf(payload, e.word()), n))
		return nil
	}
	s := reflect.MakeSlice(t, n, n)
	for i := range n {
		if err := from.load(payload, i).store(s.Index(i)); err != nil {
			return fmt.Errorf("element %d: %w", i, err)
		}
	}
	v.Set(s)
	return nil
}

// decodeNumbers reads a plain msgpack array, as another encoder writes numbers.
func (c *Coder) decodeNumbers(v reflect.Value, t reflect.Type, n int) error {
	s := reflect.MakeSlice(t, n, n)
	for i := range n {
		if err := c.decodeNumber(s.Index(i)); err != nil {
			return fmt.Errorf("element %d: %w", i, err)
		}
	}
	v.Set(s)
	return nil
}

// decodeNumber reads one number in any of its forms. Nil is zero.
func (c *Coder) decodeNumber(v reflect.Value) error {
	tok, err := c.head()
	if err != nil {
		return err
	}
	if n, ok := numberOf(tok); ok {
		return n.store(v)
	}
	switch {
	case tok.form == formNil:
		v.SetZero()
		return nil
	case tok.form == formExt && tok.ext == extScalar:
		n, from, err := scalarPayload(c.payload(tok))
		if err != nil {
			return err
		}
		if from == elementOf(v.Kind()) && from.isRaw() && nativeIsLittle {
			copy(scalarMemory(v, from), c.in[c.pos-from.size():c.pos]) // keeps the bits of a NaN
			return nil
		}
		return n.store(v)
	}
	return mismatch(tok, v.Type())
}
