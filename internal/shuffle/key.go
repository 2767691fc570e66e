package shuffle

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"reflect"
	"unsafe"
)

// Keys turns keys into bytes and back. Equal keys have equal bytes, and bytes.Compare orders them as cmp.Compare does the
// keys: -0 becomes 0, and there is one NaN, before all other numbers.
//
// A string is its bytes. An integer is its sign and the number of bytes that follow, in one byte, and those bytes, most
// significant first. A float is 8 bytes.
type Keys[K cmp.Ordered] struct{ kind reflect.Kind }

// NewKeys returns the Keys of K.
func NewKeys[K cmp.Ordered]() Keys[K] { return Keys[K]{reflect.TypeFor[K]().Kind()} }

// Bytes returns the key's bytes, in scratch or in the string itself: they are valid until scratch is used again.
func (c Keys[K]) Bytes(scratch []byte, k K) []byte {
	p := unsafe.Pointer(&k) // of a type whose kind says what is there
	switch c.kind {
	case reflect.String:
		s := *(*string)(p)
		return unsafe.Slice(unsafe.StringData(s), len(s))
	case reflect.Int:
		return appendInt(scratch[:0], int64(*(*int)(p)))
	case reflect.Int64:
		return appendInt(scratch[:0], *(*int64)(p))
	case reflect.Int32:
		return appendInt(scratch[:0], int64(*(*int32)(p)))
	case reflect.Int16:
		return appendInt(scratch[:0], int64(*(*int16)(p)))
	case reflect.Int8:
		return appendInt(scratch[:0], int64(*(*int8)(p)))
	case reflect.Uint:
		return appendUint(scratch[:0], uint64(*(*uint)(p)))
	case reflect.Uint64:
		return appendUint(scratch[:0], *(*uint64)(p))
	case reflect.Uint32:
		return appendUint(scratch[:0], uint64(*(*uint32)(p)))
	case reflect.Uint16:
		return appendUint(scratch[:0], uint64(*(*uint16)(p)))
	case reflect.Uint8:
		return appendUint(scratch[:0], uint64(*(*uint8)(p)))
	case reflect.Uintptr:
		return appendUint(scratch[:0], uint64(*(*uintptr)(p)))
	case reflect.Float64:
		return appendFloat(scratch[:0], *(*float64)(p))
	default: // float32: no other kind is ordered
		return appendFloat(scratch[:0], float64(*(*float32)(p)))
	}
}

// Decode returns the key of these bytes. It shares no memory with them.
func (c Keys[K]) Decode(b []byte) (K, error) {
	var k K
	v := reflect.ValueOf(&k).Elem()
	ok := true
	switch c.kind {
	case reflect.String:
		v.SetString(string(b))
	case reflect.Int, reflect.Int64, reflect.Int32, reflect.Int16, reflect.Int8:
		var i int64
		if i, ok = decodeInt(b); ok && !v.OverflowInt(i) {
			v.SetInt(i)
		} else {
			ok = false
		}
	case reflect.Float64, reflect.Float32:
		var f float64
		if f, ok = decodeFloat(b); ok {
			v.SetFloat(f)
			var again [8]byte // a -0, another NaN and what is no float32 would be a key's second form
			ok = bytes.Equal(appendFloat(again[:0], v.Float()), b)
		}
	default:
		var u uint64
		if u, ok = decodeUint(b); ok && !v.OverflowUint(u) {
			v.SetUint(u)
		} else {
			ok = false
		}
	}
	if !ok {
		return k, fmt.Errorf("% x is no key of type %T: %w", b[:min(len(b), 16)], k, ErrCorrupt)
	}
	return k, nil
}

// The first byte of an integer: zero is the middle, larger numbers of more bytes go up from it, and smaller ones down.
const (
	zero     = 0x80
	minusOne = zero - 1
)

func appendInt(dst []byte, i int64) []byte {
	if i >= 0 {
		return appendUint(dst, uint64(i))
	}
	n := size(^uint64(i))
	var all [8]byte
	binary.BigEndian.PutUint64(all[:], uint64(i))
	return append(append(dst, minusOne-byte(n)), all[8-n:]...)
}

func appendUint(dst []byte, u uint64) []byte {
	n := size(u)
	var all [8]byte
	binary.BigEndian.PutUint64(all[:], u)
	return append(append(dst, zero+byte(n)), all[8-n:]...)
}

// size is how many bytes u takes: none for 0.
func size(u uint64) int { return (bits.Len64(u) + 7) / 8 }

func decodeInt(b []byte) (int64, bool) {
	if len(b) == 0 || b[0] >= zero {
		u, ok := decodeUint(b)
		return int64(u), ok && u <= math.MaxInt64
	}
	n := int(minusOne - b[0])
	if n > 8 || len(b) != 1+n {
		return 0, false
	}
	u := ^uint64(0)
	for _, c := range b[1:] {
		u = u<<8 | uint64(c)
	}
	return int64(u), int64(u) < 0 && size(^u) == n
}

func decodeUint(b []byte) (uint64, bool) {
	if len(b) == 0 || b[0] < zero || b[0] > zero+8 || len(b) != 1+int(b[0]-zero) {
		return 0, false
	}
	var u uint64
	for _, c := range b[1:] {
		u = u<<8 | uint64(c)
	}
	return u, size(u) == len(b)-1
}

func appendFloat(dst []byte, f float64) []byte {
	u := math.Float64bits(f)
	switch {
	case f != f:
		u = 0
	case f == 0:
		u = 1 << 63
	case u>>63 != 0:
		u = ^u
	default:
		u |= 1 << 63
	}
	return binary.BigEndian.AppendUint64(dst, u)
}

func decodeFloat(b []byte) (float64, bool) {
	if len(b) != 8 {
		return 0, false
	}
	u := binary.BigEndian.Uint64(b)
	switch {
	case u == 0:
		return math.NaN(), true
	case u>>63 != 0:
		return math.Float64frombits(u &^ (1 << 63)), true
	}
	return math.Float64frombits(^u), true
}

// prefix is the key's first 8 bytes as a number, with zeros where there are fewer: keys whose prefixes differ are ordered
// as those are.
func prefix(key []byte) uint64 {
	if len(key) >= 8 {
		return binary.BigEndian.Uint64(key)
	}
	if len(key) >= 4 {
		return uint64(binary.BigEndian.Uint32(key))<<32 | tail(key[4:])<<8
	}
	return tail(key) << 40
}

// tail returns up to three bytes as the high ones of three.
func tail(b []byte) uint64 {
	switch len(b) {
	case 0:
		return 0
	case 1:
		return uint64(b[0]) << 16
	case 2:
		return uint64(b[0])<<16 | uint64(b[1])<<8
	}
	return uint64(b[0])<<16 | uint64(b[1])<<8 | uint64(b[2])
}
