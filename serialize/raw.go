package serialize

import (
	"encoding/binary"
	"slices"
	"unsafe"
)

// nativeIsLittle tells whether memory already has the byte order of the wire.
var nativeIsLittle = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// intsAre64 tells whether a slice of int has the layout of the wire; on 32-bit machines its elements are converted.
const intsAre64 = ^uint(0)>>63 == 1

// isRaw tells whether a slice of e is a copy of its bytes on the wire, but for their order.
func (e element) isRaw() bool { return intsAre64 || (e != elemInt && e != elemUint) }

// bytesOf views the memory of a slice of fixed-size numbers.
func bytesOf[E any](s []E) []byte {
	var zero E
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(zero)))
}

// appendRaw appends memory in the byte order of the wire: as it is, or with the bytes of each word reversed.
func appendRaw(dst, memory []byte, word int, little bool) []byte {
	if little || word == 1 {
		return append(dst, memory...)
	}
	start := len(dst)
	dst = append(dst, memory...)
	for i := start; i < len(dst); i += word {
		slices.Reverse(dst[i : i+word])
	}
	return dst
}

// growFor makes room in dst for a payload of n bytes and its head, so that dst grows once. Where dst is small it leaves
// that to append, which does not clear memory that is about to be written.
func growFor(dst []byte, n int) []byte {
	if len(dst) > 4096 {
		return slices.Grow(dst, n+8)
	}
	return dst
}

// fromRaw returns a slice of n elements in fresh memory that holds payload.
func fromRaw[E any](payload []byte, n, word int) []E {
	if n == 0 {
		return []E{}
	}
	return unsafe.Slice((*E)(memoryOf(payload, word)), n)
}

// memoryOf copies payload, which is not empty, into fresh memory aligned for any number, in the machine's byte order.
func memoryOf(payload []byte, word int) unsafe.Pointer {
	// Append leaves fresh memory uncleared where make would clear it first, which takes time at a million elements. Memory
	// of such a length is aligned in today's runtime; the check keeps that from being a belief.
	memory := appendRaw(nil, payload, word, nativeIsLittle)
	p := unsafe.Pointer(unsafe.SliceData(memory))
	if uintptr(p)%uintptr(word) != 0 {
		aligned := make([]uint64, (len(payload)+7)/8)
		copy(bytesOf(aligned), memory)
		p = unsafe.Pointer(unsafe.SliceData(aligned))
	}
	return p
}
