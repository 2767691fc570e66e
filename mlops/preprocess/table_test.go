package preprocess

import (
	"fmt"
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gowren/gowren/mlops/dataset"
	"github.com/gowren/gowren/serialize"
)

// table is columns of numbers, and perhaps one of strings, as a dataset of the tests.
type table struct {
	names []string
	cols  [][]float64
	words []string // "" is missing; nil: no such column
}

func numbersTable(names string, cols ...[]float64) table {
	t := table{cols: cols}
	for _, r := range names {
		t.names = append(t.names, string(r))
	}
	return t
}

func (t table) schema() dataset.Schema {
	var s dataset.Schema
	for _, name := range t.names {
		s.Columns = append(s.Columns, dataset.Column{Name: name, Kind: dataset.Number})
	}
	if t.words != nil {
		s.Columns = append(s.Columns, dataset.Column{Name: "word", Kind: dataset.String})
	}
	return s
}

func (t table) rows() int {
	if len(t.cols) == 0 {
		return len(t.words)
	}
	return len(t.cols[0])
}

// block returns a block of some rows, in that order. IDs are the rows' own.
func (t table) block(rows []int) *dataset.Block {
	b := &dataset.Block{Rows: len(rows), IDs: []uint64{}}
	for _, r := range rows {
		b.IDs = append(b.IDs, mix(uint64(r)))
	}
	for _, c := range t.cols {
		values := make([]float64, len(rows))
		for i, r := range rows {
			values[i] = c[r]
		}
		b.Columns = append(b.Columns, dataset.Data{Numbers: values})
	}
	if t.words != nil {
		var d dataset.Data
		for _, r := range rows {
			if t.words[r] == "" {
				d.Strings.AddMissing()
			} else {
				d.Strings.Add([]byte(t.words[r]))
			}
		}
		b.Columns = append(b.Columns, d)
	}
	return b
}

// each yields all rows in blocks of so many.
func (t table) each(size int) iter.Seq[*dataset.Block] {
	return func(yield func(*dataset.Block) bool) {
		for at := 0; at < t.rows(); at += size {
			rows := make([]int, min(size, t.rows()-at))
			for i := range rows {
				rows[i] = at + i
			}
			if !yield(t.block(rows)) {
				return
			}
		}
	}
}

// blocks is each, as a source yields them.
func (t table) blocks(size int) iter.Seq2[*dataset.Block, error] {
	return func(yield func(*dataset.Block, error) bool) {
		for b := range t.each(size) {
			if !yield(b, nil) {
				return
			}
		}
	}
}

// fitOf fits steps to a table.
func fitOf(t testing.TB, x table, steps ...Step) *Fitted {
	t.Helper()
	f, err := Pipeline(steps).FitBlocks(x.schema(), x.blocks(7))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// apply returns the columns of numbers that steps make of a table.
func apply(t testing.TB, f *Fitted, x table) [][]float64 {
	t.Helper()
	var all [][]float64
	for b, err := range x.blocks(11) {
		if err == nil {
			err = f.Apply(b)
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(b.Columns) != len(f.Out().Columns) {
			t.Fatalf("%d columns, and the schema has %d", len(b.Columns), len(f.Out().Columns))
		}
		for i, d := range b.Columns {
			all = grown(all, i+1, nil)
			all[i] = append(all[i], d.Numbers...)
		}
	}
	return all
}

// near reports whether two numbers are equal to a tolerance; NaN is equal to NaN.
func nearly(a, b, tolerance float64) bool {
	if math.IsNaN(a) || math.IsNaN(b) {
		return math.IsNaN(a) && math.IsNaN(b)
	}
	return a == b || math.Abs(a-b) <= tolerance*max(1, math.Abs(b))
}

// splitFit fits a pipeline as workers do: rows in a random order, in parts of random sizes, whose states travel and are merged
// in a random order.
func splitFit(x table, p Pipeline, random *rand.Rand) (*Fitted, error) {
	return p.fit(x.schema(), func(ops []op) ([]op, dataset.Skipped, error) {
		return splitLearn(x, ops, random)
	})
}

func splitLearn(x table, ops []op, random *rand.Rand) ([]op, dataset.Skipped, error) {
	s, err := newSpec(dataset.Source{}, ops)
	if err != nil {
		return nil, nil, err
	}
	order := random.Perm(x.rows())
	counted := tallies{}
	var parts []learned
	for first := true; first || len(order) > 0; first = false {
		ops, err := s.ops()
		if err != nil {
			return nil, nil, err
		}
		n := random.IntN(len(order) + 1)
		for n > 0 {
			size := 1 + random.IntN(min(n, dataset.BlockRows))
			if err := see(x.schema(), x.block(order[:size]), ops, counted.add); err != nil {
				return nil, nil, err
			}
			order, n = order[size:], n-size
		}
		l, err := learnedBy(ops, nil, 0)
		if err != nil {
			return nil, nil, err
		}
		data, err := serialize.Marshal(&l)
		var arrived learned
		if err == nil {
			err = serialize.Unmarshal(data, &arrived)
		}
		if err != nil {
			return nil, nil, err
		}
		parts = append(parts, arrived)
	}
	for len(parts) > 1 {
		i := random.IntN(len(parts) - 1)
		m, err := merge(parts[i], parts[i+1])
		if err != nil {
			return nil, nil, err
		}
		if random.IntN(2) == 0 { // on to the next worker
			data, err := serialize.Marshal(&m)
			if err == nil {
				err = serialize.Unmarshal(data, &m)
			}
			if err != nil {
				return nil, nil, err
			}
		}
		parts = slices.Replace(parts, i, i+2, m)
	}
	if ops, err = parts[0].into(ops); err != nil {
		return nil, nil, err
	}
	return ops, nil, counted.tell(ops)
}

// text is a fitted pipeline as JSON, which has all its bits.
func textOf(t testing.TB, f *Fitted) string {
	t.Helper()
	var b writer
	if err := f.Save(&b); err != nil {
		t.Fatal(err)
	}
	return string(b)
}

type writer []byte

func (w *writer) Write(p []byte) (int, error) {
	*w = append(*w, p...)
	return len(p), nil
}

// randomTable has columns of several kinds.
func randomTable(rows int, random *rand.Rand) table {
	x := numbersTable("abcde", make([]float64, rows), make([]float64, rows), make([]float64, rows), make([]float64, rows), make([]float64, rows))
	for i := range rows {
		x.cols[0][i] = random.NormFloat64()
		x.cols[1][i] = 1e9 + random.NormFloat64()
		x.cols[2][i] = float64(random.IntN(4))
		x.cols[3][i] = random.NormFloat64() * math.Pow(10, float64(random.IntN(30)-15))
		x.cols[4][i] = -2.5
		if random.IntN(5) == 0 {
			x.cols[random.IntN(5)][i] = math.NaN()
		}
		x.words = append(x.words, []string{"", "x", "y\x00", "\xff", fmt.Sprint(random.IntN(9))}[random.IntN(5)])
	}
	return x
}
