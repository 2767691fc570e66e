package preprocess

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/mapper/mappertest"
	"github.com/gowren/gowren/mlops/dataset"
)

// TestTransformRefused: what a transform cannot do is known before anything is read.
func TestTransformRefused(t *testing.T) {
	t.Parallel()
	jobs := 0
	ex := mappertest.New(t)
	counted := ex.With(mapper.Options{Stats: func(mapper.Stats) { jobs++ }})
	src := csvOf(t, ex, "refused", 50, rand.New(rand.NewPCG(1, 2)))
	hashed, err := Pipeline{Impute{}, Hash{Columns: []string{"word"}}}.Fit(t.Context(), ex, src)
	if err != nil {
		t.Fatal(err)
	}
	strs, err := Pipeline{Impute{}}.Fit(t.Context(), ex, src)
	if err != nil {
		t.Fatal(err)
	}
	taken := ex.Bucket().URL() + "/taken"
	if _, err := hashed.Transform(t.Context(), ex, src, taken, TransformOptions{}); err != nil {
		t.Fatal(err)
	}
	other := src
	other.Schema = dataset.Schema{Columns: append([]dataset.Column(nil), src.Schema.Columns...)}
	other.Schema.Columns[1].Name = "c"
	for name, c := range map[string]struct {
		f    *Fitted
		src  dataset.Source
		url  string
		want string
		is   error
	}{
		"taken":       {hashed, src, taken, "holds a dataset", fs.ErrExist},
		"no URL":      {hashed, src, "", "the URL is empty", fs.ErrInvalid},
		"a path":      {hashed, src, "/tmp/shards", "has no scheme", nil},
		"strings":     {strs, src, ex.Bucket().URL() + "/strings", `column "word" has strings`, fs.ErrInvalid},
		"other names": {hashed, other, ex.Bucket().URL() + "/names", `"b" is lacking; "c" is one too many`, fs.ErrInvalid},
	} {
		_, err := c.f.Transform(t.Context(), counted, c.src, c.url, TransformOptions{})
		if err == nil || !strings.Contains(err.Error(), c.want) || c.is != nil && !errors.Is(err, c.is) || strings.Count(err.Error(), c.want) != 1 {
			t.Errorf("%s: %v", name, err)
		}
	}
	if jobs > 0 {
		t.Errorf("%d jobs were run in vain", jobs)
	}
}

// unknown is a step of somebody who has registered nothing of it.
type unknown struct{ Column string }

func (u unknown) Plan(in dataset.Schema) (Plan, error) {
	return Plan{Reads: []string{u.Column}, Out: in, Transform: nameless{}}, nil
}

type nameless struct{}

func (nameless) Out(in dataset.Schema) (dataset.Schema, error)   { return in, nil }
func (nameless) Apply(in dataset.Schema, b *dataset.Block) error { return nil }

// empty is a step that does nothing.
type empty struct{}

func (empty) Plan(in dataset.Schema) (Plan, error) { return Plan{Out: in}, nil }

// TestPlansRefused: steps that cannot go on workers, or that read what is not there, are refused before a pass.
func TestPlansRefused(t *testing.T) {
	t.Parallel()
	in := dataset.Schema{Columns: []dataset.Column{{Name: "a", Kind: dataset.Number}}}
	for want, p := range map[string]Pipeline{
		"step 1 is nil":        {MinMax{}, nil},
		`column "b"`:           {unknown{"b"}},
		"is not registered":    {unknown{"a"}},
		"neither a fitter nor": {empty{}},
	} {
		if _, err := p.FitBlocks(in, func(func(*dataset.Block, error) bool) { t.Error("a pass is made") }); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, not %q", err, want)
		}
	}
}

// TestInferredTold: that a schema is a guess is told by each kind of job.
func TestInferredTold(t *testing.T) {
	t.Parallel()
	ex := mappertest.New(t)
	if err := ex.Bucket().Put(t.Context(), "late.csv", strings.NewReader("age,city\n"+strings.Repeat("41,Ulm\n", dataset.InferRows)+"unknown,Ulm\n")); err != nil {
		t.Fatal(err)
	}
	src := dataset.Source{URLs: []string{ex.Bucket().URL() + "/late.csv"}, Format: dataset.Format{Name: dataset.CSV}}
	var err error
	if src.Schema, err = dataset.Infer(t.Context(), src); err != nil {
		t.Fatal(err)
	}
	told := func(what string, err error) {
		if err == nil || !strings.Contains(err.Error(), `"unknown" is no number`) || !strings.Contains(err.Error(), "inferred from the first 1000 rows") {
			t.Errorf("%s: %v", what, err)
		}
	}
	_, err = Describe(t.Context(), ex, src)
	told("describe", err)
	for _, p := range []Pipeline{{MinMax{}}, {OneHot{}}} {
		_, err = p.Fit(t.Context(), ex, src)
		told("fit", err)
	}
}
