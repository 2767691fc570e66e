package preprocess

import (
	"errors"
	"io/fs"
	"iter"
	"strings"
	"testing"

	"github.com/gowren/gowren/mlops/dataset"
)

// counting yields a table's blocks, and counts how often.
func counting(x table, times *int) iter.Seq2[*dataset.Block, error] {
	return func(yield func(*dataset.Block, error) bool) {
		*times++
		x.blocks(2)(yield)
	}
}

// TestPasses holds that a pipeline is fitted in as many passes as it must be, and no more, and that a step sees what those
// before it make.
func TestPasses(t *testing.T) {
	t.Parallel()
	x := numbersTable("ab", []float64{0, 5, 10}, []float64{1, 2, 3})
	a, b := []string{"a"}, []string{"b"}
	for name, c := range map[string]struct {
		steps Pipeline
		want  int
	}{
		"nothing to fit":                   {Pipeline{Log{Offset: 1}, Interact{}}, 0},
		"no steps":                         {Pipeline{}, 0},
		"one":                              {Pipeline{MinMax{}}, 1},
		"apart":                            {Pipeline{MinMax{Columns: a}, StandardScore{Columns: b}}, 1},
		"after what is known":              {Pipeline{Log{Offset: 1}, MinMax{}}, 1},
		"one after the other":              {Pipeline{MinMax{}, StandardScore{}}, 2},
		"two columns, two deep":            {Pipeline{MinMax{Columns: a}, MinMax{Columns: b}, StandardScore{Columns: a}, StandardScore{Columns: b}}, 2},
		"three deep":                       {Pipeline{Impute{}, MinMax{}, StandardScore{}}, 3},
		"what is known waits":              {Pipeline{MinMax{Columns: a}, Log{Columns: a, Offset: 1}, StandardScore{Columns: a}}, 2},
		"known at the end":                 {Pipeline{MinMax{}, Log{Offset: 1}, Interact{}, Drop{a}}, 1},
		"made of what is fitted":           {Pipeline{MinMax{Columns: a}, Interact{Columns: []string{"a", "b"}}, StandardScore{Columns: []string{"a*b"}}}, 2},
		"beside what is fitted":            {Pipeline{MinMax{Columns: a}, Log{Columns: b}, StandardScore{Columns: b}}, 1},
		"dropped and made again":           {Pipeline{Interact{}, MinMax{}, Drop{[]string{"a*b"}}, Interact{Columns: []string{"a", "b"}}, MinMax{Columns: []string{"a*b"}}}, 2},
		"an indicator of what is not read": {Pipeline{Impute{Columns: a, Indicator: true}, StandardScore{Columns: b}}, 1},
		"one that waits does not hold":     {Pipeline{MinMax{Columns: a}, StandardScore{Columns: a}, Robust{Columns: b}, Quantile{Columns: b}}, 2},
	} {
		passes := 0
		f, err := c.steps.FitBlocks(x.schema(), counting(x, &passes))
		if err != nil || passes != c.want {
			t.Errorf("%s: %d passes, want %d; %v", name, passes, c.want, err)
			continue
		}
		// One step after the other, each on the rows that those before it made, gives the same.
		now, in := x, x.schema()
		for _, step := range c.steps {
			one, err := Pipeline{step}.FitBlocks(in, now.blocks(2))
			if err != nil {
				t.Fatal(name, err)
			}
			next := table{cols: apply(t, one, now)}
			for _, column := range one.Out().Columns {
				next.names = append(next.names, column.Name)
			}
			now, in = next, next.schema()
		}
		compare(t, name, nil, apply(t, f, x), now.cols, 0)
	}
	if x.cols[0][1] != 5 {
		t.Error("fitting has changed the blocks")
	}
}

