package dataset

// Batch is some rows as a model takes them. Who yields a batch uses it again for the next one.
type Batch struct {
	Rows, Width int

	// Values are the features. Of a dense batch, row by row, Width each. Of a sparse one those that are not zero: row i has
	// Values[Ptr[i]:Ptr[i+1]], at the places Idx[Ptr[i]:Ptr[i+1]], which rise.
	Values []float32
	Ptr    []int // nil: dense
	Idx    []uint32

	Labels  []float32 // nil where there are none
	Weights []float32 // nil: each row counts once
}

// Sparse reports whether the batch is.
func (b *Batch) Sparse() bool { return b.Ptr != nil }

// Dense returns a row of a dense batch. Of a sparse one, which has the rows of [Batch.Row], it panics.
func (b *Batch) Dense(row int) []float32 {
	if b.Ptr != nil {
		panic("dataset: Dense of a sparse batch: ask Sparse first, and take Row, which has its places and values")
	}
	return b.Values[row*b.Width : (row+1)*b.Width : (row+1)*b.Width]
}

// Row returns the places and values of a row of a sparse batch. Of a dense one, which has the rows of [Batch.Dense], it panics.
func (b *Batch) Row(row int) ([]uint32, []float32) {
	if b.Ptr == nil {
		panic("dataset: Row of a dense batch: ask Sparse first, and take Dense, which has all its values")
	}
	from, to := b.Ptr[row], b.Ptr[row+1]
	return b.Idx[from:to:to], b.Values[from:to:to]
}

// Weight returns how much a row counts.
func (b *Batch) Weight(row int) float32 {
	if b.Weights == nil {
		return 1
	}
	return b.Weights[row]
}
