package preprocess

import (
	"encoding/binary"
	"fmt"
	"io/fs"
	"math"
	"slices"

	"github.com/gowren/gowren/internal/exact"
	"github.com/gowren/gowren/mlops/dataset"
)

func init() { Register(builtin, Impute{}, &meanFit{}, &medianFit{}, &modeFit{}, Imputed{}) }

// Filling is with what [Impute] fills in.
type Filling string

// What is filled in.
const (
	Mean         Filling = ""              // of numbers
	Median       Filling = "median"        // of numbers: that of a sample; see [Quantile]
	MostFrequent Filling = "most frequent" // of equally frequent ones, the least
	Constant     Filling = "constant"
)

// Impute fills in what is missing. A column where all is missing is an error, except with Constant, and so is one whose mean or
// median is infinite.
type Impute struct {
	// Columns are of numbers, and, with MostFrequent and Constant, of strings. Empty: all features that are.
	Columns []string
	With    Filling
	Value   float64 // of Constant, for numbers
	Text    string  // of Constant, for strings
	// Indicator adds for each column one named as it is, with "_missing" after it: 1 where the value was missing, else 0.
	Indicator bool
}

// Plan fits in one pass; with Constant in none. MostFrequent counts the values by key.
func (s Impute) Plan(in dataset.Schema) (Plan, error) {
	kinds := []dataset.Kind{dataset.Number}
	if s.With == MostFrequent || s.With == Constant {
		kinds = append(kinds, dataset.String)
	}
	columns, err := choose("impute", in, s.Columns, kinds...)
	if err != nil {
		return Plan{}, err
	}
	t := Imputed{Columns: namesOf(columns), Indicator: s.Indicator}
	for _, c := range columns {
		t.Strings = append(t.Strings, c.Kind == dataset.String)
		t.Values, t.Texts = append(t.Values, s.Value), append(t.Texts, []byte(s.Text))
	}
	p := Plan{Reads: t.Columns, Writes: t.Columns}
	if s.Indicator {
		for _, name := range t.Columns {
			p.Writes = append(slices.Clip(p.Writes), name+indicated)
		}
	}
	if p.Out, err = t.Out(in); err != nil {
		return Plan{}, err
	}
	switch s.With {
	case Mean:
		p.Fitter = &meanFit{Imputed: t, Moments: make([]exact.Moments, len(columns))}
	case Median:
		sampler, err := newSampler("impute", in, t.Columns)
		p.Fitter = &medianFit{t, sampler}
		return p, err
	case MostFrequent:
		p.Fitter = &modeFit{Imputed: t}
	case Constant:
		if math.IsNaN(s.Value) {
			return Plan{}, fmt.Errorf("impute: a constant that is itself missing: %w", fs.ErrInvalid)
		}
		p.Transform = t
	default:
		return Plan{}, fmt.Errorf("impute: With is %q, and not %q (the mean), %q, %q or %q: %w", s.With, Mean, Median, MostFrequent, Constant, fs.ErrInvalid)
	}
	return p, nil
}

// filled is the transform, once its values are known.
func (t Imputed) filled(values []float64) (Transform, error) {
	for i, x := range values {
		switch {
		case math.IsNaN(x):
			return nil, fmt.Errorf("impute: column %q has no value: fill in a Constant, or drop it: %w", t.Columns[i], fs.ErrInvalid)
		case math.IsInf(x, 0):
			return nil, fmt.Errorf("impute: column %q would be filled in with %g: Clip it first, or fill in a Constant: %w", t.Columns[i], x, fs.ErrInvalid)
		}
	}
	t.Values = values
	return t, nil
}

// meanFit fits the mean.
type meanFit struct {
	Imputed Imputed
	Moments []exact.Moments
}

func (f *meanFit) See(in dataset.Schema, b *dataset.Block) error {
	return eachNumber("impute", in, b, f.Imputed.Columns, func(i int, values []float64) error {
		f.Moments[i].AddAll(values)
		return nil
	})
}

