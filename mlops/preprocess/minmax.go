package preprocess

import (
	"fmt"
	"io/fs"
	"math"
	"slices"

	"github.com/gowren/gowren/mlops/dataset"
)

func init() {
	Register(builtin, MinMax{}, &extentFit{})
	Register(builtin, MaxAbs{})
}

// MinMax brings columns from their least and largest number to Low and High. Where all numbers of a column are equal, they
// become the middle of the two (scikit-learn gives Low then). Numbers outside of what was fitted come outside of Low and
// High. A column without any number stays as it is. Infinities are an error, and so are sparse vectors, whose zeros would
// be stored.
type MinMax struct {
	Columns   []string // of numbers and vectors; empty: all features that are
	Low, High float64  // default to 0 and 1
}

// Plan fits in one pass, with 16 bytes a coordinate.
func (s MinMax) Plan(in dataset.Schema) (Plan, error) {
	if s.Low == 0 && s.High == 0 {
		s.High = 1
	}
	if !(s.Low < s.High) || math.IsInf(s.High-s.Low, 0) {
		return Plan{}, fmt.Errorf("minmax: from %g to %g: %w", s.Low, s.High, fs.ErrInvalid)
	}
	return planExtent("minmax", in, s.Columns, s.Low, s.High, true)
}

// MaxAbs divides columns by their largest absolute number, so that they come between −1 and 1, and zeros stay zero. A
// column of zeros stays as it is. Infinities are an error.
type MaxAbs struct {
	Columns []string // of numbers and vectors; empty: all features that are
}

// Plan fits in one pass, with 16 bytes a coordinate, and 24 of sparse vectors.
func (s MaxAbs) Plan(in dataset.Schema) (Plan, error) {
	return planExtent("maxabs", in, s.Columns, 0, 1, false)
}

func planExtent(step string, in dataset.Schema, names []string, low, high float64, move bool) (Plan, error) {
	columns, err := choose(step, in, names, dataset.Number, dataset.Vector)
	if err != nil {
		return Plan{}, err
	}
	f := &extentFit{Step: step, Columns: namesOf(columns), Low: low, High: high, Move: move, Extents: make([]extent, len(columns))}
	return Plan{Reads: f.Columns, Writes: f.Columns, Out: in, Fitter: f}, nil
}

// extentFit fits [MinMax] and [MaxAbs].
type extentFit struct {
	Step      string
	Columns   []string
	Low, High float64
	Move      bool // the least number goes to Low; else zero stays
	Extents   []extent
	Rows      int64
}

func (f *extentFit) See(in dataset.Schema, b *dataset.Block) error {
	f.Rows += int64(b.Rows)
	next := 0
	for i, name := range f.Columns {
		if next = in.Next(name, next); next < 0 {
			return errColumn(f.Step, in, name)
		}
		c, d := in.Columns[next], &b.Columns[next]
		if f.Move && d.Vectors.Ptr != nil {
			return errSparse(f.Step, name)
		}
		if err := f.Extents[i].see(c, b.Rows, d); err != nil {
			return err
		}
	}
	return nil
}

func (f *extentFit) whole() bool {
	return len(f.Extents) == len(f.Columns) && !slices.ContainsFunc(f.Extents, func(e extent) bool { return !e.whole() })
}

func (f *extentFit) Merge(other Fitter) error {
	o, err := same(f, other)
	if err != nil {
		return err
	}
	f.Rows += o.Rows
	return mergeExtents(f.Extents, o.Extents)
}

func (f *extentFit) Fit() (Transform, error) {
	if f.Rows == 0 && len(f.Columns) > 0 {
		return nil, errNothing
	}
	s := Scaled{Low: f.Low, High: f.High}
	for i, name := range f.Columns {
		e := &f.Extents[i]
		c := ScaledColumn{name, make([]float64, len(e.Least)), slices.Repeat([]float64{1}, len(e.Least))}
		for j := range e.Least {
			least, most, ok := e.of(j)
			if !ok {
				continue
			}
			if f.Move {
				c.Sub[j], c.Div[j] = least, most-least
			} else if most = max(-least, most); most > 0 {
				c.Div[j] = most
			}
			if math.IsInf(c.Div[j], 0) || math.IsNaN(c.Div[j]) {
				return nil, errInfinite(f.Step, name, least, most)
			}
		}
		s.Columns = append(s.Columns, c)
	}
	return s, nil
}
