package preprocess

import (
	"fmt"
	"io/fs"
	"math"

	"github.com/gowren/gowren/mlops/dataset"
)

// sampler is the part of fitters that learn from a sample of number columns. It holds up to 32 MiB, and sends 16.
type sampler struct {
	Columns []string
	Rows    int64
	Sample  sample

	seen [][]float64 // scratch
}

func newSampler(step string, in dataset.Schema, names []string) (sampler, error) {
	columns, err := choose(step, in, names, dataset.Number)
	return sampler{Columns: namesOf(columns), Sample: newSample(len(columns))}, err
}

// samples is a fitter that learns from a sample.
type samples interface{ samples() *sampler }

// expect passes over all but one and a half times the rows that the sample needs, where the source may have so many: otherwise
// each task would send a whole sample. Whether they were enough is seen at the end, by enough: that there are fewer by chance, and
// not because rows are not as many as expected, is less likely than one in a billion.
func (f *sampler) expect(rows int64) {
	f.Sample.Below = 0
	want := 1.5 * float64(f.Sample.Most)
	want += 7 * math.Sqrt(want)
	if part := want / float64(rows); rows > 0 && part < .5 && f.Sample.Width > 0 {
		f.Sample.Below = uint64(part * (1 << 63) * 2)
	}
}

// enough reports whether the sample is what it is when no rows are passed over.
func (f *sampler) enough() bool {
	return f.Sample.Below == 0 || len(f.Sample.Hashes) >= f.Sample.Most || int64(len(f.Sample.Hashes)) == f.Rows
}

func (f *sampler) see(step string, in dataset.Schema, b *dataset.Block) error {
	f.Rows += int64(b.Rows)
	if len(f.Columns) == 0 {
		return nil
	}
	if len(b.IDs) != b.Rows {
		return fmt.Errorf("%s: a block of %d rows with %d IDs, by which rows are sampled: %w", step, b.Rows, len(b.IDs), fs.ErrInvalid)
	}
	f.seen = f.seen[:0]
	next := 0
	for _, name := range f.Columns {
		if next = in.Next(name, next); next < 0 {
			return errColumn(step, in, name)
		}
		f.seen = append(f.seen, b.Columns[next].Numbers)
	}
	return f.Sample.see(b.IDs, f.seen)
}

func (f *sampler) whole() bool { return f.Sample.Width == len(f.Columns) && f.Sample.Most > 0 }

func (f *sampler) merge(o *sampler) error {
	f.Rows += o.Rows
	return f.Sample.merge(&o.Sample)
}

// column returns the sorted sample of a column, which may be empty where all is missing.
func (f *sampler) column(step string, j int) ([]float64, error) {
	if f.Rows == 0 {
		return nil, errNothing
	}
	values := f.Sample.column(j)
	if n := len(values); n > 0 && (math.IsInf(values[0], 0) || math.IsInf(values[n-1], 0)) {
		return nil, errInfinite(step, f.Columns[j], values[0], values[n-1])
	}
	return values, nil
}
