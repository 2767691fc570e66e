package preprocess

import (
	"fmt"
	"io/fs"

	"github.com/gowren/gowren/mlops/dataset"
)

// extent is the least and the largest number of a column, or of each coordinate of a vector: 16 bytes each, and 8 more of
// sparse ones. NaN is passed over.
type extent struct {
	Least, Most []float64
	Stored      []int64 // of sparse rows: how often a value was stored, also NaN
	Rows        int64   // sparse ones
}

func (e *extent) grow(n int) {
	e.Least, e.Most = grown(e.Least, n, highest), grown(e.Most, n, lowest)
}

// see takes a column of a block.
func (e *extent) see(c dataset.Column, rows int, d *dataset.Data) error {
	if c.Kind == dataset.Number {
		e.grow(1)
		least, most := e.Least[0], e.Most[0]
		for _, x := range d.Numbers {
			if x < least {
				least = x
			}
			if x > most {
				most = x
			}
		}
		e.Least[0], e.Most[0] = least, most
		return nil
	}
	e.grow(c.Width)
	v := &d.Vectors
	if v.Ptr == nil {
		if len(v.Val) != rows*c.Width {
			return errWhole(c)
		}
		for values := v.Val; len(values) > 0; values = values[c.Width:] {
			for j, x := range values[:c.Width] {
				e.add(j, float64(x))
			}
		}
		return nil
	}
	e.Stored = grown(e.Stored, c.Width, 0)
	e.Rows += int64(rows)
	for i, j := range v.Idx {
		if int(j) >= c.Width {
			return errWhole(c)
		}
		e.Stored[j]++
		e.add(int(j), float64(v.Val[i]))
	}
	return nil
}

func (e *extent) add(j int, x float64) {
	if x < e.Least[j] {
		e.Least[j] = x
	}
	if x > e.Most[j] {
		e.Most[j] = x
	}
}

func (e *extent) whole() bool {
	return len(e.Least) == len(e.Most) && len(e.Stored) <= len(e.Least)
}

func (e *extent) merge(o *extent) {
	e.grow(len(o.Least))
	for j := range o.Least {
		e.Least[j], e.Most[j] = min(e.Least[j], o.Least[j]), max(e.Most[j], o.Most[j])
	}
	e.Stored = grown(e.Stored, len(o.Stored), 0)
	for j, n := range o.Stored {
		e.Stored[j] += n
	}
	e.Rows += o.Rows
}

// of returns the extent of a coordinate, with the zeros that were not stored, or false where there is no number.
func (e *extent) of(j int) (least, most float64, ok bool) {
	if j >= len(e.Least) {
		return highest, lowest, false
	}
	least, most = e.Least[j], e.Most[j]
	if j < len(e.Stored) && e.Stored[j] < e.Rows {
		least, most = min(least, 0), max(most, 0)
	}
	return least + 0, most + 0, least <= most // + 0: zeros without a sign, whichever came first
}

func errWhole(c dataset.Column) error {
	return fmt.Errorf("column %q does not have the values of its block's rows, or a value beyond its width of %d: %w", c.Name, c.Width, fs.ErrInvalid)
}

// errInfinite is for a column that cannot be scaled.
func errInfinite(step, column string, least, most float64) error {
	return fmt.Errorf("%s: column %q goes from %g to %g, which is too far for it: Clip it first: %w", step, column, least, most, fs.ErrInvalid)
}

// mergeExtents merges those of all columns into a.
func mergeExtents(a, b []extent) error {
	if len(a) != len(b) {
		return errOther
	}
	for i := range a {
		a[i].merge(&b[i])
	}
	return nil
}
