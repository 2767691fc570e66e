package preprocess

import (
	"math"

	"github.com/gowren/gowren/internal/exact"
	"github.com/gowren/gowren/mlops/dataset"
)

func init() { Register("yeojohnson", YeoJohnson{}, &yeoFit{}) }

// YeoJohnson makes the distribution of numbers more like a normal one by a power, which it finds for each column: that of
// the largest likelihood between −8 and 8, on a sample as that of [Quantile]. Numbers may have both signs. A StandardScore
// often follows it. Infinities are an error.
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
	if math.Abs(lambda) < 1e-15 {
		return math.Log1p(x)
	}
	return math.Expm1(lambda*math.Log1p(x)) / lambda
}

// yeoLambda returns the power of the largest likelihood. The likelihood has one maximum: golden section finds it, to half of
// the digits of a number, beyond which its values do not differ. Where numbers would be rounded to one by that power, it is 1.
func yeoLambda(values []float64) float64 {
	if len(values) == 0 || values[0] == values[len(values)-1] {
		return 1
	}
	likelihood := yeoLikelihood(values)
	const ratio = .6180339887498949
	a, b := -8., 8.
	c, d := b-ratio*(b-a), a+ratio*(b-a)
	atC, atD := likelihood(c), likelihood(d)
	for b-a > 1e-8 {
		if math.IsInf(atC, -1) && math.IsInf(atD, -1) { // beyond what numbers can hold
			return 1
		}
		if atC >= atD {
			b, d, atD = d, c, atC
			c = b - ratio*(b-a)
			atC = likelihood(c)
		} else {
			a, c, atC = c, d, atD
			d = a + ratio*(b-a)
			atD = likelihood(d)
		}
	}
	lambda := (a + b) / 2
	if first, last := yeoJohnson(values[0], lambda), yeoJohnson(values[len(values)-1], lambda); !(last > first) || math.IsInf(last-first, 0) {
		return 1
	}
	return lambda
}

// yeoLikelihood returns the logarithm of the likelihood of a power, but for what does not depend on it, for numbers in order.
// Numbers of one sign that are far from zero differ by little in what they are changed to: there, differences to one of them
// are taken without what all have in common.
func yeoLikelihood(values []float64) func(lambda float64) float64 {
	logs := 0.
	for _, x := range values {
		logs += math.Copysign(math.Log1p(math.Abs(x)), x)
	}
	n := float64(len(values))
	middle := math.Log1p(math.Abs(values[len(values)/2]))
	changed := make([]float64, len(values))
	return func(lambda float64) float64 {
		power, common := lambda, 0.
		one := true
		switch {
		case values[0] >= 0:
		case values[len(values)-1] < 0:
			power = 2 - lambda
		default:
			one = false
		}
		if one {
			common = 2 * power * middle
		}
		for i, x := range values {
			switch {
			case !one:
				changed[i] = yeoJohnson(x, lambda)
			case math.Abs(power) < 1e-15:
				changed[i] = math.Log1p(math.Abs(x)) - middle
			default:
				changed[i] = math.Expm1(power*(math.Log1p(math.Abs(x))-middle)) / power
			}
		}
		var m exact.Moments
		m.AddAll(changed)
		const least = 0x1p-1022
		if v := m.Variance(); v >= least && !math.IsInf(v, 1) {
			return -n/2*(math.Log(v)+common) + (lambda-1)*logs
		}
		return math.Inf(-1) // also of NaN
	}
}
