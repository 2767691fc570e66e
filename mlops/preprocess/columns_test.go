package preprocess

import (
	"encoding/json"
	"iter"
	"math"
	"math/rand/v2"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gowren/gowren/mlops/dataset"
	"github.com/gowren/gowren/serialize"
)

// sparseRow is a row of a vector, as the reference has it.
type sparseRow struct {
	Idx []uint32  `json:"idx"`
	Val []float64 `json:"val"`
}

type vocabularyOf struct {
	Words []string    `json:"words"`
	Rows  []sparseRow `json:"rows"`
}

type encodingOf struct {
	OneHot     []sparseRow `json:"onehot"`
	Ordinal    [][]float64 `json:"ordinal"`
	Categories [][]any     `json:"categories"`
}

// wordReference is what scikit-learn makes of categories and texts: testdata/reference_words.py wrote it.
type wordReference struct {
	Categories map[string][]string  `json:"categories"`
	Numbers    map[string][]float64 `json:"numbers"`
	Texts      []string             `json:"texts"`
	Murmur     []struct {
		Text string `json:"text"`
		Hash uint32 `json:"hash"`
	} `json:"murmur"`
	Hash      map[string][]sparseRow `json:"hash"`
	Unsigned  []sparseRow            `json:"unsigned"`
	Strings   encodingOf             `json:"strings"`
	Floats    encodingOf             `json:"floats"`
	Dropped   encodingOf             `json:"dropped"`
	Counts    vocabularyOf           `json:"counts"`
	Limited   vocabularyOf           `json:"limited"`
	Min       vocabularyOf           `json:"min"`
	Bounds    vocabularyOf           `json:"bounds"`
	Grams     vocabularyOf           `json:"grams"`
	Cased     vocabularyOf           `json:"cased"`
	TFIDF     vocabularyOf           `json:"tfidf"`
	Sublinear vocabularyOf           `json:"sublinear"`
	Plain     vocabularyOf           `json:"plain"`
	Raw       vocabularyOf           `json:"raw"`
	HashWords []sparseRow            `json:"hashwords"`
	HashPlain []sparseRow            `json:"hashplain"`
	Tokens    []struct {
		Text  string   `json:"text"`
		Lower []string `json:"lower"`
		Cased []string `json:"cased"`
	} `json:"tokens"`
}

var wordsOnce = sync.OnceValues(func() (*wordReference, error) {
	data, err := os.ReadFile("testdata/reference_words.json")
	r := &wordReference{}
	if err == nil {
		err = json.Unmarshal(data, r)
	}
	return r, err
})

