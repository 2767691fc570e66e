package shuffle

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/cespare/xxhash/v2"
)

// Buffer holds records until they are written as a run: their bytes in chunks, which never move, and an entry each, which
// sorting moves.
type Buffer struct {
	parts   uint32
	chunks  [][]byte
	entries []entry
	spare   []entry // sorting's other half
	table   []place // by hash, for Find; nil where it is not used
	taken   int     // bytes of the chunks, but for what is free in the last
	found   int     // records in the table
}

// entry is a record as sorting sees it.
type entry struct {
	prefix uint64
	at     uint32 // chunk and offset
	part   uint32
}

// place is a slot of the table.
type place struct {
	tag uint32 // of the hash
	at  uint32 // of the record, plus 1; 0 is free
}

// A chunk has 1<<chunkBits bytes. A record that is larger has a chunk of its own.
const (
	chunkBits = 20
	chunkSize = 1 << chunkBits
	maxChunks = 1 << (32 - chunkBits)
)

// header is what stands before each record in a chunk: the lengths of the key and the value, or the number that Find gave
// the record in place of the latter.
const header = 8

// MaxRecord is the largest key and value together.
const MaxRecord = 1 << 30

func errTooLarge(size int) error {
	return fmt.Errorf("a record of %d bytes; the limit is %d", size, MaxRecord)
}

// maxBuffer is the most that a Buffer can hold before it must be written.
const maxBuffer = 1<<31 - 1

// NewBuffer returns a buffer for that many hash partitions, at least 1.
func NewBuffer(parts int) *Buffer { return &Buffer{parts: uint32(parts)} }

// Len is the number of records.
func (b *Buffer) Len() int { return len(b.entries) }

// Size is the memory that the records take, in bytes.
func (b *Buffer) Size() int {
	return b.taken + 2*16*len(b.entries) + 8*len(b.table)
}

// Add adds a record.
func (b *Buffer) Add(key, value []byte) error {
	if len(key)+len(value) > MaxRecord {
		return errTooLarge(len(key) + len(value))
	}
	var part uint32
	if b.parts > 1 {
		part = b.partOf(xxhash.Sum64(key))
	}
	at, room := b.room(header + len(key) + len(value))
	binary.LittleEndian.PutUint32(room, uint32(len(key)))
	binary.LittleEndian.PutUint32(room[4:], uint32(len(value)))
	copy(room[header:], key)
	copy(room[header+len(key):], value)
	b.entries = append(b.entries, entry{prefix(key), at, part})
	return nil
}

// Find returns the number of the key's record, which it adds if it is missing: the first is 0, and each that is added has
// the next. The caller keeps the values by number.
func (b *Buffer) Find(key []byte) (number uint32, added bool, err error) {
	if b.found >= len(b.table)/2 {
		b.grow()
	}
	hash := xxhash.Sum64(key)
	mask := uint64(len(b.table) - 1)
	tag := uint32(hash >> 32)
	i := hash & mask
	for ; b.table[i].at != 0; i = (i + 1) & mask {
		if b.table[i].tag != tag {
			continue
		}
		r := b.record(b.table[i].at - 1)
		if n := binary.LittleEndian.Uint32(r); int(n) == len(key) && bytes.Equal(r[header:header+n], key) {
			return binary.LittleEndian.Uint32(r[4:]), false, nil
		}
	}
	if len(key) > MaxRecord {
		return 0, false, errTooLarge(len(key))
	}
	number = uint32(b.found)
	at, room := b.room(header + len(key))
	binary.LittleEndian.PutUint32(room, uint32(len(key)))
	binary.LittleEndian.PutUint32(room[4:], number)
	copy(room[header:], key)
	b.entries = append(b.entries, entry{prefix(key), at, b.partOf(hash)})
	b.table[i] = place{tag, at + 1}
	b.found++
	return number, true, nil
}

// grow makes the table larger, with its records where they belong.
func (b *Buffer) grow() {
	old := b.table
	b.table = make([]place, max(2*len(old), 1<<6))
	mask := uint64(len(b.table) - 1)
	for _, p := range old {
		if p.at == 0 {
			continue
		}
		i := xxhash.Sum64(b.key(p.at-1)) & mask
		for b.table[i].at != 0 {
			i = (i + 1) & mask
		}
		b.table[i] = p
	}
}

// partOf spreads hashes evenly over the partitions. It uses the high bits, and the table the low ones.
func (b *Buffer) partOf(hash uint64) uint32 {
	return uint32((hash >> 32) * uint64(b.parts) >> 32)
}

// pool keeps chunks for later buffers: fresh memory costs more than what is done with it.
var pool = sync.Pool{New: func() any { return new([chunkSize]byte) }}

// room returns n bytes, and where they are. Who asks has seen that the buffer is not full.
func (b *Buffer) room(n int) (at uint32, room []byte) {
	last := len(b.chunks) - 1
	if last < 0 || cap(b.chunks[last])-len(b.chunks[last]) < n {
		chunk := []byte(nil)
		if n <= chunkSize {
			chunk = pool.Get().(*[chunkSize]byte)[:0]
		} else {
			chunk = make([]byte, 0, n)
		}
		if last >= 0 {
			b.taken += cap(b.chunks[last]) - len(b.chunks[last]) // it stays free
		}
		b.chunks = append(b.chunks, chunk)
		last++
	}
	c := b.chunks[last]
	at = uint32(last)<<chunkBits | uint32(len(c))
	b.chunks[last] = c[:len(c)+n]
	b.taken += n
	return at, c[len(c) : len(c)+n]
}

// record returns the record at a place, and what follows it.
func (b *Buffer) record(at uint32) []byte { return b.chunks[at>>chunkBits][at&(chunkSize-1):] }

// key returns the key of the record at a place.
func (b *Buffer) key(at uint32) []byte {
	r := b.record(at)
	return r[header : header+binary.LittleEndian.Uint32(r)]
}

// parse returns the key of the record at a place, and what follows it: a value, or else only a number.
func (b *Buffer) parse(at uint32) (key, value []byte, number uint32) {
	r := b.record(at)
	k := header + int(binary.LittleEndian.Uint32(r))
	number = binary.LittleEndian.Uint32(r[4:])
	if b.found == 0 {
		value = r[k : k+int(number)]
	}
	return r[header:k], value, number
}

// Full reports whether the buffer must be written before it can take another record.
func (b *Buffer) Full() bool { return b.taken >= maxBuffer || len(b.chunks) >= maxChunks-1 }

// Reset empties the buffer and gives up its chunks.
func (b *Buffer) Reset() {
	for _, c := range b.chunks {
		if cap(c) == chunkSize {
			pool.Put((*[chunkSize]byte)(c[:chunkSize]))
		}
	}
	clear(b.chunks)
	b.chunks, b.entries = b.chunks[:0], b.entries[:0]
	b.taken, b.found = 0, 0
	clear(b.table)
}
