package serialize

import (
	"bytes"
	"math"
	"reflect"
)

// appendFast encodes the types that tasks take and return most, without reflection and to the same bytes. It returns
// false for any other type.
func appendFast(dst []byte, v any) ([]byte, bool, error) {
	var err error
	switch p := v.(type) {
	case *int:
		if p != nil {
			return appendInt(dst, int64(*p)), true, nil
		}
	case *int64:
		if p != nil {
			return appendInt64(dst, *p), true, nil
		}
	case *uint64:
		if p != nil {
			return appendUint64(dst, *p), true, nil
		}
	case *float64:
		if p != nil {
			return appendFloat64(dst, *p), true, nil
		}
	case *bool:
		if p != nil {
			return appendBool(dst, *p), true, nil
		}
	case *string:
		if p != nil {
			dst, err = appendString(dst, *p)
			return dst, true, err
		}
	case *[]byte:
		if p != nil && *p != nil {
			dst, err = appendBytes(growFor(dst, len(*p)), *p)
			return dst, true, err
		}
	case *[]int8:
		return appendSlice(dst, p, elemInt8)
	case *[]int16:
		return appendSlice(dst, p, elemInt16)
	case *[]int32:
		return appendSlice(dst, p, elemInt32)
	case *[]int64:
		return appendSlice(dst, p, elemInt64)
	case *[]int:
		return appendSlice(dst, p, elemInt)
	case *[]uint16:
		return appendSlice(dst, p, elemUint16)
	case *[]uint32:
		return appendSlice(dst, p, elemUint32)
	case *[]uint64:
		return appendSlice(dst, p, elemUint64)
	case *[]uint:
		return appendSlice(dst, p, elemUint)
	case *[]float32:
		return appendSlice(dst, p, elemFloat32)
	case *[]float64:
		return appendSlice(dst, p, elemFloat64)
	case *[]complex64:
		return appendSlice(dst, p, elemComplex64)
	case *[]complex128:
		return appendSlice(dst, p, elemComplex128)
	}
	return dst, false, nil
}

func appendSlice[E any](dst []byte, p *[]E, e element) ([]byte, bool, error) {
	if p == nil || *p == nil || !e.isRaw() {
		return dst, false, nil
	}
	dst, err := appendNumeric(dst, bytesOf(*p), e)
	return dst, true, err
}

// decodeFast is the way back of appendFast. It returns false also where the data is in another form than appendFast's.
func decodeFast(data []byte, v any) (bool, error) {
	switch p := v.(type) {
	case *int:
		if t, ok := fastScalar(data, p); ok {
			i := int64(t.bits)
			if (t.form == formInt || t.form == formUint && i >= 0) && int64(int(i)) == i {
				*p = int(i)
				return true, nil
			}
		}
	case *int64:
		if t, ok := fastScalar(data, p); ok && (t.form == formInt || t.form == formUint && int64(t.bits) >= 0) {
			*p = int64(t.bits)
			return true, nil
		}
	case *uint64:
		if t, ok := fastScalar(data, p); ok && t.form == formUint {
			*p = t.bits
			return true, nil
		}
	case *float64:
		if t, ok := fastScalar(data, p); ok && t.form == formFloat64 {
			*p = math.Float64frombits(t.bits)
			return true, nil
		}
	case *bool:
		if t, ok := fastScalar(data, p); ok && t.form == formBool {
			*p = t.bits != 0
			return true, nil
		}
	case *string:
		if b, ok := fastPayload(data, p, formStr); ok {
			*p = string(b)
			return true, nil
		}
	case *[]byte:
		if b, ok := fastPayload(data, p, formBin); ok {
			*p = bytes.Clone(b)
			return true, nil
		}
	case *[]int8:
		return decodeSlice(data, p, elemInt8), nil
	case *[]int16:
		return decodeSlice(data, p, elemInt16), nil
	case *[]int32:
		return decodeSlice(data, p, elemInt32), nil
	case *[]int64:
		return decodeSlice(data, p, elemInt64), nil
	case *[]int:
		return decodeSlice(data, p, elemInt), nil
	case *[]uint16:
		return decodeSlice(data, p, elemUint16), nil
	case *[]uint32:
		return decodeSlice(data, p, elemUint32), nil
	case *[]uint64:
		return decodeSlice(data, p, elemUint64), nil
	case *[]uint:
		return decodeSlice(data, p, elemUint), nil
	case *[]float32:
		return decodeSlice(data, p, elemFloat32), nil
	case *[]float64:
		return decodeSlice(data, p, elemFloat64), nil
	case *[]complex64:
		return decodeSlice(data, p, elemComplex64), nil
	case *[]complex128:
		return decodeSlice(data, p, elemComplex128), nil
	}
	return false, nil
}

// fastScalar reads data where it is one scalar and there is a place for it.
func fastScalar[T any](data []byte, p *T) (token, bool) {
	if p == nil {
		return token{}, false
	}
	t, err := scan(data)
	return t, err == nil && t.size == len(data)
}

func fastPayload[T any](data []byte, p *T, form form) ([]byte, bool) {
	if p == nil {
		return nil, false
	}
	t, err := scan(data)
	if err != nil || t.form != form || t.size+t.n != len(data) {
		return nil, false
	}
	return data[t.size:], true
}

func decodeSlice[E any](data []byte, p *[]E, want element) bool {
	payload, ok := fastPayload(data, p, formExt)
	if !ok || int8(data[len(data)-len(payload)-1]) != extSlice {
		return false
	}
	e, payload, err := numericPayload(payload)
	if err != nil || e != want || !e.isRaw() {
		return false
	}
	*p = fromRaw[E](payload, len(payload)/e.size(), e.word())
	return true
}

// The readers below are for the values of maps that need no reflection.

func (c *Coder) string() (string, error) {
	if c.pos < len(c.in) && c.in[c.pos] == codeNil {
		c.pos++
		return "", nil
	}
	b, err := c.text(reflect.TypeFor[string]())
	return string(b), err
}

func (c *Coder) int() (int, error) {
	if c.pos < len(c.in) && c.in[c.pos] <= 0x7f {
		c.pos++
		return int(c.in[c.pos-1]), nil
	}
	var n int
	err := c.decodeNumber(reflect.ValueOf(&n).Elem())
	return n, err
}

func (c *Coder) float64() (float64, error) {
	var f float64
	err := c.decodeNumber(reflect.ValueOf(&f).Elem())
	return f, err
}
