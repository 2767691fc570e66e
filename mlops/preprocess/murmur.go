package preprocess

import (
	"encoding/binary"
	"math/bits"
)

// murmur is a 32-bit MurmurHash3 with the seed 0 that has taken some bytes, and continues with others. The beginning is
// taken once for all values of a column: that is why this is no library's.
type murmur struct {
	h     uint32
	tail  uint32 // bytes that are no word of four yet
	bytes uint32
}

const (
	murmur1 = 0xcc9e2d51
	murmur2 = 0x1b873593
)

func murmurOf(begin string) murmur {
	m := murmur{bytes: uint32(len(begin))}
	for len(begin) >= 4 {
		m.h = mixWord(m.h, uint32(begin[0])|uint32(begin[1])<<8|uint32(begin[2])<<16|uint32(begin[3])<<24)
		begin = begin[4:]
	}
	for i := range len(begin) {
		m.tail |= uint32(begin[i]) << (8 * i)
	}
	return m
}

func mixWord(h, k uint32) uint32 {
	return bits.RotateLeft32(h^bits.RotateLeft32(k*murmur1, 15)*murmur2, 13)*5 + 0xe6546b64
}

// sum is the hash of what m has taken and b.
func (m *murmur) sum(b []byte) uint32 {
	h, k, n := m.h, uint64(m.tail), m.bytes+uint32(len(b))
	shift := 8 * (m.bytes & 3)
	for ; len(b) >= 4; b = b[4:] {
		k |= uint64(binary.LittleEndian.Uint32(b)) << (shift & 63)
		h = mixWord(h, uint32(k))
		k >>= 32
	}
	for _, c := range b {
		k |= uint64(c) << (shift & 63)
		shift += 8
	}
	if shift >= 32 {
		h = mixWord(h, uint32(k))
		k >>= 32
	}
	h ^= bits.RotateLeft32(uint32(k)*murmur1, 15) * murmur2
	h ^= n
	h ^= h >> 16
	h *= 0x85ebca6b
	h ^= h >> 13
	h *= 0xc2b2ae35
	return h ^ h>>16
}
