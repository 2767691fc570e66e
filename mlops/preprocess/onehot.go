package preprocess

import (
	"fmt"
	"io/fs"
	"slices"

	"github.com/gowren/gowren/mlops/dataset"
)

func init() { Register(builtin, OneHot{}, &Indicators{}) }

// OneHot makes of each column of categories a sparse vector, in its place and with its name, that is 1 at the place of a row's
// value and 0 elsewhere. The values have their places in the order of how often they occur, those that are equally frequent
// in the order of their bytes.
//
// It takes one pass, in which the values are counted by key. The vocabulary is in memory: 4 million values a column at most.
type OneHot struct {
	Columns []string // of strings and numbers, features alone; empty: all features that are strings
	Most    int      // only so many values of each column, the most frequent ones; 0: all
	Least   int64    // only values that occur so often, at least
	Unknown Unknown  // what other values are; UnknownOther has a place, the last
	Missing bool     // missing values have a place, after those of the values. Otherwise they are zeros
	Drop    bool     // the first value has no place: it is zeros
	Sorted  bool     // the places are in the order of the values, not of how often they occur
}

// Plan needs a pass.
func (s OneHot) Plan(in dataset.Schema) (Plan, error) {
	kinds := []dataset.Kind{dataset.String}
	if len(s.Columns) > 0 {
		kinds = append(kinds, dataset.Number)
	}
	f, err := planCategories("one-hot", in, s, kinds...)
	if err != nil {
		return Plan{}, err
	}
	p := Plan{Out: dataset.Schema{Columns: slices.Clone(in.Columns)}, Fitter: f}
	for _, c := range f.Columns {
		if c.Role != dataset.Feature {
			return p, fmt.Errorf("one-hot: column %q is a %s: a label can be Ordinal: %w", c.Name, c.Role, fs.ErrInvalid)
		}
		p.Reads, p.Writes = append(p.Reads, c.Name), append(p.Writes, c.Name)
		p.Out.Columns[in.Index(c.Name)] = dataset.Column{Name: c.Name, Kind: dataset.Vector, Width: -1}
	}
	return p, nil
}

// Indicators is what [OneHot] becomes.
type Indicators struct {
	Columns []*Categories
	Unknown Unknown
	Missing bool
	Drop    bool
}

// width is how many places a column has, the one that is dropped too.
func (t *Indicators) width(c *Categories) int {
	n := len(c.Values)
	if t.Missing {
		n++
	}
	if t.Unknown == UnknownOther {
		n++
	}
	return n
}

// Out has vectors.
func (t *Indicators) Out(in dataset.Schema) (dataset.Schema, error) {
	out := dataset.Schema{Columns: slices.Clone(in.Columns)}
	for i, c := range t.Columns {
		at, err := c.checkNew("one-hot", in, t.Columns[:i])
		if err != nil {
			return in, err
		}
		width := t.width(c)
		if t.Drop {
			width--
		}
		if width < 1 {
			return in, fmt.Errorf("one-hot: column %q: %d values, of which none has a place: drop the column: %w", c.Column, len(c.Values), fs.ErrInvalid)
		}
		out.Columns[at] = dataset.Column{Name: c.Column, Kind: dataset.Vector, Width: width}
	}
	return out, nil
}

// Apply makes vectors.
func (t *Indicators) Apply(in dataset.Schema, b *dataset.Block) error {
	return replace("one-hot", t.Columns, t.Unknown, in, b, func(c *Categories, places []int32) dataset.Data {
		v := dataset.Vectors{Ptr: make([]int, 1, b.Rows+1), Idx: make([]uint32, 0, b.Rows), Val: make([]float32, 0, b.Rows)}
		for _, p := range places {
			switch {
			case p == absent && t.Missing:
				p = int32(len(c.Values))
			case p == int32(len(c.Values)) && t.Missing:
				p++ // other comes after missing
			}
			if t.Drop {
				p--
			}
			if p >= 0 {
				v.Idx, v.Val = append(v.Idx, uint32(p)), append(v.Val, 1)
			}
			v.Ptr = append(v.Ptr, len(v.Idx))
		}
		return dataset.Data{Vectors: v}
	})
}

// names are those of a column's places.
func (t *Indicators) names(c *Categories) []string {
	names := slices.Clone(c.Values)
	if t.Missing {
		names = append(names, "missing")
	}
	if t.Unknown == UnknownOther {
		names = append(names, "other")
	}
	if t.Drop {
		names = names[1:]
	}
	return names
}
