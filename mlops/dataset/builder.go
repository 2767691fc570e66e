package dataset

import "math"

// blockBytes is how many bytes of strings and vectors a block has before it ends early, with fewer rows.
const blockBytes = 8 << 20

// stride is how far the numbers of two columns lie apart: not a power of two, of which the processor's cache could hold only a
// few columns.
const stride = BlockRows + 8

// builder makes blocks row by row. What is written to a row counts when end has been called.
type builder struct {
	schema  Schema
	object  int
	columns []Data // Numbers are as long as a block can be
	ids     []uint64
	rows    int
	vectors []*Vectors
	strings []*Strings
	unread  []bool // by column: all values are missing
	block   Block
	from    *origin
}

func newBuilder(s Schema, object int) *builder {
	b := &builder{schema: s, object: object, columns: make([]Data, len(s.Columns)), unread: make([]bool, len(s.Columns)), ids: make([]uint64, 0, BlockRows)}
	numbers := 0
	for _, c := range s.Columns {
		if c.Kind == Number {
			numbers++
		}
	}
	slab := make([]float64, numbers*stride)
	for i, c := range s.Columns {
		if c.Kind == Number {
			b.columns[i].Numbers, slab = slab[:BlockRows:BlockRows], slab[stride:]
		}
		if c.Kind == Vector {
			b.vectors = append(b.vectors, &b.columns[i].Vectors)
		}
		if c.Kind == String {
			b.strings = append(b.strings, &b.columns[i].Strings)
		}
	}
	return b
}

// sparse makes a column of vectors sparse.
func (b *builder) sparse(column int) { b.columns[column].Vectors.Ptr = []int{0} }

// ignore has the ignored columns not be read, except one.
func (b *builder) ignore(except string) {
	for i, c := range b.schema.Columns {
		if b.unread[i] = c.Role == Ignored && c.Name != except; b.unread[i] && c.Kind == Vector {
			b.sparse(i)
		}
	}
}

// lack has the columns that are not read be missing. The memory of a block's numbers is used again, and who had the one before may
// have changed them.
func (b *builder) lack() {
	for i, unread := range b.unread {
		switch d := &b.columns[i]; {
		case !unread:
		case d.Numbers != nil:
			for row := range b.rows {
				d.Numbers[row] = math.NaN()
			}
		case b.schema.Columns[i].Kind == String:
			for range b.rows {
				d.Strings.AddMissing()
			}
		}
	}
}

// end ends the row that ends at an offset, or has a number. It reports whether the block is full.
func (b *builder) end(at int64) bool {
	b.rows++
	b.ids = append(b.ids, rowID(b.object, at))
	size := 0
	for _, v := range b.vectors {
		if v.Ptr != nil {
			v.Ptr = append(v.Ptr, len(v.Val))
		}
		size += 8 * len(v.Val)
	}
	for _, s := range b.strings {
		size += len(s.Bytes)
	}
	return b.rows == BlockRows || size >= blockBytes
}

// undo takes out what was written since the last row's end.
func (b *builder) undo() {
	for i, c := range b.schema.Columns {
		d := &b.columns[i]
		if b.unread[i] {
			continue
		}
		switch c.Kind {
		case String:
			s := &d.Strings
			s.Ends = s.Ends[:b.rows]
			end := uint32(0)
			if b.rows > 0 {
				end = s.Ends[b.rows-1]
			}
			s.Bytes = s.Bytes[:end]
			if s.Missing != nil {
				s.Missing = s.Missing[:b.rows]
			}
		case Vector:
			v := &d.Vectors
			if v.Ptr != nil {
				v.Val, v.Idx = v.Val[:v.Ptr[b.rows]], v.Idx[:v.Ptr[b.rows]]
			} else {
				v.Val = v.Val[:b.rows*c.Width]
			}
		}
	}
}

// take returns the block, which is valid until the next row is written. Its columns are its own: who replaces one changes
// nothing here.
func (b *builder) take() *Block {
	b.lack()
	b.block = Block{Rows: b.rows, Columns: append(b.block.Columns[:0], b.columns...), IDs: b.ids, from: b.from}
	for i, c := range b.schema.Columns {
		d := &b.columns[i]
		switch c.Kind {
		case Number:
			b.block.Columns[i].Numbers = d.Numbers[:b.rows:b.rows]
		case String:
			d.Strings = Strings{Bytes: d.Strings.Bytes[:0], Ends: d.Strings.Ends[:0]}
		case Vector:
			v := &d.Vectors
			if v.Ptr != nil {
				v.Ptr = v.Ptr[:1] // which is 0
				v.Idx = v.Idx[:0]
			}
			v.Val = v.Val[:0]
		}
	}
	b.rows, b.ids = 0, b.ids[:0]
	return &b.block
}

// rowID is different for each offset of an object, and as good as random.
func rowID(object int, at int64) uint64 {
	return mix(mix(uint64(object)) + uint64(at))
}

// mix is the last step of splitmix64: every bit of the result depends on every bit of x, and none is lost.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
