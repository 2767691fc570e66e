package preprocess

import (
	"math"

	"github.com/gowren/gowren/mlops/dataset"
)

func init() { Register(builtin, Robust{}, &robustFit{}) }

// Robust takes from columns their median, and divides them by the distance between their quartiles, so that a few values far
// out do not count. Where that is zero, nothing is divided; where it is more than a float64 holds, it is an error. The quantiles are those of a sample; see [Quantile].
type Robust struct {
	Columns []string // of numbers; empty: all features that are
}

// Plan fits in one pass, with up to 32 MiB.
func (s Robust) Plan(in dataset.Schema) (Plan, error) {
	f, err := newSampler("robust", in, s.Columns)
	return Plan{Reads: f.Columns, Writes: f.Columns, Out: in, Fitter: &robustFit{f}}, err
}

type robustFit struct{ Sampler sampler }

func (f *robustFit) See(in dataset.Schema, b *dataset.Block) error {
	return f.Sampler.see("robust", in, b)
}

func (f *robustFit) samples() *sampler { return &f.Sampler }

func (f *robustFit) whole() bool { return f.Sampler.whole() }

func (f *robustFit) Merge(other Fitter) error {
	o, err := same(f, other)
	if err != nil {
		return err
	}
	return f.Sampler.merge(&o.Sampler)
}

func (f *robustFit) Fit() (Transform, error) {
	s := Scaled{Low: 0, High: 1}
	for j, name := range f.Sampler.Columns {
		values, err := f.Sampler.column("robust", j)
		if err != nil {
			return nil, err
		}
		sub, div := 0., 1.
		if len(values) > 0 {
			low, high := quantile(values, .25), quantile(values, .75)
			if sub, div = quantile(values, .5), high-low; math.IsInf(div, 0) {
				return nil, errInfinite("robust", name, low, high)
			}
		}
		if div == 0 {
			div = 1
		}
		s.Columns = append(s.Columns, ScaledColumn{name, []float64{sub}, []float64{div}})
	}
	return s, nil
}