func wordsReference(t testing.TB) *wordReference {
	t.Helper()
	r, err := wordsOnce()
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// columns are columns of strings and numbers as a dataset of the tests.
type columns struct {
	dataset.Schema
	values [][]any // by column: float64, string, or nil, which is missing
}

func (c *columns) add(name string, kind dataset.Kind, values ...any) *columns {
	c.Columns = append(c.Columns, dataset.Column{Name: name, Kind: kind})
	c.values = append(c.values, values)
	return c
}

func columnOf(name string, values ...any) *columns {
	return (&columns{}).add(name, dataset.String, values...)
}

// textsOf is one column of strings.
func textsOf(texts []string) *columns {
	c := columnOf("text")
	for _, s := range texts {
		c.values[0] = append(c.values[0], s)
	}
	return c
}

// categoriesOf is the reference's table, or some columns of it.
func categoriesOf(r *wordReference, names ...string) *columns {
	c := &columns{}
	for _, name := range names {
		var all []any
		for _, x := range r.Numbers[name] {
			all = append(all, x)
		}
		kind := dataset.Number
		for _, s := range r.Categories[name] {
			all, kind = append(all, s), dataset.String
		}
		c.add(name, kind, all...)
	}
	return c
}

func (c *columns) rows() int { return len(c.values[0]) }

func (c *columns) block(rows []int) *dataset.Block {
	b := &dataset.Block{Rows: len(rows), Columns: make([]dataset.Data, len(c.Columns))}
	for _, r := range rows {
		b.IDs = append(b.IDs, uint64(r))
		for i, col := range c.Columns {
			d := &b.Columns[i]
			switch v := c.values[i][r].(type) {
			case float64:
				d.Numbers = append(d.Numbers, v)
			case string:
				d.Strings.Add([]byte(v))
			default:
				if col.Kind == dataset.Number {
					d.Numbers = append(d.Numbers, math.NaN())
				} else {
					d.Strings.AddMissing()
				}
			}
		}
	}
	return b
}

func (c *columns) blocks(size int) iter.Seq2[*dataset.Block, error] {
	return func(yield func(*dataset.Block, error) bool) {
		order := make([]int, c.rows())
		for i := range order {
			order[i] = i
		}
		for part := range slices.Chunk(order, size) {
			if !yield(c.block(part), nil) {
				return
			}
		}
	}
}

// fit fits a step, saves it, and loads it.
func (c *columns) fit(t testing.TB, steps ...Step) *Fitted {
	t.Helper()
	f, err := Pipeline(steps).FitBlocks(c.Schema, c.blocks(7))
	if err != nil {
		t.Fatal(err)
	}
	var saved strings.Builder
	if err := f.Save(&saved); err != nil {
		t.Fatal(err)
	}
	if f, err = Load(strings.NewReader(saved.String())); err != nil {
		t.Fatal(err)
	}
	return f
}

// vectors applies a fitted pipeline, and returns the rows of all columns as one vector, and as numbers.
func (c *columns) vectors(t testing.TB, f *Fitted) []sparseRow {
	t.Helper()
	vectors := slices.ContainsFunc(f.Out().Columns, func(c dataset.Column) bool { return c.Kind == dataset.Vector })
	var all []sparseRow
	for b, err := range c.blocks(11) {
		if err == nil {
			err = f.Apply(b)
		}
		if err != nil {
			t.Fatal(err)
		}
		a, err := dataset.NewAssembler(f.Out())
		if err != nil {
			t.Fatal(err)
		}
		a.Missing = true
		batch, err := a.Assemble(b)
		if err != nil {
			t.Fatal(err)
		}
		for row := range batch.Rows {
			r := sparseRow{}
			if batch.Sparse() {
				idx, val := batch.Row(row)
				r.Idx = slices.Clone(idx)
				for _, x := range val {
					r.Val = append(r.Val, float64(x))
				}
			} else {
				for place, x := range batch.Dense(row) {
					switch {
					case !vectors:
						r.Val = append(r.Val, float64(x))
					case x != 0: // of a narrow row
						r.Idx, r.Val = append(r.Idx, uint32(place)), append(r.Val, float64(x))
					}
				}
			}
			all = append(all, r)
		}
	}
	return all
}

// sameSparse holds that rows are those of the reference, to the precision of float32.
func sameSparse(t testing.TB, what string, got, want []sparseRow) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d rows, want %d", what, len(got), len(want))
	}
	for i := range got {
		same := slices.Equal(got[i].Idx, want[i].Idx) && len(got[i].Val) == len(want[i].Val)
		for k := 0; same && k < len(got[i].Val); k++ {
			x, y := got[i].Val[k], want[i].Val[k]
			same = math.Abs(x-y) <= 1e-6*max(math.Abs(y), 1e-30) || x == y
		}
		if !same {
			t.Errorf("%s: row %d is %v, want %v", what, i, got[i], want[i])
		}
	}
}

// travel fits as workers do: rows in a random order, in parts of random sizes, whose fitters travel and are merged in a
// random order.
func (c *columns) travel(random *rand.Rand, steps ...Step) (string, error) {
	counted := tallies{}
	parts := make([][]Fitter, 0, c.rows())
	for order := random.Perm(c.rows()); len(order) > 0; {
		n := 1 + random.IntN(len(order))
		var part []Fitter
		for i, s := range steps {
			p, err := s.Plan(c.Schema)
			if err == nil {
				err = see(c.Schema, c.block(order[:n]), []op{{step: i, fitter: p.Fitter}}, counted.add)
			}
			if err != nil {
				return "", err
			}
			data, err := serialize.Marshal(p.Fitter)
			if err != nil {
				return "", err
			}
			f := reflect.New(reflect.TypeOf(p.Fitter).Elem())
			if err := serialize.Unmarshal(data, f.Interface()); err != nil {
				return "", err
			}
			part = append(part, f.Interface().(Fitter))
		}
		parts, order = append(parts, part), order[n:]
	}
	random.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	ops := make([]op, len(steps))
	for i := range ops {
		ops[i] = op{step: i, fitter: parts[0][i]}
		for _, p := range parts[1:] {
			if err := ops[i].fitter.Merge(p[i]); err != nil {
				return "", err
			}
		}
	}
	if err := counted.tell(ops); err != nil {
		return "", err
	}
	var out strings.Builder
	for _, o := range ops {
		t, err := o.fitter.Fit()
		if err != nil {
			return "", err
		}
		x, err := tag(t)
		if err != nil {
			return "", err
		}
		out.Write(x.Value)
	}
	return out.String(), nil
}
