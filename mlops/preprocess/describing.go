package preprocess

import (
	"errors"
	"math"
	"slices"
	"sync"

	"github.com/cespare/xxhash/v2"
	"github.com/gowren/gowren/internal/exact"
	"github.com/gowren/gowren/mlops/dataset"
)

func init() { Register(builtin, &describing{}, &frequency{}) }

// describing is a pass that describes columns.
type describing struct {
	Columns []columnState
	Numbers sampler
}

// columnState is what is known of a column.
type columnState struct {
	Name     string
	Count    int64
	Missing  int64
	Bytes    int64
	Distinct *distinct // nil of vectors
	Moments  exact.Moments
}

// newDescribing takes a sample of a quarter of what steps learn from, which doubles the error of ranks: with a whole one, most of the
// time for a million rows went by on sending it.
func newDescribing(in dataset.Schema) *describing {
	f := &describing{}
	for _, c := range in.Columns {
		s := columnState{Name: c.Name}
		if c.Kind != dataset.Vector {
			s.Distinct = newDistinct()
		}
		if c.Kind == dataset.Number {
			f.Numbers.Columns = append(f.Numbers.Columns, c.Name)
		}
		f.Columns = append(f.Columns, s)
	}
	f.Numbers.Sample = newSample(len(f.Numbers.Columns))
	f.Numbers.Sample.Most = (f.Numbers.Sample.Most + 3) / 4
	return f
}

func (f *describing) See(in dataset.Schema, b *dataset.Block) error {
	for i := range f.Columns {
		s, c, d := &f.Columns[i], in.Columns[i], &b.Columns[i]
		switch c.Kind {
		case dataset.Number:
			s.numbers(d.Numbers)
		case dataset.String:
			s.strings(b.Rows, &d.Strings)
		default:
			s.vectors(int64(b.Rows)*int64(c.Width), &d.Vectors)
		}
	}
	return f.Numbers.see("describe", in, b)
}

func (s *columnState) numbers(values []float64) {
	before := s.Moments.Count
	s.Moments.AddAll(values)
	n := s.Moments.Count - before
	s.Count, s.Missing = s.Count+n, s.Missing+int64(len(values))-n
	s.Distinct.addNumbers(values)
}

func (s *columnState) strings(rows int, values *dataset.Strings) {
	for row := range rows {
		if values.IsMissing(row) {
			s.Missing++
			continue
		}
		v := values.At(row)
		s.Count++
		s.Bytes += int64(len(v))
		s.Distinct.add(xxhash.Sum64(v))
	}
}

func (s *columnState) vectors(all int64, v *dataset.Vectors) {
	missing := int64(0)
	for _, x := range v.Val {
		if x != x {
			missing++
			continue
		}
		s.Moments.Add(float64(x))
	}
	if v.Ptr != nil {
		s.Moments.AddZeros(all - int64(len(v.Val)))
	}
	s.Count, s.Missing = s.Count+all-missing, s.Missing+missing
}

func (f *describing) samples() *sampler { return &f.Numbers }

func (f *describing) whole() bool {
	return f.Numbers.whole()
}

func (f *describing) Merge(other Fitter) error {
	o, err := same(f, other)
	if err != nil {
		return err
	}
	if len(f.Columns) != len(o.Columns) {
		return errOther
	}
	for i := range f.Columns {
		a, b := &f.Columns[i], &o.Columns[i]
		a.Count, a.Missing, a.Bytes = a.Count+b.Count, a.Missing+b.Missing, a.Bytes+b.Bytes
		a.Moments.Merge(&b.Moments)
		if err := a.Distinct.merge(b.Distinct); err != nil {
			return err
		}
	}
	return f.Numbers.merge(&o.Numbers)
}

func (f *describing) Fit() (Transform, error) {
	return nil, errors.New("preprocess: a description is no transform")
}

// quantilesTold are those that a description has.
var quantilesTold = []float64{.01, .05, .25, .5, .75, .95, .99}

const bars = 20

