package serialize

import (
	"encoding/binary"
	"fmt"
	"math"
)

// The functions here write msgpack as vmihailenco/msgpack does: int and uint take as few bytes as they can, sized
// integers keep the width of their type.

const codeNil = 0xc0

func appendBool(dst []byte, b bool) []byte {
	if b {
		return append(dst, 0xc3)
	}
	return append(dst, 0xc2)
}

func appendUint(dst []byte, n uint64) []byte {
	switch {
	case n <= math.MaxInt8:
		return append(dst, byte(n))
	case n <= math.MaxUint8:
		return append(dst, 0xcc, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(dst, 0xcd), uint16(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(dst, 0xce), uint32(n))
	}
	return appendUint64(dst, n)
}

func appendInt(dst []byte, n int64) []byte {
	switch {
	case n >= 0:
		return appendUint(dst, uint64(n))
	case n >= -32:
		return append(dst, byte(n))
	case n >= math.MinInt8:
		return append(dst, 0xd0, byte(n))
	case n >= math.MinInt16:
		return binary.BigEndian.AppendUint16(append(dst, 0xd1), uint16(n))
	case n >= math.MinInt32:
		return binary.BigEndian.AppendUint32(append(dst, 0xd2), uint32(n))
	}
	return appendInt64(dst, n)
}

func appendUint64(dst []byte, n uint64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, 0xcf), n)
}

func appendInt64(dst []byte, n int64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, 0xd3), uint64(n))
}

func appendFloat32(dst []byte, f float32) []byte {
	return binary.BigEndian.AppendUint32(append(dst, 0xca), math.Float32bits(f))
}

func appendFloat64(dst []byte, f float64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, 0xcb), math.Float64bits(f))
}

func appendString(dst []byte, s string) ([]byte, error) {
	if len(s) < 32 {
		return append(append(dst, 0xa0|byte(len(s))), s...), nil
	}
	dst, err := appendLength(dst, 0xd9, len(s))
	if err != nil {
		return dst, err
	}
	return append(dst, s...), nil
}

func appendBytes(dst, b []byte) ([]byte, error) {
	dst, err := appendLength(dst, 0xc4, len(b))
	if err != nil {
		return dst, err
	}
	return append(dst, b...), nil
}

// appendLength writes a length after the first code of three, for one, two and four bytes of length.
func appendLength(dst []byte, code byte, n int) ([]byte, error) {
	switch {
	case n <= math.MaxUint8:
		return append(dst, code, byte(n)), nil
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(dst, code+1), uint16(n)), nil
	case uint64(n) <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(dst, code+2), uint32(n)), nil
	}
	return dst, fmt.Errorf("%d bytes in one value: msgpack's limit is %d; split it", n, uint32(math.MaxUint32))
}

func appendArrayHead(dst []byte, n int) ([]byte, error) { return appendCount(dst, 0x90, 0xdc, n) }
func appendMapHead(dst []byte, n int) ([]byte, error)   { return appendCount(dst, 0x80, 0xde, n) }

func appendCount(dst []byte, fixed, code byte, n int) ([]byte, error) {
	switch {
	case n < 16:
		return append(dst, fixed|byte(n)), nil
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(dst, code), uint16(n)), nil
	case uint64(n) <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(dst, code+1), uint32(n)), nil
	}
	return dst, fmt.Errorf("%d elements in one value: msgpack's limit is %d; split it", n, uint32(math.MaxUint32))
}

func appendExtHead(dst []byte, id int8, n int) ([]byte, error) {
	switch n {
	case 1, 2, 4, 8, 16:
		code := byte(0xd4)
		for n > 1 {
			code, n = code+1, n/2
		}
		return append(dst, code, byte(id)), nil
	}
	dst, err := appendLength(dst, 0xc7, n)
	return append(dst, byte(id)), err
}
