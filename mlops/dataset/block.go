package dataset

import (
	"encoding/binary"
	"slices"
)

// BlockRows is how many rows a block has at most.
const BlockRows = 1024

// Block is some rows that follow one another, column by column: those of its schema, in order. Who yields a block uses it again
// for the next one.
type Block struct {
	Rows    int
	Columns []Data
	// IDs tell rows apart, and do not depend on how the input was split: a hash of which object of the input a row is from, and
	// of where in it the row ends, or of IDX its number.
	IDs []uint64

	from *origin // nil: nobody has read the rows
}

// Data are the values of a column: one of the three, as its kind says.
type Data struct {
	Numbers []float64 // one a row; NaN is missing
	Strings Strings
	Vectors Vectors
}

// Strings are values one after another in one buffer.
type Strings struct {
	Bytes   []byte
	Ends    []uint32 // of each row's value in Bytes; it begins where the one before ends
	Missing []bool   // by row; nil where none is
}

// At returns a row's value, which is valid as long as the block.
func (s *Strings) At(row int) []byte {
	begin := uint32(0)
	if row > 0 {
		begin = s.Ends[row-1]
	}
	return s.Bytes[begin:s.Ends[row]:s.Ends[row]]
}

// IsMissing reports whether a row has no value. Its value is then empty, which a value that is not missing may be, too.
func (s *Strings) IsMissing(row int) bool { return s.Missing != nil && s.Missing[row] }

// Add adds a row's value.
func (s *Strings) Add(value []byte) {
	s.Bytes = append(s.Bytes, value...)
	s.Ends = append(s.Ends, uint32(len(s.Bytes)))
	if s.Missing != nil {
		s.Missing = append(s.Missing, false)
	}
}

// addShort adds a row's value of up to 8 bytes, of 8 that may be read: one copy whose length is known.
func (s *Strings) addShort(value []byte, n int) {
	at := len(s.Bytes)
	if cap(s.Bytes) < at+8 {
		s.Bytes = slices.Grow(s.Bytes, max(8, at))
	}
	binary.LittleEndian.PutUint64(s.Bytes[at:at+8], binary.LittleEndian.Uint64(value))
	s.Bytes = s.Bytes[:at+n]
	s.Ends = append(s.Ends, uint32(at+n))
	if s.Missing != nil {
		s.Missing = append(s.Missing, false)
	}
}

// AddMissing adds a row without a value.
func (s *Strings) AddMissing() {
	if s.Missing == nil {
		s.Missing = make([]bool, len(s.Ends), cap(s.Ends))
	}
	s.Ends = append(s.Ends, uint32(len(s.Bytes)))
	s.Missing = append(s.Missing, true)
}

// Vectors are rows of numbers. Dense ones have their width of values each, one row after another. Of sparse ones, those that are
// not stored are zero: row i has the values, and their places, from Ptr[i] to Ptr[i+1], the places rising.
type Vectors struct {
	Ptr []int // nil: dense
	Idx []uint32
	Val []float32
}

// Reset empties the block, and keeps its memory.
func (b *Block) Reset() {
	b.Rows, b.IDs, b.from = 0, b.IDs[:0], nil
	for i := range b.Columns {
		d := &b.Columns[i]
		d.Numbers = d.Numbers[:0]
		d.Strings = Strings{Bytes: d.Strings.Bytes[:0], Ends: d.Strings.Ends[:0]}
		if d.Vectors.Ptr != nil {
			d.Vectors.Ptr = append(d.Vectors.Ptr[:0], 0)
		}
		d.Vectors.Idx, d.Vectors.Val = d.Vectors.Idx[:0], d.Vectors.Val[:0]
	}
}

// Clone returns a copy that stays valid.
func (b *Block) Clone() *Block {
	c := &Block{Rows: b.Rows, IDs: slices.Clone(b.IDs), Columns: slices.Clone(b.Columns), from: b.from}
	for i := range c.Columns {
		d := &c.Columns[i]
		d.Numbers = slices.Clone(d.Numbers)
		d.Strings = Strings{slices.Clone(d.Strings.Bytes), slices.Clone(d.Strings.Ends), slices.Clone(d.Strings.Missing)}
		d.Vectors = Vectors{slices.Clone(d.Vectors.Ptr), slices.Clone(d.Vectors.Idx), slices.Clone(d.Vectors.Val)}
	}
	return c
}