// TestNeeded holds that a pass does not apply what nothing depends on.
func TestNeeded(t *testing.T) {
	t.Parallel()
	x := numbersTable("ab", []float64{1, 2, 3}, []float64{1, 2, 3})
	f := &fitting{
		steps: Pipeline{Log{Columns: []string{"a"}}, Log{Columns: []string{"b"}}, MinMax{Columns: []string{"b"}}, Interact{}},
		in:    x.schema(), ready: make([]Transform, 4),
	}
	ops, more, err := f.pass()
	if err != nil || !more || len(ops) != 2 || ops[0].step != 1 || ops[1].step != 2 {
		t.Errorf("%v, %v, %v", ops, more, err)
	}
}

func TestPlanErrors(t *testing.T) {
	t.Parallel()
	x := numbersTable("ab", []float64{1, 2, 3}, []float64{1, 2, 3})
	x.words = []string{"x", "y", "z"}
	for name, c := range map[string]struct {
		step Step
		is   error
		says string
	}{
		"no column":            {MinMax{Columns: []string{"zz"}}, fs.ErrNotExist, `"zz"`},
		"a string":             {StandardScore{Columns: []string{"word"}}, fs.ErrInvalid, `"word"`},
		"twice":                {MaxAbs{Columns: []string{"a", "a"}}, fs.ErrInvalid, "twice"},
		"high below low":       {MinMax{Low: 2, High: 1}, fs.ErrInvalid, "from 2 to 1"},
		"bins":                 {Bins{Bins: 256}, fs.ErrInvalid, "256"},
		"quantiles":            {Quantile{Quantiles: 1}, fs.ErrInvalid, "1 quantiles"},
		"clip":                 {Clip{Low: 1}, fs.ErrInvalid, "from 1 to 0"},
		"clip at":              {Clip{Low: -1, High: 1, Quantiles: true}, fs.ErrInvalid, "from -1"},
		"impute":               {Impute{With: "magic"}, fs.ErrInvalid, "magic"},
		"impute a mean":        {Impute{Columns: []string{"word"}}, fs.ErrInvalid, `"word"`},
		"degree":               {Interact{Degree: 9}, fs.ErrInvalid, "9"},
		"words of none":        {TFIDF{}, fs.ErrInvalid, "Column is empty"},
		"hash of none":         {HashWords{}, fs.ErrInvalid, "Column is empty"},
		"role of none":         {Role{}, fs.ErrInvalid, "Column is empty"},
		"keep none":            {Keep{}, fs.ErrInvalid, "Columns is empty"},
		"nearly a column":      {Drop{[]string{"wort"}}, fs.ErrNotExist, `no column "wort" (did you mean "word"?); the columns are a, b, word`},
		"drop":                 {Drop{[]string{"zz"}}, fs.ErrNotExist, "zz"},
		"drop all":             {Drop{[]string{"a", "b", "word"}}, fs.ErrInvalid, "columns"},
		"keep":                 {Keep{[]string{"zz"}}, fs.ErrNotExist, "zz"},
		"role":                 {Role{"zz", dataset.Label}, fs.ErrNotExist, "zz"},
		"role of a string":     {Role{"word", dataset.Weight}, fs.ErrInvalid, "word"},
		"indicator that is":    {Pipe{Impute{Indicator: true}, Impute{Columns: []string{"a"}, Indicator: true}}, fs.ErrExist, "a_missing"},
		"product that is":      {Pipe{Interact{}, Interact{Columns: []string{"a", "b"}}}, fs.ErrInvalid, "a*b"},
		"logarithm of nothing": {Log{Offset: -1}, fs.ErrInvalid, "row"},
		"root of less":         {Pipe{StandardScore{}, Power{Exponent: .5}}, fs.ErrInvalid, "row"},
	} {
		p, ok := c.step.(Pipe)
		if !ok {
			p = Pipe{c.step}
		}
		f, err := Pipeline(p).FitBlocks(x.schema(), x.blocks(2))
		if err == nil {
			for b := range x.each(2) {
				if err = f.Apply(b); err != nil {
					break
				}
			}
		}
		if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Pipe is several steps in a table of one.
type Pipe []Step

// Plan is of no use.
func (Pipe) Plan(dataset.Schema) (Plan, error) { return Plan{}, nil }
