package dataset

import (
	"encoding/binary"
	"math/bits"
	"unsafe"
)

// Row groups are words of four bytes, the lowest byte first. Where the processor has them in that order, the bytes that
// were read are the numbers; elsewhere the bytes of each word are turned round first, in place.

var littleEndian = binary.NativeEndian.Uint16([]byte{1, 0}) == 1

// word is one of the types that groups are made of.
type word interface{ ~uint32 | ~float32 }

// buffer returns n bytes at an address that any word may have. It reuses memory that is large enough.
func buffer(old []byte, n int) []byte {
	if n <= cap(old) {
		return old[:n]
	}
	words := make([]uint64, (n+n/8+7)/8) // groups differ a little
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), 8*len(words))[:n]
}

// wordsOf returns n words that are in memory from byte at on, which is that of a word.
func wordsOf[T word](b []byte, at, n int) []T {
	if n == 0 {
		return []T{}
	}
	_ = b[at+4*n-1]
	return unsafe.Slice((*T)(unsafe.Pointer(&b[at])), n)
}

// bytesOf is the way back.
func bytesOf[T word](words []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(words))), 4*len(words))
}

// turn changes words between the order of files and that of a processor that has the highest byte first.
func turn(b []byte) {
	words := wordsOf[uint32](b, 0, len(b)/4)
	for i, w := range words {
		words[i] = bits.ReverseBytes32(w)
	}
}
