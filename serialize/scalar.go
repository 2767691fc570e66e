package serialize

import (
	"math"
	"reflect"
)

func encodeBool(c *Coder, v reflect.Value) error {
	c.out.b = appendBool(c.out.b, v.Bool())
	return nil
}

func decodeBool(c *Coder, v reflect.Value) error {
	t, err := c.head()
	if err != nil {
		return err
	}
	if t.form != formBool {
		return mismatch(t, v.Type())
	}
	v.SetBool(t.bits != 0)
	return nil
}

func encodeString(c *Coder, v reflect.Value) (err error) {
	c.out.b, err = appendString(c.out.b, v.String())
	return err
}

func decodeString(c *Coder, v reflect.Value) error {
	b, err := c.text(v.Type())
	if err != nil {
		return err
	}
	v.SetString(string(b))
	return nil
}

// text reads a string or bytes: either goes into either, as in msgpack's own decoder. The result is part of the input.
func (c *Coder) text(want reflect.Type) ([]byte, error) {
	t, err := c.head()
	if err != nil {
		return nil, err
	}
	if t.form != formStr && t.form != formBin {
		return nil, mismatch(t, want)
	}
	return c.payload(t), nil
}

func numberPlan(e element) (encodeFunc, decodeFunc) {
	enc := func(c *Coder, v reflect.Value) error {
		c.out.b = appendNumber(c.out.b, v, e)
		return nil
	}
	return enc, func(c *Coder, v reflect.Value) error { return c.decodeNumber(v) }
}

// appendNumber appends a number whose type the decoder knows.
func appendNumber(dst []byte, v reflect.Value, e element) []byte {
	switch e {
	case elemInt:
		return appendInt(dst, v.Int())
	case elemInt8:
		return append(dst, 0xd0, byte(v.Int()))
	case elemInt16:
		n := v.Int()
		return append(dst, 0xd1, byte(n>>8), byte(n))
	case elemInt32:
		n := v.Int()
		return append(dst, 0xd2, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	case elemInt64:
		return appendInt64(dst, v.Int())
	case elemUint:
		return appendUint(dst, v.Uint())
	case elemUint8:
		return append(dst, 0xcc, byte(v.Uint()))
	case elemUint16:
		n := v.Uint()
		return append(dst, 0xcd, byte(n>>8), byte(n))
	case elemUint32:
		n := v.Uint()
		return append(dst, 0xce, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	case elemUint64:
		return appendUint64(dst, v.Uint())
	case elemFloat32:
		// Through memory: reflect would widen the number, which changes some NaNs.
		return appendFloat32(dst, *(*float32)(v.Addr().UnsafePointer()))
	case elemFloat64:
		return appendFloat64(dst, math.Float64frombits(*(*uint64)(v.Addr().UnsafePointer())))
	}
	return appendTypedNumber(dst, v, e) // msgpack has no complex numbers
}

// appendTypedNumber appends a number together with its type.
func appendTypedNumber(dst []byte, v reflect.Value, e element) []byte {
	dst, _ = appendExtHead(dst, extScalar, 1+e.size())
	return appendRaw(append(dst, byte(e)), scalarMemory(v, e), e.word(), nativeIsLittle)
}
