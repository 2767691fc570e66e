package dataset

import (
	"fmt"
	"io/fs"
	"math"
	"slices"
)

// Assembler makes batches of blocks. It is for one goroutine.
type Assembler struct {
	// Missing keeps features and labels that are missing, as NaN.
	Missing bool

	schema Schema
	batch  Batch
	narrow int
}

// NewAssembler returns an assembler of blocks with a schema, whose features are numbers and vectors of a known width.
func NewAssembler(s Schema) (*Assembler, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	if err := encoded(s); err != nil {
		return nil, err
	}
	return &Assembler{schema: s, narrow: narrow}, nil
}

// Assemble returns the rows of a block, as a batch that is valid until the next: the features side by side in the order of
// the schema, the label, and the weight. It is dense where all vectors are, or where rows have 64 numbers or fewer, and otherwise
// sparse; zeros are not stored then.
//
// A feature or label that is missing is an error that names the column and the row, see [Block.Errorf], unless Missing keeps it. So is
// always a weight that is missing, and a number that float32 cannot hold because it is too large.
func (a *Assembler) Assemble(b *Block) (*Batch, error) {
	out := &a.batch
	*out = Batch{
		Rows: b.Rows, Width: a.schema.Width(),
		Values: out.Values[:0], Ptr: out.Ptr[:0], Idx: out.Idx[:0], Labels: out.Labels[:0], Weights: out.Weights[:0],
	}
	sparse, err := a.check(b)
	if err != nil {
		return nil, err
	}
	for i, c := range a.schema.Columns {
		switch c.Role {
		case Label:
			out.Labels, err = a.numbers(out.Labels, b, i)
		case Weight:
			out.Weights, err = a.numbers(out.Weights, b, i)
		}
		if err != nil {
			return nil, err
		}
	}
	if sparse && out.Width > a.narrow {
		err = a.sparse(b)
	} else {
		out.Ptr, out.Idx = nil, nil
		err = a.dense(b)
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// check returns an error unless the block is one of the schema, and whether a vector of it is sparse.
func (a *Assembler) check(b *Block) (sparse bool, err error) {
	if err := b.checkColumns(a.schema); err != nil {
		return false, err
	}
	for i, c := range a.schema.Columns {
		if c.Role == Ignored {
			continue
		}
		if err := b.Columns[i].check(c, b.Rows); err != nil {
			return false, err
		}
		v := &b.Columns[i].Vectors
		if c.Kind != Vector || v.Ptr == nil {
			continue
		}
		sparse = true
		for row := range b.Rows {
			begin, end := v.Ptr[row], v.Ptr[row+1]
			if begin > end || end > len(v.Idx) || !rising(v.Idx[begin:end], c.Width) {
				return false, fmt.Errorf("dataset: column %q, row %d of %d: places that do not rise, or not below %d: %w", c.Name, row, b.Rows, c.Width, fs.ErrInvalid)
			}
		}
	}
	return sparse, nil
}

// numbers adds a column's to dst.
func (a *Assembler) numbers(dst []float32, b *Block, column int) ([]float32, error) {
	for row, x := range b.Columns[column].Numbers {
		v, err := a.number(b, column, row, x)
		if err != nil {
			return dst, err
		}
		dst = append(dst, v)
	}
	return dst, nil
}

// number is one of a column, where it can be one of a batch.
func (a *Assembler) number(b *Block, column, row int, x float64) (float32, error) {
	v := float32(x)
	if v-v == 0 {
		return v, nil // neither NaN nor an infinity
	}
	return v, a.refuse(b, column, row, x)
}

// refuse returns an error unless a number that is none, or an infinity, may be.
func (a *Assembler) refuse(b *Block, column, row int, x float64) error {
	c := a.schema.Columns[column]
	why := ""
	switch {
	case math.IsNaN(x) && (!a.Missing || c.Role == Weight):
		why = "the value is missing: impute it first, or leave such rows out, as preprocess.DropMissing does"
	case !math.IsNaN(x) && !math.IsInf(x, 0):
		why = fmt.Sprintf("%g is too large for a float32", x)
	default:
		return nil
	}
	return b.Errorf(row, "dataset: column %q: %s: %w", c.Name, why, fs.ErrInvalid)
}

// narrow is the width up to which rows are dense whatever they are made of: places would take more than they save.
const narrow = 64

func (a *Assembler) dense(b *Block) error {
	out := &a.batch
	n := b.Rows * out.Width
	out.Values = slices.Grow(out.Values, n)[:n]
	at := 0 // in a row
	for i, c := range a.schema.Columns {
		if c.Role != Feature {
			continue
		}
		d := &b.Columns[i]
		if c.Kind == Number {
			for row, x := range d.Numbers {
				v, err := a.number(b, i, row, x)
				if err != nil {
					return err
				}
				out.Values[row*out.Width+at] = v
			}
			at++
			continue
		}
		for row := range b.Rows {
			places, values := d.Vectors.row(row, c.Width)
			if err := a.vector(b, i, row, values); err != nil {
				return err
			}
			to := out.Values[row*out.Width+at:][:c.Width]
			if places == nil {
				copy(to, values)
				continue
			}
			clear(to)
			for k, place := range places {
				to[place] = values[k]
			}
		}
		at += c.Width
	}
	return nil
}

// vector returns an error when one of the values cannot be one of a batch.
func (a *Assembler) vector(b *Block, column, row int, values []float32) error {
	for _, v := range values {
		if v != v {
			if err := a.refuse(b, column, row, float64(v)); err != nil {
				return err
			}
		}
	}
	return nil
}

func (a *Assembler) sparse(b *Block) error {
	out := &a.batch
	out.Ptr = append(out.Ptr, 0)
	for row := range b.Rows {
		base := 0
		for i, c := range a.schema.Columns {
			if c.Role != Feature {
				continue
			}
			d := &b.Columns[i]
			if c.Kind == Number {
				v, err := a.number(b, i, row, d.Numbers[row])
				if err != nil {
					return err
				}
				if v != 0 {
					out.Idx, out.Values = append(out.Idx, uint32(base)), append(out.Values, v)
				}
				base++
				continue
			}
			places, values := d.Vectors.row(row, c.Width)
			if err := a.vector(b, i, row, values); err != nil {
				return err
			}
			for k, v := range values {
				if v == 0 {
					continue
				}
				place := k
				if places != nil {
					place = int(places[k])
				}
				out.Idx, out.Values = append(out.Idx, uint32(base+place)), append(out.Values, v)
			}
			base += c.Width
		}
		out.Ptr = append(out.Ptr, len(out.Values))
	}
	return nil
}

// row returns the values of a row, and their places where they are sparse.
func (v *Vectors) row(row, width int) ([]uint32, []float32) {
	if v.Ptr == nil {
		return nil, v.Val[row*width : (row+1)*width]
	}
	return v.Idx[v.Ptr[row]:v.Ptr[row+1]], v.Val[v.Ptr[row]:v.Ptr[row+1]]
}