func (f *describing) description(in dataset.Schema) *Description {
	d := &Description{Rows: f.Numbers.Rows, Sampled: min(f.Numbers.Rows, int64(f.Numbers.Sample.Most))}
	if len(f.Numbers.Columns) == 0 {
		d.Sampled = 0
	} else if d.Sampled < d.Rows {
		d.RankError = math.Sqrt(math.Log(2/1e-6) / 2 / float64(d.Sampled))
	}
	f.Numbers.Sample.settle()
	d.Columns = make([]ColumnDescription, len(f.Columns))
	var wg sync.WaitGroup
	for i := range f.Columns {
		s, c := &f.Columns[i], in.Columns[i]
		told := &d.Columns[i]
		*told = ColumnDescription{Name: c.Name, Kind: c.Kind, Role: c.Role, Width: c.Width, Count: s.Count, Missing: s.Missing, Bytes: s.Bytes}
		if s.Distinct != nil {
			told.Distinct, told.Estimated = min(int64(math.Round(s.Distinct.count())), s.Count), !s.Distinct.exact()
		}
		if m := &s.Moments; m.Count > 0 {
			told.Numbers = &NumbersDescription{Min: Float(m.Min()), Max: Float(m.Max()), Mean: Float(m.Mean()), Deviation: Float(m.Deviation())}
		}
		if j := slices.Index(f.Numbers.Columns, c.Name); j >= 0 && told.Numbers != nil {
			wg.Go(func() { told.Numbers.sampled(f.Numbers.Sample.column(j)) })
		}
	}
	wg.Wait()
	return d
}

// sampled tells of sorted values.
func (n *NumbersDescription) sampled(values []float64) {
	if len(values) == 0 {
		return
	}
	for _, q := range quantilesTold {
		n.Quantiles = append(n.Quantiles, QuantileDescription{q, Float(quantile(values, q))})
	}
	finite := slices.DeleteFunc(slices.Clone(values), func(x float64) bool { return math.IsInf(x, 0) })
	if len(finite) == 0 {
		return
	}
	low, high := finite[0], finite[len(finite)-1]
	h := &Histogram{Low: Float(low), High: Float(high), Counts: make([]int64, bars)}
	width := high/bars - low/bars // which is not too large
	for _, x := range finite {
		at := 0
		if width > 0 {
			at = min(int(x/width-low/width), bars-1)
		}
		h.Counts[at]++
	}
	n.Histogram = h
}

// frequency counts the values of string columns.
type frequency struct {
	Columns []string

	found map[string][]Frequent
	seen  occurrences
}

const mostFrequentTold = 10

func newFrequency(in dataset.Schema) *frequency {
	f := &frequency{}
	for _, c := range in.Columns {
		if c.Kind == dataset.String {
			f.Columns = append(f.Columns, c.Name)
		}
	}
	return f
}

func (f *frequency) See(dataset.Schema, *dataset.Block) error { return nil }

func (f *frequency) Merge(other Fitter) error {
	_, err := same(f, other)
	return err
}

func (f *frequency) Fit() (Transform, error) {
	return nil, errors.New("preprocess: a description is no transform")
}

func (f *frequency) Count(in dataset.Schema, b *dataset.Block, emit func(list string, value []byte, n, rows int64)) error {
	next := 0
	for _, name := range f.Columns {
		if next = in.Next(name, next); next < 0 {
			return errColumn("describe", in, name)
		}
		values := &b.Columns[next].Strings
		for row := range b.Rows {
			if !values.IsMissing(row) {
				f.seen.add(values.At(row), row)
			}
		}
		f.seen.emit(name, emit)
	}
	return nil
}

func (f *frequency) Want() map[string]Want {
	wants := map[string]Want{}
	for _, name := range f.Columns {
		wants[name] = Want{Most: mostFrequentTold}
	}
	return wants
}

func (f *frequency) Counted(list string, values []Counted) error {
	if f.found == nil {
		f.found = map[string][]Frequent{}
	}
	for _, v := range values {
		f.found[list] = append(f.found[list], Frequent{string(v.Value), v.N})
	}
	return nil
}
