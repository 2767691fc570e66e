package preprocess

import (
	"fmt"
	"io/fs"
	"math"

	"github.com/gowren/gowren/mlops/dataset"
)

func init() { Register(builtin, Clip{}, &clipFit{}, Clipped{}) }

// Clip brings numbers below Low to Low and those above High to High, infinities too.
type Clip struct {
	Columns   []string // of numbers; empty: all features that are
	Low, High float64  // math.Inf for none
	// Quantiles takes Low and High as parts of the rows, between 0 and 1: Clip{Low: .01, High: .99, Quantiles: true}. The
	// quantiles are those of a sample; see [Quantile].
	Quantiles bool
}

// Plan needs no pass, and with Quantiles one, with up to 32 MiB.
func (s Clip) Plan(in dataset.Schema) (Plan, error) {
	if !(s.Low <= s.High) || s.Quantiles && (s.Low < 0 || s.High > 1) {
		return Plan{}, fmt.Errorf("clip: from %g to %g: %w", s.Low, s.High, fs.ErrInvalid)
	}
	f, err := newSampler("clip", in, s.Columns)
	p := Plan{Reads: f.Columns, Writes: f.Columns, Out: in}
	if s.Quantiles {
		p.Fitter = &clipFit{s, f}
		return p, err
	}
	t := Clipped{Columns: f.Columns}
	for range f.Columns {
		t.Low, t.High = append(t.Low, s.Low), append(t.High, s.High)
	}
	p.Transform = t
	return p, err
}

type clipFit struct {
	Step    Clip
	Sampler sampler
}

func (f *clipFit) See(in dataset.Schema, b *dataset.Block) error { return f.Sampler.see("clip", in, b) }

func (f *clipFit) samples() *sampler { return &f.Sampler }

func (f *clipFit) whole() bool { return f.Sampler.whole() }

func (f *clipFit) Merge(other Fitter) error {
	o, err := same(f, other)
	if err != nil {
		return err
	}
	return f.Sampler.merge(&o.Sampler)
}

func (f *clipFit) Fit() (Transform, error) {
	t := Clipped{Columns: f.Sampler.Columns}
	if f.Sampler.Rows == 0 && len(t.Columns) > 0 {
		return nil, errNothing
	}
	for j, name := range t.Columns {
		low, high := lowest, highest
		if values := f.Sampler.Sample.column(j); len(values) > 0 {
			low, high = quantile(values, f.Step.Low), quantile(values, f.Step.High)
		}
		if math.IsNaN(low) || math.IsNaN(high) {
			return nil, errInfinite("clip", name, low, high)
		}
		t.Low, t.High = append(t.Low, low), append(t.High, high)
	}
	return t, nil
}

// Clipped is what [Clip] becomes.
type Clipped struct {
	Columns   []string
	Low, High Numbers // of each column
}

// Out returns in, which has the columns in it.
func (t Clipped) Out(in dataset.Schema) (dataset.Schema, error) {
	if len(t.Low) != len(t.Columns) || len(t.High) != len(t.Columns) {
		return in, errOther
	}
	return kept(in, t.Columns)
}

// Apply clips a block's numbers.
func (t Clipped) Apply(in dataset.Schema, b *dataset.Block) error {
	return eachNumber("clip", in, b, t.Columns, func(column int, values []float64) error {
		low, high := t.Low[column], t.High[column]
		for i, x := range values {
			if x < low {
				values[i] = low
			} else if x > high {
				values[i] = high
			}
		}
		return nil
	})
}
