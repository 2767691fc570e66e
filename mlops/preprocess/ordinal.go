package preprocess

import (
	"math"
	"slices"

	"github.com/gowren/gowren/mlops/dataset"
)

func init() { Register(builtin, Ordinal{}, &Ordinals{}) }

// Ordinal makes of each value of a column of categories its number, from 0 on: features and labels. [Fitted.Values] tells
// which value a number is. Missing values stay missing.
//
// Values have their numbers in the order of how often they occur, those that are equally frequent in the order of their
// bytes. It takes one pass, in which they are counted by key; 4 million values a column at most.
type Ordinal struct {
	Columns []string // of strings and numbers; empty: all features that are strings
	Most    int      // only so many values of each column, the most frequent ones; 0: all
	Least   int64    // only values that occur so often, at least
	Unknown Unknown  // what other values are; UnknownOther is the number after the last
	Sorted  bool     // the numbers are in the order of the values, not of how often they occur
}

// Plan needs a pass.
func (s Ordinal) Plan(in dataset.Schema) (Plan, error) {
	kinds := []dataset.Kind{dataset.String}
	if len(s.Columns) > 0 {
		kinds = append(kinds, dataset.Number)
	}
	f, err := planCategories("ordinal", in, OneHot{Columns: s.Columns, Most: s.Most, Least: s.Least, Unknown: s.Unknown, Sorted: s.Sorted}, kinds...)
	if err != nil {
		return Plan{}, err
	}
	f.Ordinal = true
	p := Plan{Out: dataset.Schema{Columns: slices.Clone(in.Columns)}, Fitter: f}
	for _, c := range f.Columns {
		p.Reads, p.Writes = append(p.Reads, c.Name), append(p.Writes, c.Name)
		p.Out.Columns[in.Index(c.Name)].Kind = dataset.Number
	}
	return p, nil
}

// Ordinals is what [Ordinal] becomes.
type Ordinals struct {
	Columns []*Categories
	Unknown Unknown
}

// Out has numbers.
func (t *Ordinals) Out(in dataset.Schema) (dataset.Schema, error) {
	out := dataset.Schema{Columns: slices.Clone(in.Columns)}
	for i, c := range t.Columns {
		at, err := c.checkNew("ordinal", in, t.Columns[:i])
		if err != nil {
			return in, err
		}
		out.Columns[at].Kind = dataset.Number
	}
	return out, nil
}

// Apply makes numbers.
func (t *Ordinals) Apply(in dataset.Schema, b *dataset.Block) error {
	return replace("ordinal", t.Columns, t.Unknown, in, b, func(c *Categories, places []int32) dataset.Data {
		numbers := make([]float64, b.Rows)
		for row, p := range places {
			if numbers[row] = float64(p); p == absent {
				numbers[row] = math.NaN()
			}
		}
		return dataset.Data{Numbers: numbers}
	})
}

// Values returns what the numbers of a column of [Ordinal] stand for, from 0 on, as the names of classes where that is the
// label, or the places of a vector of [OneHot], [Words] or [TFIDF]. It is nil for other columns.
func (f *Fitted) Values(column string) []string {
	for _, t := range slices.Backward(f.transforms) {
		switch t := t.(type) {
		case *Ordinals:
			for _, c := range t.Columns {
				if c.Column != column {
					continue
				}
				if t.Unknown == UnknownOther {
					return append(slices.Clone(c.Values), "other")
				}
				return slices.Clone(c.Values)
			}
		case *Indicators:
			for _, c := range t.Columns {
				if c.Column == column {
					return t.names(c)
				}
			}
		case *WordWeights:
			if t.Column == column {
				return slices.Clone(t.Words)
			}
		}
	}
	return nil
}
