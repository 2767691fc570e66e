package serialize

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// form is what a msgpack value is on the wire.
type form uint8

const (
	formNil form = iota
	formBool
	formInt
	formUint
	formFloat32
	formFloat64
	formStr
	formBin
	formArray
	formMap
	formExt
)

func (f form) String() string {
	return [...]string{"nil", "bool", "int", "uint", "float32", "float64", "string", "bytes", "array", "map", "extension"}[f]
}

// token is the head of one value: all of a scalar, and the length of anything longer.
type token struct {
	form form
	ext  int8
	size int    // bytes the head takes
	n    int    // bytes of a string, of bytes or of an extension; elements of an array; pairs of a map
	bits uint64 // a scalar
}

var errShort = errors.New("data ends too early")

// numberWidth is how many bytes follow the codes 0xc0 to 0xdf before any payload: a number, a length or a count.
var numberWidth = [32]uint8{
	0, 0, 0, 0, // nil, unused, false, true
	1, 2, 4, // bin
	1, 2, 4, // ext
	4, 8, // float
	1, 2, 4, 8, // uint
	1, 2, 4, 8, // int
	0, 0, 0, 0, 0, // fixext
	1, 2, 4, // str
	2, 4, // array
	2, 4, // map
}

// scan reads the head of the value at the start of data. A length that it returns fits in what remains of data, taking
// an element of an array as one byte or more: so a caller may allocate by it.
func scan(data []byte) (token, error) {
	if len(data) == 0 {
		return token{}, errShort
	}
	code := data[0]
	switch {
	case code <= 0x7f:
		return token{form: formUint, size: 1, bits: uint64(code)}, nil
	case code >= 0xe0:
		return token{form: formInt, size: 1, bits: uint64(int64(int8(code)))}, nil
	case code <= 0x8f:
		return fit(data, token{form: formMap, size: 1}, uint64(code&0x0f))
	case code <= 0x9f:
		return fit(data, token{form: formArray, size: 1}, uint64(code&0x0f))
	case code <= 0xbf:
		return fit(data, token{form: formStr, size: 1}, uint64(code&0x1f))
	}
	width := int(numberWidth[code-0xc0])
	if len(data) <= width {
		return token{}, errShort
	}
	number := bigEndian(data[1 : 1+width])
	t := token{size: 1 + width, bits: number}
	switch code {
	case 0xc0:
		t.form = formNil
	case 0xc2, 0xc3:
		t.form, t.bits = formBool, uint64(code-0xc2)
	case 0xc4, 0xc5, 0xc6:
		t.form = formBin
		return fit(data, t, number)
	case 0xc7, 0xc8, 0xc9:
		return fitExt(data, t, number)
	case 0xca:
		t.form = formFloat32
	case 0xcb:
		t.form = formFloat64
	case 0xcc, 0xcd, 0xce, 0xcf:
		t.form = formUint
	case 0xd0, 0xd1, 0xd2, 0xd3:
		shift := 64 - 8*width
		t.form, t.bits = formInt, uint64(int64(number<<shift)>>shift)
	case 0xd4, 0xd5, 0xd6, 0xd7, 0xd8:
		return fitExt(data, t, 1<<(code-0xd4))
	case 0xd9, 0xda, 0xdb:
		t.form = formStr
		return fit(data, t, number)
	case 0xdc, 0xdd:
		t.form = formArray
		return fit(data, t, number)
	case 0xde, 0xdf:
		t.form = formMap
		return fit(data, t, number)
	default:
		return token{}, fmt.Errorf("no msgpack value begins with the byte 0x%02x", code)
	}
	return t, nil
}

func fit(data []byte, t token, n uint64) (token, error) {
	needed := n
	if t.form == formMap {
		needed = 2 * n
	}
	if needed > uint64(len(data)-t.size) {
		return token{}, errShort
	}
	t.n, t.bits = int(n), 0
	return t, nil
}

func fitExt(data []byte, t token, n uint64) (token, error) {
	if len(data) <= t.size {
		return token{}, errShort
	}
	t.form, t.ext = formExt, int8(data[t.size])
	t.size++
	return fit(data, t, n)
}

func bigEndian(b []byte) uint64 {
	switch len(b) {
	case 0:
		return 0
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(binary.BigEndian.Uint16(b))
	case 4:
		return uint64(binary.BigEndian.Uint32(b))
	default:
		return binary.BigEndian.Uint64(b)
	}
}
