package preprocess

import (
	"math"
	"slices"

	"github.com/gowren/gowren/internal/exact"
	"github.com/gowren/gowren/mlops/dataset"
)

func init() { Register(builtin, StandardScore{}, &momentsFit{}) }

// StandardScore takes from columns their mean, and divides them by their deviation: the root of the mean squared distance
// from the mean. Both are those of the exact sums, so columns far from zero lose nothing. A column whose numbers are all
// equal is not divided, and becomes zero. (Others are always divided; scikit-learn leaves out those whose deviation its sums
// cannot tell from rounding.) A column without any number stays as it is. Infinities are an error, and so are
// sparse vectors unless KeepMean is set, since their zeros would be stored.
type StandardScore struct {
	Columns       []string // of numbers and vectors; empty: all features that are
	KeepMean      bool     // the mean is not taken away
	KeepDeviation bool     // nothing is divided
}

// Plan fits in one pass, with about 300 bytes a coordinate.
func (s StandardScore) Plan(in dataset.Schema) (Plan, error) {
	columns, err := choose("standardscore", in, s.Columns, dataset.Number, dataset.Vector)
	if err != nil {
		return Plan{}, err
	}
	f := &momentsFit{Step: s, Columns: namesOf(columns), Moments: make([]moments, len(columns))}
	return Plan{Reads: f.Columns, Writes: f.Columns, Out: in, Fitter: f}, nil
}

// moments are those of a column, or of each coordinate of a vector.
type moments struct {
	Of     []exact.Moments
	Stored []int64 // of sparse rows: how often a value was stored, also NaN
	Rows   int64   // sparse ones

	column []float64 // scratch
}

// see takes a column of a block.
func (m *moments) see(c dataset.Column, rows int, d *dataset.Data) error {
	if c.Kind == dataset.Number {
		m.Of = grown(m.Of, 1, exact.Moments{})
		m.Of[0].AddAll(d.Numbers)
		return nil
	}
	m.Of = grown(m.Of, c.Width, exact.Moments{})
	v := &d.Vectors
	if v.Ptr == nil {
		if len(v.Val) != rows*c.Width {
			return errWhole(c)
		}
		m.column = slices.Grow(m.column[:0], rows)[:rows]
		for j := range c.Width {
			for i := range m.column {
				m.column[i] = float64(v.Val[i*c.Width+j])
			}
			m.Of[j].AddAll(m.column)
		}
		return nil
	}
	m.Stored = grown(m.Stored, c.Width, 0)
	m.Rows += int64(rows)
	for i, j := range v.Idx {
		if int(j) >= c.Width {
			return errWhole(c)
		}
		m.Stored[j]++
		m.Of[j].Add(float64(v.Val[i]))
	}
	return nil
}

func (m *moments) merge(o *moments) {
	m.Of = grown(m.Of, len(o.Of), exact.Moments{})
	for j := range o.Of {
		m.Of[j].Merge(&o.Of[j])
	}
	m.Stored = grown(m.Stored, len(o.Stored), 0)
	for j, n := range o.Stored {
		m.Stored[j] += n
	}
	m.Rows += o.Rows
}

// of returns the moments of a coordinate, with the zeros that were not stored.
func (m *moments) of(j int) exact.Moments {
	var all exact.Moments
	all.Merge(&m.Of[j])
	if j < len(m.Stored) {
		all.AddZeros(m.Rows - m.Stored[j])
	}
	return all
}

// momentsFit fits [StandardScore].
type momentsFit struct {
	Step    StandardScore
	Columns []string
	Moments []moments
	Rows    int64
}

func (f *momentsFit) See(in dataset.Schema, b *dataset.Block) error {
	f.Rows += int64(b.Rows)
	next := 0
	for i, name := range f.Columns {
		if next = in.Next(name, next); next < 0 {
			return errColumn("standardscore", in, name)
		}
		c, d := in.Columns[next], &b.Columns[next]
		if !f.Step.KeepMean && d.Vectors.Ptr != nil {
			return errSparse("standardscore", name)
		}
		if err := f.Moments[i].see(c, b.Rows, d); err != nil {
			return err
		}
	}
	return nil
}

func (f *momentsFit) whole() bool {
	return len(f.Moments) == len(f.Columns) && !slices.ContainsFunc(f.Moments, func(m moments) bool { return len(m.Stored) > len(m.Of) })
}

func (f *momentsFit) Merge(other Fitter) error {
	o, err := same(f, other)
	if err != nil {
		return err
	}
	if len(o.Moments) != len(f.Moments) {
		return errOther
	}
	for i := range f.Moments {
		f.Moments[i].merge(&o.Moments[i])
	}
	f.Rows += o.Rows
	return nil
}

func (f *momentsFit) Fit() (Transform, error) {
	if f.Rows == 0 && len(f.Columns) > 0 {
		return nil, errNothing
	}
	s := Scaled{Low: 0, High: 1}
	for i, name := range f.Columns {
		n := len(f.Moments[i].Of)
		c := ScaledColumn{name, make([]float64, n), slices.Repeat([]float64{1}, n)}
		for j := range n {
			m := f.Moments[i].of(j)
			if m.Count == 0 {
				continue
			}
			mean, deviation := m.Mean(), m.Deviation()
			if math.IsInf(mean, 0) || math.IsNaN(deviation) || math.IsInf(deviation, 0) {
				return nil, errInfinite("standardscore", name, m.Min(), m.Max())
			}
			if !f.Step.KeepMean {
				c.Sub[j] = mean
			}
			if !f.Step.KeepDeviation && deviation > 0 {
				c.Div[j] = deviation
			}
		}
		s.Columns = append(s.Columns, c)
	}
	return s, nil
}
