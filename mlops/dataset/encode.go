package dataset

import (
	"hash/crc32"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// compressor is shared by all: it has no state between frames.
var compressor = sync.OnceValues(func() (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithEncoderConcurrency(0), zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderCRC(false))
})

// encode writes the groups to where the header leaves off, and fills its table.
func (w *Writer) encode(h *header) error {
	w.out = buffer(w.out, sizeOfHeader(len(h.groups)))
	if !h.zstd {
		size := len(w.out)
		for i := range h.groups {
			n := h.rowsOf(i)
			begin, end := w.rows.span(i*h.rows, i*h.rows+n)
			size += int(h.layout(n, int64(end-begin)).size)
		}
		w.out = buffer(w.out, size)[:len(w.out)]
	}
	for i := range h.groups {
		from := i * h.rows
		to := from + h.rowsOf(i)
		begin, end := w.rows.span(from, to)
		if h.sparse {
			h.groups[i].nonZeros = uint32(end - begin)
		}
		l := h.layout(to-from, int64(end-begin))
		at := len(w.out)
		if !h.zstd {
			w.grow(int(l.size))
			w.rows.encode(h, l, from, to, w.out[at:])
		} else {
			e, err := compressor()
			if err != nil {
				return err
			}
			w.scratch = buffer(w.scratch, int(l.size))
			w.rows.encode(h, l, from, to, w.scratch)
			w.out = e.EncodeAll(w.scratch, w.out)
		}
		h.groups[i].bytes = uint32(len(w.out) - at)
		h.groups[i].sum = crc32.Checksum(w.out[at:], castagnoli)
	}
	return nil
}

// grow makes the shard longer by n bytes.
func (w *Writer) grow(n int) {
	if len(w.out)+n > cap(w.out) {
		w.out = append(buffer(nil, max(2*cap(w.out), len(w.out)+n))[:0], w.out...)
	}
	w.out = w.out[:len(w.out)+n]
}

// span returns which values those of some rows are.
func (p *pending) span(from, to int) (begin, end int) {
	if len(p.ends) == 0 || from == to {
		return 0, 0
	}
	if from > 0 {
		begin = int(p.ends[from-1])
	}
	return begin, int(p.ends[to-1])
}

// encode lays out a group in b, all of it.
func (p *pending) encode(h *header, l layout, from, to int, b []byte) {
	if h.labels {
		fill(b, l.labels, bytesOf(p.labels[from:to]))
	}
	if h.weights {
		fill(b, l.weights, bytesOf(p.weights[from:to]))
	}
	if h.sparse {
		begin, end := p.span(from, to)
		clear(b[l.ptr:l.idx])
		ptr := wordsOf[uint32](b, int(l.ptr), to-from+1)
		for i, e := range p.ends[from:to] {
			ptr[i+1] = e - uint32(begin)
		}
		fill(b, l.idx, bytesOf(p.idx[begin:end]))
		fill(b, l.values, bytesOf(p.values[begin:end]))
	} else {
		fill(b, l.values, bytesOf(p.values[from*h.width:to*h.width]))
	}
	if !littleEndian {
		turn(b)
	}
}

// fill puts an array in its place, and zeros behind it.
func fill(b []byte, at int64, data []byte) {
	end := int(at) + copy(b[at:], data)
	clear(b[end : (end+align-1)&^(align-1)])
}
