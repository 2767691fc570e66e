package preprocess

import (
	"fmt"
	"io/fs"
	"slices"

	"github.com/gowren/gowren/mlops/dataset"
)

func init() { Register(builtin, Scaled{}) }

// Scaled is what [MinMax], [MaxAbs], [StandardScore] and [Robust] become: it makes of x
//
//	(x − Sub) / Div · (High − Low) + Low
//
// with a Sub and a Div for each number column, and for each coordinate of a vector. Where Div is 0, all becomes the middle
// of Low and High. What is missing stays so. It goes over the values once, in place; the numbers of vectors are rounded to
// float32 at the end.
type Scaled struct {
	Columns   []ScaledColumn
	Low, High float64
}

// ScaledColumn is how a column of [Scaled] is scaled.
type ScaledColumn struct {
	Name     string
	Sub, Div []float64
}

// Out returns in, which has the columns in it.
func (s Scaled) Out(in dataset.Schema) (dataset.Schema, error) {
	for _, c := range s.Columns {
		at := in.Index(c.Name)
		if at < 0 {
			return in, errColumn("scaled", in, c.Name)
		}
		if n := max(in.Columns[at].Width, 1); len(c.Sub) != n || len(c.Div) != n || in.Columns[at].Kind == dataset.String {
			return in, fmt.Errorf("column %q has %d numbers, and was fitted with %d: %w", c.Name, n, len(c.Sub), fs.ErrInvalid)
		}
	}
	return in, nil
}

// Apply scales a block.
func (s Scaled) Apply(in dataset.Schema, b *dataset.Block) error {
	next := 0
	for _, c := range s.Columns {
		if next = in.Next(c.Name, next); next < 0 {
			return errColumn("scaled", in, c.Name)
		}
		d := &b.Columns[next]
		if in.Columns[next].Kind == dataset.Number {
			s.numbers(d.Numbers, c.Sub[0], c.Div[0])
			continue
		}
		if d.Vectors.Ptr == nil {
			s.dense(d.Vectors.Val, c)
		} else if err := s.sparse(&d.Vectors, c); err != nil {
			return err
		}
	}
	return nil
}

func (s Scaled) one(x, sub, div float64) float64 {
	if div == 0 {
		if x != x {
			return x
		}
		return s.Low + (s.High-s.Low)/2
	}
	return (x-sub)/div*(s.High-s.Low) + s.Low
}

func (s Scaled) numbers(values []float64, sub, div float64) {
	if div == 0 || s.Low != 0 || s.High != 1 {
		for i, x := range values {
			values[i] = s.one(x, sub, div)
		}
		return
	}
	for i, x := range values {
		values[i] = (x - sub) / div
	}
}

func (s Scaled) dense(values []float32, c ScaledColumn) {
	for len(values) >= len(c.Sub) && len(c.Sub) > 0 {
		for j, x := range values[:len(c.Sub)] {
			values[j] = float32(s.one(float64(x), c.Sub[j], c.Div[j]))
		}
		values = values[len(c.Sub):]
	}
}

func (s Scaled) sparse(v *dataset.Vectors, c ScaledColumn) error {
	if s.Low != 0 || slices.ContainsFunc(c.Sub, func(x float64) bool { return x != 0 }) || slices.Contains(c.Div, 0) {
		return errSparse("scaled", c.Name)
	}
	for i, j := range v.Idx {
		if int(j) >= len(c.Div) {
			return fmt.Errorf("column %q has a value at %d, and a width of %d: %w", c.Name, j, len(c.Div), fs.ErrInvalid)
		}
		v.Val[i] = float32(s.one(float64(v.Val[i]), 0, c.Div[j]))
	}
	return nil
}

// errSparse is for a step that would move the zeros of a sparse vector.
func errSparse(step, column string) error {
	return fmt.Errorf("%s: column %q is sparse, and its zeros would become another number, and be stored: "+
		"use MaxAbs, or StandardScore with KeepMean: %w", step, column, fs.ErrInvalid)
}
