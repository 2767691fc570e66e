package preprocess

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gowren/gowren/mapper/mappertest"
	"github.com/gowren/gowren/mlops/dataset"
)

// TestMerging: what is learned is the same whether the driver merges it, or, of rows that are too wide for that, the workers do.
func TestMerging(t *testing.T) {
	t.Parallel()
	ex := mappertest.New(t)
	random := rand.New(rand.NewPCG(29, 30))
	var text strings.Builder
	for i := range 400 {
		fmt.Fprintf(&text, "%d 1:%v %d:%v 50:1\n", i%2, random.NormFloat64(), 2+random.IntN(40), random.NormFloat64())
	}
	if err := ex.Bucket().Put(t.Context(), "rows", strings.NewReader(text.String())); err != nil {
		t.Fatal(err)
	}
	var want []float64
	for _, width := range []int{50, 2 * mergedHere} {
		src := dataset.Source{
			URLs: []string{ex.Bucket().URL() + "/rows"}, Format: dataset.Format{Name: dataset.LibSVM}, Schema: dataset.LibSVMSchema(width), Split: 500,
		}
		d, err := Describe(t.Context(), ex, src)
		if err != nil {
			t.Fatal(err)
		}
		if d.Rows != 400 || d.Columns[1].Numbers == nil {
			t.Errorf("%d wide: %+v", width, d)
		}
		f, err := (Pipeline{StandardScore{KeepMean: true}}).Fit(t.Context(), ex, src)
		if err != nil {
			t.Fatal(err)
		}
		got := f.Transforms()[0].(Scaled).Columns[0].Div[:50]
		if want == nil {
			want = got
		}
		for i, x := range got {
			if x != want[i] {
				t.Errorf("%d wide, coordinate %d: a deviation of %g, and %g", width, i, x, want[i])
			}
		}
	}
}
