package dataset

import (
	"fmt"
	"hash/crc32"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// Group is a row group in memory, and a [Batch] of all its rows. Each [Set.Read] into it overwrites the rows before.
type Group struct {
	Batch

	raw    []byte // which the batch's slices are of
	stored []byte // where that is something else
}

// decompressor is shared by all: it has no state between frames.
var decompressor = sync.OnceValues(func() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecodeAllCapLimit(true))
})

// room returns where the stored bytes of a group go.
func (g *Group) room(h *header, group int) []byte {
	n := int(h.groups[group].bytes)
	if h.zstd {
		g.stored = buffer(g.stored, n)
		return g.stored
	}
	g.raw = buffer(g.raw, n)
	return g.raw
}

// decode makes rows of the bytes that were read into the room of a group. Any bytes are rows that can be used, or an error.
func (g *Group) decode(h *header, group int) error {
	e := h.groups[group]
	stored := g.raw
	if h.zstd {
		stored = g.stored
	}
	if sum := crc32.Checksum(stored, castagnoli); sum != e.sum {
		return fmt.Errorf("the checksum is %08x, and stored is %08x", sum, e.sum)
	}
	rows := h.rowsOf(group)
	l := h.layout(rows, int64(e.nonZeros))
	if h.zstd {
		d, err := decompressor()
		if err != nil {
			return err
		}
		g.raw = buffer(g.raw, int(l.size))
		out, err := d.DecodeAll(stored, g.raw[:0:l.size])
		if err != nil {
			return err
		}
		if int64(len(out)) != l.size {
			return fmt.Errorf("%d bytes when decompressed, and not %d", len(out), l.size)
		}
	}
	if !littleEndian {
		turn(g.raw)
	}
	return g.view(&h.form, l, rows, int(e.nonZeros))
}

// view lays the batch over the bytes.
func (g *Group) view(f *form, l layout, rows, nonZeros int) error {
	ptr := g.Ptr[:0]
	g.Batch = Batch{Rows: rows, Width: f.width}
	if f.labels {
		g.Labels = wordsOf[float32](g.raw, int(l.labels), rows)
	}
	if f.weights {
		g.Weights = wordsOf[float32](g.raw, int(l.weights), rows)
	}
	if !f.sparse {
		g.Values = wordsOf[float32](g.raw, int(l.values), rows*f.width)
		return nil
	}
	if cap(ptr) <= rows {
		ptr = make([]int, 0, rows+1)
	}
	for _, end := range wordsOf[uint32](g.raw, int(l.ptr), rows+1) {
		ptr = append(ptr, int(end))
	}
	g.Ptr = ptr
	g.Idx = wordsOf[uint32](g.raw, int(l.idx), nonZeros)
	g.Values = wordsOf[float32](g.raw, int(l.values), nonZeros)
	return g.check()
}

// check returns an error unless a batch is one as [Batch] says.
func (b *Batch) check() error {
	switch {
	case b.Rows < 0 || b.Width < 0:
		return fmt.Errorf("%d rows, %d wide", b.Rows, b.Width)
	case b.Labels != nil && len(b.Labels) != b.Rows || b.Weights != nil && len(b.Weights) != b.Rows:
		return fmt.Errorf("%d labels and %d weights of %d rows", len(b.Labels), len(b.Weights), b.Rows)
	case !b.Sparse() && (len(b.Values) != b.Rows*b.Width || b.Idx != nil):
		return fmt.Errorf("%d values of %d rows, %d wide", len(b.Values), b.Rows, b.Width)
	case !b.Sparse():
		return nil
	case len(b.Ptr) != b.Rows+1 || b.Ptr[0] != 0 || b.Ptr[b.Rows] != len(b.Values) || len(b.Idx) != len(b.Values):
		return fmt.Errorf("%d rows with %d ends, of %d values at %d places", b.Rows, len(b.Ptr), len(b.Values), len(b.Idx))
	}
	for i, end := range b.Ptr[1:] {
		from := b.Ptr[i]
		if from > end || end > len(b.Idx) {
			return fmt.Errorf("row %d has the values from %d to %d, of %d", i, from, end, len(b.Idx))
		}
		if !rising(b.Idx[from:end], b.Width) {
			return fmt.Errorf("row %d has places that do not rise, or not below %d", i, b.Width)
		}
	}
	return nil
}

// rising reports whether places rise and are below width.
func rising(places []uint32, width int) bool {
	if len(places) == 0 {
		return true
	}
	last, falls := places[0], uint32(0)
	for _, p := range places[1:] {
		if p <= last {
			falls = 1
		}
		last = p
	}
	return falls == 0 && int64(last) < int64(width)
}
