package preprocess

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gowren/gowren/mapper/mappertest"
	"github.com/gowren/gowren/mlops/dataset"
)

func init() { Register("faulty", &faulty{}) }

// faulty is a step, its fitter and its transform, whose code panics.
type faulty struct{ Sees bool }

func (f *faulty) Plan(in dataset.Schema) (Plan, error) {
	p := Plan{Reads: []string{"a"}, Writes: []string{"a"}, Out: in}
	if f.Sees {
		p.Fitter = f
	} else {
		p.Transform = f
	}
	return p, nil
}

func (f *faulty) See(dataset.Schema, *dataset.Block) error        { panic("at sea") }
func (f *faulty) Merge(Fitter) error                              { return nil }
func (f *faulty) Fit() (Transform, error)                         { return f, nil }
func (f *faulty) Out(in dataset.Schema) (dataset.Schema, error)   { return in, nil }
func (f *faulty) Apply(in dataset.Schema, b *dataset.Block) error { panic("at work") }

// TestPanicNamesStep: a panic of a step's own code tells which step it is, in this process and in a job.
func TestPanicNamesStep(t *testing.T) {
	t.Parallel()
	says := func(what, got, want string) {
		if !strings.Contains(got, want) {
			t.Errorf("%s: %s, not %s", what, got, want)
		}
	}
	x := numbersTable("a", []float64{1})
	f := fitOf(t, x, Log{}, &faulty{})
	func() {
		defer func() { says("row", fmt.Sprint(recover()), "step 1 (*preprocess.faulty): at work") }()
		_, _ = f.Row(map[string]any{"a": 1})
	}()
	ex := mappertest.New(t)
	_, err := Pipeline{Log{}, &faulty{Sees: true}}.Fit(t.Context(), ex, csvSource(t, ex, "a\n1\n"))
	says("fit", fmt.Sprint(err), "step 1 (*preprocess.faulty): at sea")
}

// TestStepNames: errors name steps as they were written down, also those of a pipeline that was saved; a single row has no ID.
func TestStepNames(t *testing.T) {
	t.Parallel()
	x := numbersTable("a", []float64{1, 2})
	x.words = []string{"u", "v"}
	f := fitOf(t, x, Log{}, OneHot{})
	loaded, err := Load(strings.NewReader(textOf(t, f)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []*Fitted{f, loaded} {
		for want, values := range map[string]map[string]any{
			`preprocess: row: step 1 (preprocess.OneHot): column "word": the value "w"`:     {"a": 1, "word": "w"},
			`preprocess: row: step 0 (preprocess.Log): log: column "a": no logarithm of -1`: {"a": -1, "word": "u"},
			`preprocess: row: no column "b"`:                                                {"b": 1},
		} {
			_, err := f.Row(values)
			if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "row 0") {
				t.Errorf("%v, not %s", err, want)
			}
		}
	}
	_, err = Pipeline{MinMax{Columns: []string{"word"}}}.FitBlocks(x.schema(), x.blocks(1))
	if err == nil || !strings.Contains(err.Error(), "step 0 (preprocess.MinMax)") {
		t.Error(err)
	}
	_, err = Pipeline{Drop{[]string{"word"}}, Impute{Columns: []string{"a"}}, StandardScore{Columns: []string{"a"}}, Log{Offset: -9}, StandardScore{Columns: []string{"a"}}}.FitBlocks(x.schema(), x.blocks(1))
	if err == nil || !strings.Contains(err.Error(), "step 3 (preprocess.Log)") || !strings.Contains(err.Error(), "with an Offset of -9") {
		t.Error(err)
	}
	if err := errKind("s", dataset.Column{Name: "c", Kind: dataset.String}, dataset.Number, dataset.Vector); !strings.Contains(err.Error(), "not a number or vector") {
		t.Error(err)
	}
}

// TestInIsACopy: nothing that is done to the schemas that it tells changes it.
func TestInIsACopy(t *testing.T) {
	t.Parallel()
	f := fitOf(t, numbersTable("ab", []float64{1}, []float64{2}), Role{"b", dataset.Label})
	before := textOf(t, f)
	f.In().Columns[1].Name, f.Out().Columns[1].Role = "other", dataset.Feature
	if textOf(t, f) != before || f.Out().With(dataset.Label) != 1 {
		t.Error("it has changed")
	}
}

// TestIgnoredKind: the kind of a column that is ignored does not matter to a transform.
func TestIgnoredKind(t *testing.T) {
	t.Parallel()
	ex := mappertest.New(t)
	src := csvSource(t, ex, "id,a\n1,2\n")
	src.Schema = dataset.Schema{Columns: []dataset.Column{{Name: "id", Kind: dataset.Number, Role: dataset.Ignored}, {Name: "a", Kind: dataset.Number}}}
	f, err := Pipeline{MinMax{}}.Fit(t.Context(), ex, src)
	if err != nil {
		t.Fatal(err)
	}
	src.Schema = f.In()
	src.Schema.Columns[0].Kind = dataset.String
	if done, err := f.Transform(t.Context(), ex, src, ex.Bucket().URL()+"/out", TransformOptions{}); err != nil || done.Manifest.Rows != 1 {
		t.Error(err)
	}
}
