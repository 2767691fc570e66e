package shuffle

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"slices"

	"github.com/gowren/gowren/serialize"
)

// ErrCorrupt marks errors of bytes that are not what was written: cut or changed.
var ErrCorrupt = errors.New("corrupt shuffle data")

const (
	blockHeader = 12
	blockSize   = 64 << 10 // of records, at which a block ends
	// maxBlock bounds what a header can claim: one record, and those before it.
	maxBlock = MaxRecord + blockSize + 64
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// block gathers records. The zero value is an empty one.
type block struct {
	data []byte // room for the header, then the records
	last []byte // the key of the last record
	pack []byte // for compressed ones
}

func (b *block) empty() bool { return len(b.data) <= blockHeader }

func (b *block) full() bool { return len(b.data) >= blockHeader+blockSize }

// add appends a record.
func (b *block) add(key, value []byte) {
	if len(b.data) == 0 {
		b.data = append(b.data, make([]byte, blockHeader)...)
	}
	shared := 0
	if len(b.data) > blockHeader {
		shared = common(b.last, key)
	}
	d := binary.AppendUvarint(b.data, uint64(shared))
	d = binary.AppendUvarint(d, uint64(len(key)-shared))
	d = append(d, key[shared:]...)
	d = binary.AppendUvarint(d, uint64(len(value)))
	b.data = append(d, value...)
	b.last = append(b.last[:shared], key[shared:]...)
}

// common is how many bytes x and y begin with alike.
func common(x, y []byte) int {
	n := min(len(x), len(y))
	for i := range n {
		if x[i] != y[i] {
			return i
		}
	}
	return n
}

// finish returns the block as it is stored, and empties it. The bytes are valid until the next add.
func (b *block) finish(compress bool) []byte {
	stored := b.data
	raw := len(b.data) - blockHeader
	if compress {
		b.pack = append(b.pack[:0], make([]byte, blockHeader)...)
		b.pack = serialize.Compress(b.pack, b.data[blockHeader:])
		if len(b.pack) < len(b.data)-raw/16 {
			stored = b.pack
		}
	}
	binary.LittleEndian.PutUint32(stored[4:], uint32(raw))
	binary.LittleEndian.PutUint32(stored[8:], uint32(len(stored)-blockHeader))
	binary.LittleEndian.PutUint32(stored, crc32.Checksum(stored[4:], castagnoli))
	b.data = b.data[:0]
	return stored
}

// blockReader reads blocks from a stream that ends with the last one.
type blockReader struct {
	src    io.Reader
	left   int64 // bytes of the stream
	stored []byte
	raw    []byte
}

// next returns the records of the next block, valid until the call after; io.EOF follows the last.
func (r *blockReader) next() ([]byte, error) {
	if r.left == 0 {
		return nil, io.EOF
	}
	if r.left < blockHeader {
		return nil, fmt.Errorf("%w: %d bytes are left where a block should begin", ErrCorrupt, r.left)
	}
	var err error
	if r.stored, err = read(r.src, r.stored[:0], blockHeader); err != nil {
		return nil, err
	}
	raw, n := binary.LittleEndian.Uint32(r.stored[4:]), binary.LittleEndian.Uint32(r.stored[8:])
	if raw > maxBlock || n > raw || int64(n) > r.left-blockHeader {
		return nil, fmt.Errorf("%w: a block claims %d bytes, stored as %d, where %d are left", ErrCorrupt, raw, n, r.left-blockHeader)
	}
	if r.stored, err = read(r.src, r.stored, int(n)); err != nil {
		return nil, err
	}
	r.left -= int64(len(r.stored))
	if crc32.Checksum(r.stored[4:], castagnoli) != binary.LittleEndian.Uint32(r.stored) {
		return nil, fmt.Errorf("%w: the checksum of a block is wrong", ErrCorrupt)
	}
	if n == raw {
		return r.stored[blockHeader:], nil
	}
	if r.raw, err = serialize.Decompress(r.raw[:0], r.stored[blockHeader:], int(raw)); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if len(r.raw) != int(raw) {
		return nil, fmt.Errorf("%w: a block of %d bytes has %d", ErrCorrupt, raw, len(r.raw))
	}
	return r.raw, nil
}

// read appends n bytes of src to dst. It grows with what comes: a size that was only claimed allocates little.
func read(src io.Reader, dst []byte, n int) ([]byte, error) {
	for n > 0 {
		step := min(n, max(len(dst), blockSize+blockHeader))
		dst = slices.Grow(dst, step)
		m, err := io.ReadFull(src, dst[len(dst):len(dst)+step])
		dst, n = dst[:len(dst)+m], n-m
		if err == io.EOF { // a wrapped one is a lost connection
			err = io.ErrUnexpectedEOF
		}
		if err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// record is what stands at the beginning of records.
type record struct {
	shared int // bytes of the key that are those of the last one
	rest   []byte
	value  []byte
	size   int // of all of it
}

// parse reads the first record of data, whose last key had known bytes.
func parse(data []byte, known int) (record, error) {
	var r record
	shared, i := binary.Uvarint(data)
	if i <= 0 || shared > uint64(known) {
		return r, errRecord
	}
	n, j := binary.Uvarint(data[i:])
	if i += j; j <= 0 || n > uint64(len(data)-i) {
		return r, errRecord
	}
	r.shared, r.rest = int(shared), data[i:i+int(n)]
	i += int(n)
	n, j = binary.Uvarint(data[i:])
	if i += j; j <= 0 || n > uint64(len(data)-i) {
		return r, errRecord
	}
	r.size = i + int(n)
	r.value = data[i:r.size]
	return r, nil
}

var errRecord = fmt.Errorf("%w: a record does not end in its block", ErrCorrupt)