func (f *meanFit) whole() bool {
	return len(f.Moments) == len(f.Imputed.Columns) && f.Imputed.whole()
}

func (f *meanFit) Merge(other Fitter) error {
	o, err := same(f, other)
	if err != nil {
		return err
	}
	if len(f.Moments) != len(o.Moments) {
		return errOther
	}
	for i := range f.Moments {
		f.Moments[i].Merge(&o.Moments[i])
	}
	return nil
}

func (f *meanFit) Fit() (Transform, error) {
	means := make([]float64, len(f.Moments))
	for i := range means {
		means[i] = f.Moments[i].Mean()
	}
	return f.Imputed.filled(means)
}

// medianFit fits the median.
type medianFit struct {
	Imputed Imputed
	Sampler sampler
}

func (f *medianFit) See(in dataset.Schema, b *dataset.Block) error {
	return f.Sampler.see("impute", in, b)
}

func (f *medianFit) samples() *sampler { return &f.Sampler }

func (f *medianFit) whole() bool {
	return len(f.Imputed.Columns) == f.Sampler.Sample.Width && f.Sampler.whole() && f.Imputed.whole()
}

func (f *medianFit) Merge(other Fitter) error {
	o, err := same(f, other)
	if err != nil {
		return err
	}
	return f.Sampler.merge(&o.Sampler)
}

func (f *medianFit) Fit() (Transform, error) {
	medians := make([]float64, len(f.Imputed.Columns))
	for i := range medians {
		medians[i] = quantile(f.Sampler.Sample.column(i), .5)
	}
	return f.Imputed.filled(medians)
}

// modeFit fits the most frequent value.
type modeFit struct {
	Imputed Imputed

	key  [8]byte
	seen occurrences
}

func (f *modeFit) See(dataset.Schema, *dataset.Block) error { return nil }

func (f *modeFit) whole() bool { return f.Imputed.whole() }

func (f *modeFit) Merge(other Fitter) error {
	_, err := same(f, other)
	return err
}

func (f *modeFit) Count(in dataset.Schema, b *dataset.Block, emit func(list string, value []byte, n, rows int64)) error {
	next := 0
	for i, name := range f.Imputed.Columns {
		if next = in.Next(name, next); next < 0 {
			return errColumn("impute", in, name)
		}
		d := &b.Columns[next]
		for row := range b.Rows {
			if f.Imputed.Strings[i] {
				if !d.Strings.IsMissing(row) {
					f.seen.add(d.Strings.At(row), row)
				}
			} else if x := d.Numbers[row]; x == x {
				binary.BigEndian.PutUint64(f.key[:], orderOf(x))
				f.seen.add(f.key[:], row)
			}
		}
		f.seen.emit(name, emit)
	}
	return nil
}

func (f *modeFit) Want() map[string]Want {
	wants := map[string]Want{}
	for _, name := range f.Imputed.Columns {
		wants[name] = Want{Most: 1}
	}
	return wants
}

func (f *modeFit) Counted(list string, values []Counted) error {
	i := slices.Index(f.Imputed.Columns, list)
	switch {
	case i < 0:
		return errOther
	case len(values) == 0:
		return fmt.Errorf("impute: column %q has no value: fill in a Constant: %w", list, fs.ErrInvalid)
	case f.Imputed.Strings[i]:
		f.Imputed.Texts[i] = values[0].Value
	case len(values[0].Value) != 8:
		return errOther
	default:
		f.Imputed.Values[i] = numberOf(binary.BigEndian.Uint64(values[0].Value))
	}
	return nil
}

func (f *modeFit) Fit() (Transform, error) { return f.Imputed, nil }

// orderOf makes of a number one that is in order as an integer. Both zeros are one.
func orderOf(x float64) uint64 {
	b := math.Float64bits(x + 0)
	if b>>63 != 0 {
		return ^b
	}
	return b | 1<<63
}

func numberOf(order uint64) float64 {
	if order>>63 != 0 {
		return math.Float64frombits(order &^ (1 << 63))
	}
	return math.Float64frombits(^order)
}
