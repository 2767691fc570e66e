package preprocess

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"github.com/gowren/gowren/mapper/mappertest"
	"github.com/gowren/gowren/mlops/dataset"
)

// crooked is a step of somebody else that does another thing than it says.
type crooked struct{ How string }

func init() { Register("crooked", crooked{}) }

func (s crooked) Plan(in dataset.Schema) (Plan, error) {
	out, err := s.Out(in)
	if s.How == "plan" {
		out = with(out, dataset.Column{Name: "extra", Kind: dataset.Number})
	}
	if s.How == "kind" {
		out = dataset.Schema{Columns: []dataset.Column{{Name: "a", Kind: dataset.String}}}
	}
	return Plan{Reads: []string{"a"}, Writes: []string{"a", "new"}, Out: out, Transform: s}, err
}

func (s crooked) Out(in dataset.Schema) (dataset.Schema, error) {
	if s.How == "kind" {
		return in, nil
	}
	return with(in, dataset.Column{Name: "new", Kind: dataset.Vector, Width: 2}), nil
}

func (s crooked) Apply(_ dataset.Schema, b *dataset.Block) error {
	d := dataset.Data{Vectors: dataset.Vectors{Val: make([]float32, 2*b.Rows)}}
	switch s.How {
	case "short":
		d.Vectors.Val = d.Vectors.Val[1:]
	case "other":
		d = dataset.Data{Numbers: make([]float64, b.Rows)}
	case "none":
		return nil
	case "old":
		b.Columns[0].Numbers = nil
	}
	b.Columns = append(b.Columns, d)
	return nil
}

// TestOwnSteps: a step that makes another thing than it says is named, when it is fitted as when it is applied.
func TestOwnSteps(t *testing.T) {
	t.Parallel()
	x := numbersTable("a", []float64{1, 2, 3})
	for how, says := range map[string]string{
		"short": `column "new", a vector, does not have the values of`, "other": `column "new", a vector`, "none": "a block of 1 columns", "old": `column "a", a number`,
	} {
		p := Pipeline{MinMax{}, crooked{how}}
		f, err := p.FitBlocks(x.schema(), x.blocks(2))
		if err != nil {
			t.Fatal(err)
		}
		for b := range x.each(2) {
			if err := f.Apply(b); !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "step 1 (preprocess.crooked)") {
				t.Errorf("%s: %v", how, err)
			}
		}
		_, err = Pipeline{crooked{how}, MinMax{Columns: []string{"a", "new"}}}.FitBlocks(x.schema(), x.blocks(2))
		if !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "step 0 (preprocess.crooked)") {
			t.Errorf("%s, fitted: %v", how, err)
		}
	}
	for how, says := range map[string]string{"plan": "its plan makes 3 columns, and its transform 2", "kind": "its plan makes column 0 {Name:a Kind:string"} {
		_, err := Pipeline{crooked{how}}.FitBlocks(x.schema(), x.blocks(2))
		if !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "step 0 (preprocess.crooked)") {
			t.Errorf("%s: %v", how, err)
		}
	}
	f, err := Pipeline{MinMax{}}.FitBlocks(x.schema(), x.blocks(2))
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Apply(&dataset.Block{Rows: 1}); !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), "the schema In") {
		t.Errorf("a block of no columns: %v", err)
	}
}

// TestOwnStepInJob: the error comes from the workers.
func TestOwnStepInJob(t *testing.T) {
	t.Parallel()
	ex := mappertest.New(t)
	x := numbersTable("a", []float64{1, 2, 3})
	src := putTable(t, ex, "own.csv", []byte("a\n1\n2\n"), x.schema(), dataset.Format{Name: dataset.CSV})
	_, err := Pipeline{crooked{"short"}, MinMax{Columns: []string{"new"}}}.Fit(t.Context(), ex, src)
	if err == nil || !strings.Contains(err.Error(), `step 0 (preprocess.crooked): what its Apply has made is not what its Out says: dataset: column "new"`) {
		t.Error(err)
	}
}
