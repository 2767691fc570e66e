package preprocess

import (
	"math"

	"github.com/gowren/gowren/internal/exact"
	"github.com/gowren/gowren/mlops/dataset"
)

func init() { Register(builtin, YeoJohnson{}, &yeoFit{}) }

// YeoJohnson makes the distribution of numbers more like a normal one by a power, which it finds for each column: that of
// the largest likelihood between −8 and 8, on a sample as that of [Quantile]. Numbers may have both signs. A StandardScore
// often follows it. Infinities are an error. Powers that would leave less than about 20 bits of what tells the numbers of a
// column apart are not taken: far from zero, the column may stay as it is.
type YeoJohnson struct {
	Columns []string // of numbers; empty: all features that are
}

// Plan fits in one pass, with up to 32 MiB.
func (s YeoJohnson) Plan(in dataset.Schema) (Plan, error) {
	f, err := newSampler("yeo-johnson", in, s.Columns)
	return Plan{Reads: f.Columns, Writes: f.Columns, Out: in, Fitter: &yeoFit{f}}, err
}

type yeoFit struct{ Sampler sampler }

func (f *yeoFit) See(in dataset.Schema, b *dataset.Block) error {
	return f.Sampler.see("yeo-johnson", in, b)
}

func (f *yeoFit) samples() *sampler { return &f.Sampler }

func (f *yeoFit) whole() bool { return f.Sampler.whole() }

func (f *yeoFit) Merge(other Fitter) error {
	o, err := same(f, other)
	if err != nil {
		return err
	}
	return f.Sampler.merge(&o.Sampler)
}

func (f *yeoFit) Fit() (Transform, error) {
	t := Changed{By: yeoOf, Columns: f.Sampler.Columns}
	for j := range t.Columns {
		values, err := f.Sampler.column("yeo-johnson", j)
		if err != nil {
			return nil, err
		}
		t.With = append(t.With, yeoLambda(values))
	}
	return t, nil
}

// yeoJohnson is the transform of I.-K. Yeo and R. A. Johnson, "A new family of power transformations to improve normality or
// symmetry" (2000).
func yeoJohnson(x, lambda float64) float64 {
	if x < 0 {
		x, lambda = -x, 2-lambda
		return -yeoJohnson(x, lambda)
	}
	switch {
	case lambda == 1: // to the bit
		return x
	case math.Abs(lambda) < 1e-15:
		return math.Log1p(x)
	}
	return math.Expm1(lambda*math.Log1p(x)) / lambda
}

// least is how small the deviation of transformed numbers may be, beside the largest of them. A float64 has 52 bits: with
// less, rounding tells more of the variance than the numbers do.
const least = 1. / (1 << 32)

// smallest is the smallest float64 that has all its bits.
const smallest = 0x1p-1022

// yeoLambda returns the power of the largest likelihood. The likelihood has one maximum: golden section finds it, to half of
// the digits of a number, beyond which its values do not differ. A power by which nothing can be told has no likelihood; of
// two such, the way is towards 1, which changes nothing.
func yeoLambda(values []float64) float64 {
	if len(values) == 0 || values[0] == values[len(values)-1] {
		return 1
	}
	logs := 0.
	for _, x := range values {
		logs += math.Copysign(math.Log1p(math.Abs(x)), x)
	}
	changed := make([]float64, len(values))
	likelihood := func(lambda float64) float64 {
		for i, x := range values {
			changed[i] = yeoJohnson(x, lambda)
		}
		var m exact.Moments
		m.AddAll(changed)
		v, most := m.Variance(), max(-changed[0], changed[len(changed)-1]) // as values are sorted
		if !(v >= smallest && math.Sqrt(v) >= least*most) {
			return math.Inf(-1)
		}
		l := -float64(len(values))/2*math.Log(v) + (lambda-1)*logs
		if math.IsNaN(l) {
			return math.Inf(-1)
		}
		return l
	}
	const ratio = .6180339887498949
	a, b := -8., 8.
	c, d := b-ratio*(b-a), a+ratio*(b-a)
	atC, atD := likelihood(c), likelihood(d)
	for b-a > 1e-8 {
		if atC > atD || atC == atD && d > 1 {
			b, d, atD = d, c, atC
			c = b - ratio*(b-a)
			atC = likelihood(c)
		} else {
			a, c, atC = c, d, atD
			d = a + ratio*(b-a)
			atD = likelihood(d)
		}
	}
	if found := (a + b) / 2; likelihood(found) > likelihood(1) {
		return found
	}
	return 1
}
