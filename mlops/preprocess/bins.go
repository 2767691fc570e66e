package preprocess

import (
	"fmt"
	"io/fs"
	"slices"

	"github.com/gowren/gowren/mlops/dataset"
)

func init() { Register(builtin, Bins{}, &binsFit{}, Binned{}) }

// Bins brings columns to numbers of bins, 0 and up: as many rows in each, or with Equal as wide each. What is missing is in a
// bin of its own, the one with the number Bins. Numbers outside of what was fitted are in the first or the last bin.
//
// Where quantiles are equal, as of a column with fewer values than bins, some bins fall away. Quantiles are those of a
// sample; see [Quantile]. The ends of bins of equal width are exact.
type Bins struct {
	Columns []string // of numbers; empty: all features that are
	Bins    int      // at most 255. Defaults to 255
	Equal   bool     // width
}

// Plan fits in one pass, with up to 32 MiB.
func (s Bins) Plan(in dataset.Schema) (Plan, error) {
	if s.Bins == 0 {
		s.Bins = 255
	}
	if s.Bins < 2 || s.Bins > 255 {
		return Plan{}, fmt.Errorf("bins: %d, and not 2 to 255: %w", s.Bins, fs.ErrInvalid)
	}
	f, err := newSampler("bins", in, s.Columns)
	if s.Equal {
		f.Sample = newSample(0)
	}
	return Plan{Reads: f.Columns, Writes: f.Columns, Out: in, Fitter: &binsFit{s, f, make([]extent, len(f.Columns))}}, err
}

type binsFit struct {
	Step    Bins
	Sampler sampler
	Extents []extent // of equal width
}

func (f *binsFit) See(in dataset.Schema, b *dataset.Block) error {
	if !f.Step.Equal {
		return f.Sampler.see("bins", in, b)
	}
	f.Sampler.Rows += int64(b.Rows)
	return eachNumber("bins", in, b, f.Sampler.Columns, func(i int, values []float64) error {
		return f.Extents[i].see(dataset.Column{Kind: dataset.Number}, b.Rows, &dataset.Data{Numbers: values})
	})
}

func (f *binsFit) samples() *sampler { return &f.Sampler }

func (f *binsFit) whole() bool {
	if f.Step.Equal {
		return len(f.Extents) == len(f.Sampler.Columns) && f.Sampler.Sample.Width == 0 && f.Sampler.Sample.Most > 0 &&
			!slices.ContainsFunc(f.Extents, func(e extent) bool { return !e.whole() || len(e.Least) > 1 })
	}
	return f.Sampler.whole()
}

func (f *binsFit) Merge(other Fitter) error {
	o, err := same(f, other)
	if err != nil {
		return err
	}
	if err := mergeExtents(f.Extents, o.Extents); err != nil {
		return err
	}
	return f.Sampler.merge(&o.Sampler)
}

func (f *binsFit) Fit() (Transform, error) {
	t := Binned{Columns: f.Sampler.Columns, Bins: f.Step.Bins}
	if f.Sampler.Rows == 0 && len(t.Columns) > 0 {
		return nil, errNothing
	}
	for j, name := range t.Columns {
		edges := Numbers{}
		if f.Step.Equal {
			least, most, ok := f.Extents[j].of(0)
			if ok && most-least > 1.7e308 {
				return nil, errInfinite("bins", name, least, most)
			}
			for i := 1; ok && least < most && i < t.Bins; i++ {
				edges = append(edges, least+(most-least)*(float64(i)/float64(t.Bins)))
			}
		} else {
			values, err := f.Sampler.column("bins", j)
			if err != nil {
				return nil, err
			}
			for i := 1; len(values) > 0 && i < t.Bins; i++ {
				// A bin that ends where the column begins would be empty.
				if q := quantile(values, part(i, t.Bins+1)); q > values[0] && q < values[len(values)-1] {
					edges = append(edges, q)
				}
			}
		}
		t.Edges = append(t.Edges, slices.Compact(edges))
	}
	return t, nil
}

// Binned is what [Bins] becomes.
type Binned struct {
	Columns []string
	Bins    int
	Edges   []Numbers // of each column: where each bin but the first begins
}

// Out returns in, which has the columns in it.
func (t Binned) Out(in dataset.Schema) (dataset.Schema, error) {
	if len(t.Edges) != len(t.Columns) {
		return in, errOther
	}
	return kept(in, t.Columns)
}

// Apply finds a block's bins, by binary search.
func (t Binned) Apply(in dataset.Schema, b *dataset.Block) error {
	return eachNumber("bins", in, b, t.Columns, func(column int, values []float64) error {
		edges := t.Edges[column]
		for i, x := range values {
			if x != x {
				values[i] = float64(t.Bins)
				continue
			}
			bin := before(edges, x)
			if bin < len(edges) && edges[bin] == x {
				bin++
			}
			values[i] = float64(bin)
		}
		return nil
	})
}
