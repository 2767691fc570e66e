package preprocess

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gowren/gowren/mapper/mappertest"
	"github.com/gowren/gowren/mlops/dataset"
)

// fewRows is [Quantile] by a sample of 50 rows.
type fewRows struct{ Quantile }

func (s fewRows) Plan(in dataset.Schema) (Plan, error) {
	p, err := s.Quantile.Plan(in)
	if err == nil {
		p.Fitter.(*quantileFit).Sampler.Sample.Most = 50
	}
	return p, err
}

// TestExpected holds that tasks which pass over most rows lose none of the sample: also where the first rows are short, so
// that far more are expected than there are.
func TestExpected(t *testing.T) {
	t.Parallel()
	ex := mappertest.New(t)
	random := rand.New(rand.NewPCG(17, 18))
	for name, c := range map[string]struct {
		digits [2]int // of each object's rows
		rows   [2]int
		enough bool
	}{
		"as expected": {[2]int{6, 6}, [2]int{900, 900}, true},
		"longer":      {[2]int{4, 3000}, [2]int{900, 90}, false},
		"few":         {[2]int{4, 3000}, [2]int{2, 20}, false},
	} {
		src := dataset.Source{
			Format: dataset.Format{Name: dataset.CSV, NoHeader: true}, Split: 2000,
			Schema: dataset.Schema{Columns: []dataset.Column{{Name: "a", Kind: dataset.Number}}},
		}
		for object := range 2 {
			var text strings.Builder
			for range c.rows[object] {
				fmt.Fprintf(&text, "%.*f\n", c.digits[object], random.Float64())
			}
			key := fmt.Sprintf("%s/%d", name, object)
			if err := ex.Bucket().Put(t.Context(), key, strings.NewReader(text.String())); err != nil {
				t.Fatal(err)
			}
			src.URLs = append(src.URLs, ex.Bucket().URL()+"/"+key)
		}
		p := Pipeline{fewRows{}}
		want, err := p.FitBlocks(src.Schema, all(t.Context(), src))
		if err != nil {
			t.Fatal(err)
		}
		got, err := p.Fit(t.Context(), ex, src)
		if err != nil {
			t.Fatal(err)
		}
		if a, b := textOf(t, want), textOf(t, got); a != b {
			t.Errorf("%s:\n%.300s\nand\n%.300s", name, a, b)
		}
		plan, err := fewRows{}.Plan(src.Schema)
		if err != nil {
			t.Fatal(err)
		}
		parts, err := src.Parts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		rows, err := rowsOf(t.Context(), src.Format, parts)
		if err != nil {
			t.Fatal(err)
		}
		ops := []op{{fitter: plan.Fitter}}
		f := plan.Fitter.(*quantileFit)
		f.Sampler.expect(rows)
		if f.Sampler.Sample.Below == 0 {
			t.Errorf("%s: of %d rows, none is passed over", name, rows)
		}
		if ops, _, err = learnOnce(t.Context(), ex, src, parts, ops); err != nil {
			t.Fatal(err)
		}
		if got := ops[0].fitter.(*quantileFit).Sampler.enough(); got != c.enough {
			t.Errorf("%s: enough: %t", name, got)
		}
	}
}

func TestBefore(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(19, 20))
	for n := range 70 {
		sorted := make([]float64, n)
		for i := range sorted {
			sorted[i] = float64(random.IntN(n))
		}
		slices.Sort(sorted)
		for x := -1.; x <= float64(n); x += .5 {
			want, _ := slices.BinarySearch(sorted, x)
			if got := before(sorted, x); got != want {
				t.Fatalf("%v in %v: %d", x, sorted, got)
			}
		}
	}
}
