package preprocess

import (
	"fmt"
	"io/fs"
	"math"

	"github.com/gowren/gowren/mlops/dataset"
)

func init() { Register(builtin, Quantile{}, &quantileFit{}, Ranked{}) }

// Quantile brings columns to what part of the rows have a smaller number, between 0 and 1, or to what a normal distribution
// has there. Between the quantiles that it keeps it goes by the line. A column without any number stays as it is.
//
// The quantiles are those of a sample, the rows with the smallest hashes of their IDs: 65,536 rows, or fewer where those
// take more than 16 MiB, which is with more than 31 columns. Of no more rows than that they are exact. Otherwise the ranks of
// all of a column's are off by at most 1.1 % of the rows, except once in a million fits; of k rows by √(7.3/k). Values that
// are missing do not count among the k.
type Quantile struct {
	Columns   []string // of numbers; empty: all features that are
	Quantiles int      // that are kept. Defaults to 1,000, and is at most the number of rows
	Normal    bool     // the numbers come as those of a normal distribution, between −5.2 and 5.2; else as uniform ones
}

// Plan fits in one pass, with up to 32 MiB.
func (s Quantile) Plan(in dataset.Schema) (Plan, error) {
	if s.Quantiles == 0 {
		s.Quantiles = 1000
	}
	if s.Quantiles < 2 || s.Quantiles > sampleRows {
		return Plan{}, fmt.Errorf("quantile: %d quantiles, and not 2 to %d: %w", s.Quantiles, sampleRows, fs.ErrInvalid)
	}
	f, err := newSampler("quantile", in, s.Columns)
	return Plan{Reads: f.Columns, Writes: f.Columns, Out: in, Fitter: &quantileFit{s, f}}, err
}

type quantileFit struct {
	Step    Quantile
	Sampler sampler
}

func (f *quantileFit) See(in dataset.Schema, b *dataset.Block) error {
	return f.Sampler.see("quantile", in, b)
}

func (f *quantileFit) samples() *sampler { return &f.Sampler }

func (f *quantileFit) whole() bool { return f.Sampler.whole() }

func (f *quantileFit) Merge(other Fitter) error {
	o, err := same(f, other)
	if err != nil {
		return err
	}
	return f.Sampler.merge(&o.Sampler)
}

func (f *quantileFit) Fit() (Transform, error) {
	r := Ranked{Columns: f.Sampler.Columns, Normal: f.Step.Normal}
	n := int(min(int64(f.Step.Quantiles), f.Sampler.Rows))
	for j := range f.Sampler.Columns {
		values, err := f.Sampler.column("quantile", j)
		if err != nil {
			return nil, err
		}
		var at Numbers
		for i := range n {
			if len(values) > 0 {
				at = append(at, quantile(values, part(i, n)))
			}
		}
		r.Quantiles = append(r.Quantiles, at)
	}
	return r, nil
}

// part returns where between 0 and 1 the i-th of n equidistant points is; the only one is at 0.
func part(i, n int) float64 {
	if i == 0 {
		return 0
	}
	return float64(i) / float64(n-1)
}

// Ranked is what [Quantile] becomes.
type Ranked struct {
	Columns   []string
	Quantiles []Numbers // of each column, equidistant in rank
	Normal    bool
}

// Out returns in, which has the columns in it.
func (r Ranked) Out(in dataset.Schema) (dataset.Schema, error) {
	if len(r.Quantiles) != len(r.Columns) {
		return in, errOther
	}
	return kept(in, r.Columns)
}

// Apply ranks a block's numbers, by binary search.
func (r Ranked) Apply(in dataset.Schema, b *dataset.Block) error {
	return eachNumber("quantile", in, b, r.Columns, func(column int, values []float64) error {
		q := r.Quantiles[column]
		if len(q) == 0 {
			return nil
		}
		for i, x := range values {
			if x == x {
				values[i] = r.rank(q, x)
			}
		}
		return nil
	})
}

// near is how near to the ends of a normal distribution the least and the largest numbers are put.
const near = 1e-7

func (r Ranked) rank(q []float64, x float64) float64 {
	n := len(q)
	low, high := q[0], q[n-1]
	if r.Normal {
		low, high = low+near, high-near
	}
	var p float64
	switch {
	case x < low || x == q[0]: // first, as of a column whose numbers are all equal
		p = 0
	case x > high || x == q[n-1]:
		p = 1
	default:
		// Where quantiles are equal, x has the rank of the middle one.
		first := before(q, x)
		if q[first] != x {
			a, b := q[first-1], q[first]
			t := (x - a) / (b - a)
			if math.IsInf(b-a, 0) {
				t = (x/2 - a/2) / (b/2 - a/2)
			}
			p = part(first-1, n) + t*(part(first, n)-part(first-1, n))
			break
		}
		last := first + before(q[first:], math.Nextafter(x, highest)) - 1
		p = (part(first, n) + part(last, n)) / 2
	}
	if !r.Normal {
		return p
	}
	p = min(max(p, near), 1-near)
	if p < .5 {
		return -math.Sqrt2 * math.Erfinv(1-2*p)
	}
	return math.Sqrt2 * math.Erfinv(2*p-1)
}

// before returns how many sorted numbers are less than x. There is nothing to guess for the processor, as there is in a search
// that branches.
func before(sorted []float64, x float64) int {
	at, n := 0, len(sorted)
	for n > 0 {
		half := (n + 1) / 2
		less := 0
		if sorted[at+half-1] < x {
			less = 1 // a number, and no branch
		}
		at, n = at+half&-less, n-half
	}
	return at
}

// eachNumber calls f with the numbers of columns, each of which has a place in columns.
func eachNumber(step string, in dataset.Schema, b *dataset.Block, columns []string, f func(column int, values []float64) error) error {
	next := 0
	for i, name := range columns {
		if next = in.Next(name, next); next < 0 {
			return errColumn(step, in, name)
		}
		if err := f(i, b.Columns[next].Numbers); err != nil {
			return err
		}
	}
	return nil
}
