package dataset

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// A shard is an object that never changes:
//
//	header   64 bytes, see encode
//	table    of each row group: its bytes as stored, their CRC-32C, and its non-zeros (0 in a dense shard), 4 bytes each
//	zeros    so that the first group begins at a multiple of 64
//	sum      CRC-32C of all before it, the last 4 of these bytes
//	groups   one after another
//
// All numbers have their lowest byte first. Groups have as many rows as the header says, the last one those that remain. A
// group is arrays, one after another, each from a multiple of 64 bytes on: the labels and the weights, where there are any,
// a float32 for each row; then of a dense shard the features, float32, row by row; of a sparse one where each row ends in
// the two arrays after it, a uint32 for each row and a zero before, then the places, uint32, and the values, float32. With
// compression each group is a frame of Zstandard.
const (
	shardMagic   = "\x89rows\r\n\x1a"
	shardVersion = 1

	headerSize = 64
	entrySize  = 12
	align      = 64
)

// The limits of what is written and read.
const (
	maxGroup  = 256 << 20 // bytes of a row group, and so of a row
	maxRows   = 1 << 16   // of a row group
	maxGroups = 1 << 16   // of a shard
	maxWidth  = 1<<31 - 1
)

const (
	flagSparse = 1 << iota
	flagLabels
	flagWeights
	flagZstd
	flagsKnown = 1<<iota - 1
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errForm says that bytes are no shard. What is wrong with them stands in the error that wraps it.
var errForm = errors.New("not a shard of this form")

// form is what all groups of a shard share, and all shards of a set but for rows and zstd.
type form struct {
	sparse, labels, weights, zstd bool
	width                         int
	rows                          int // of each group but the last
}

// header is what a shard begins with.
type header struct {
	form
	schema   uint64
	total    int64 // rows of the shard
	nonZeros int64
	groups   []entry
}

// entry tells of a group.
type entry struct{ bytes, sum, nonZeros uint32 }

// sizeOfHeader returns how many bytes the header of a shard takes that has so many groups.
func sizeOfHeader(groups int) int { return aligned(headerSize + entrySize*groups + 4) }

func aligned(n int) int { return (n + align - 1) &^ (align - 1) }

// groupsOf returns how many groups so many rows make.
func groupsOf(total int64, rows int) int64 { return (total + int64(rows) - 1) / int64(rows) }

// rowsOf returns how many rows a group has.
func (h *header) rowsOf(group int) int {
	return int(min(int64(h.rows), h.total-int64(group)*int64(h.rows)))
}

// encode returns the bytes of the header, and the sum they end with.
func (h *header) encode() ([]byte, uint32) {
	b := make([]byte, sizeOfHeader(len(h.groups)))
	le := binary.LittleEndian
	copy(b, shardMagic)
	le.PutUint32(b[8:], shardVersion)
	flags := uint32(0)
	for i, set := range []bool{h.sparse, h.labels, h.weights, h.zstd} {
		if set {
			flags |= 1 << i
		}
	}
	le.PutUint32(b[12:], flags)
	le.PutUint64(b[16:], h.schema)
	le.PutUint64(b[24:], uint64(h.total))
	le.PutUint64(b[32:], uint64(h.nonZeros))
	le.PutUint32(b[40:], uint32(h.width))
	le.PutUint32(b[44:], uint32(h.rows))
	le.PutUint32(b[48:], uint32(len(h.groups)))
	for i, g := range h.groups {
		at := b[headerSize+entrySize*i:]
		le.PutUint32(at, g.bytes)
		le.PutUint32(at[4:], g.sum)
		le.PutUint32(at[8:], g.nonZeros)
	}
	sum := crc32.Checksum(b[:len(b)-4], castagnoli)
	le.PutUint32(b[len(b)-4:], sum)
	return b, sum
}

// decodeHeader reads the header of a shard of size bytes.
func decodeHeader(b []byte, size int64) (*header, error) {
	bad := func(format string, args ...any) (*header, error) {
		return nil, fmt.Errorf("%w: %s", errForm, fmt.Sprintf(format, args...))
	}
	le := binary.LittleEndian
	if len(b) < headerSize || string(b[:8]) != shardMagic {
		return bad("it does not begin as one")
	}
	if v := le.Uint32(b[8:]); v != shardVersion {
		return bad("version %d; this program reads version %d", v, shardVersion)
	}
	n := le.Uint32(b[48:])
	if n > maxGroups || sizeOfHeader(int(n)) != len(b) {
		return bad("%d groups and a header of %d bytes", n, len(b))
	}
	if sum := crc32.Checksum(b[:len(b)-4], castagnoli); sum != le.Uint32(b[len(b)-4:]) {
		return bad("the checksum of the header is %08x, and stored is %08x", sum, le.Uint32(b[len(b)-4:]))
	}
	flags, total, nonZeros := le.Uint32(b[12:]), le.Uint64(b[24:]), le.Uint64(b[32:])
	width, rows := le.Uint32(b[40:]), le.Uint32(b[44:])
	if flags > flagsKnown || width > maxWidth || rows == 0 || rows > maxRows || total > maxGroups*maxRows ||
		groupsOf(int64(total), int(rows)) != int64(n) {
		return bad("flags %x, %d rows in %d groups of %d, %d wide", flags, total, n, rows, width)
	}
	h := &header{
		form: form{
			sparse: flags&flagSparse != 0, labels: flags&flagLabels != 0, weights: flags&flagWeights != 0, zstd: flags&flagZstd != 0,
			width: int(width), rows: int(rows),
		},
		schema: le.Uint64(b[16:]), total: int64(total), nonZeros: int64(nonZeros), groups: make([]entry, n),
	}
	end, all := int64(len(b)), uint64(0)
	for i := range h.groups {
		at := b[headerSize+entrySize*i:]
		g := entry{le.Uint32(at), le.Uint32(at[4:]), le.Uint32(at[8:])}
		raw := h.layout(h.rowsOf(i), int64(g.nonZeros)).size
		if raw > maxGroup || g.bytes > maxGroup || !h.zstd && int64(g.bytes) != raw || !h.sparse && g.nonZeros != 0 {
			return bad("group %d of %d rows and %d non-zeros in %d bytes", i, h.rowsOf(i), g.nonZeros, g.bytes)
		}
		h.groups[i] = g
		end, all = end+int64(g.bytes), all+uint64(g.nonZeros)
	}
	if end != size || all != nonZeros {
		return bad("%d bytes and %d non-zeros by its table, and it has %d and %d", end, all, size, nonZeros)
	}
	return h, nil
}

// layout is where in a group its arrays begin.
type layout struct {
	labels, weights, ptr, idx, values int64
	size                              int64
}

func (f *form) layout(rows int, nonZeros int64) (l layout) {
	array := func(words int64) int64 {
		at := l.size
		l.size = (at + 4*words + align - 1) &^ (align - 1)
		return at
	}
	if f.labels {
		l.labels = array(int64(rows))
	}
	if f.weights {
		l.weights = array(int64(rows))
	}
	if !f.sparse {
		l.values = array(int64(rows) * int64(f.width))
		return l
	}
	l.ptr = array(int64(rows) + 1)
	l.idx = array(nonZeros)
	l.values = array(nonZeros)
	return l
}
