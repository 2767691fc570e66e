package preprocess

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/gowren/gowren/mlops/dataset"
)

var nan, inf = math.NaN(), math.Inf(1)

// TestEdges holds what comes of columns that are hardly any.
func TestEdges(t *testing.T) {
	t.Parallel()
	type numbers = []float64
	for name, c := range map[string]struct {
		step     Step
		in, want numbers
		then     map[float64]float64 // what comes of other numbers
	}{
		"minmax, one row":                {MinMax{}, numbers{3}, numbers{.5}, map[float64]float64{4: .5, nan: nan}},
		"minmax, constant":               {MinMax{Low: 2, High: 4}, numbers{3, nan, 3}, numbers{3, nan, 3}, nil},
		"minmax, all missing":            {MinMax{}, numbers{nan, nan}, numbers{nan, nan}, map[float64]float64{4: 4}},
		"minmax, outside":                {MinMax{}, numbers{1, 3}, numbers{0, 1}, map[float64]float64{5: 2, inf: inf}},
		"minmax, ends":                   {MinMax{Low: -.1, High: .2}, numbers{-.3, 1e-30, .7}, numbers{-.1, -.01, .2}, nil},
		"minmax, far":                    {MinMax{}, numbers{1e9, 1e9 + 1, 1e9 + 4}, numbers{0, .25, 1}, nil},
		"minmax, smallest":               {MinMax{}, numbers{0, 5e-324}, numbers{0, 1}, nil},
		"maxabs, zeros":                  {MaxAbs{}, numbers{0, math.Copysign(0, -1), nan}, numbers{0, 0, nan}, map[float64]float64{4: 4}},
		"maxabs, one row":                {MaxAbs{}, numbers{-8}, numbers{-1}, nil},
		"maxabs, largest":                {MaxAbs{}, numbers{-math.MaxFloat64, math.MaxFloat64 / 2}, numbers{-1, .5}, nil},
		"standardscore, one row":         {StandardScore{}, numbers{3}, numbers{0}, map[float64]float64{4: 1}},
		"standardscore, constant":        {StandardScore{}, numbers{.1, .1, .1, nan}, numbers{0, 0, 0, nan}, nil},
		"standardscore, constant, kept":  {StandardScore{KeepMean: true}, numbers{.1, .1, .1}, numbers{.1, .1, .1}, nil},
		"standardscore, all missing":     {StandardScore{}, numbers{nan, nan}, numbers{nan, nan}, map[float64]float64{4: 4}},
		"standardscore, far":             {StandardScore{}, numbers{1e9 - 1, 1e9 + 1}, numbers{-1, 1}, nil},
		"standardscore, farther":         {StandardScore{}, numbers{1e15 - 1, 1e15 + 1}, numbers{-1, 1}, nil},
		"robust, one row":                {Robust{}, numbers{3}, numbers{0}, map[float64]float64{4: 1}},
		"robust, all missing":            {Robust{}, numbers{nan}, numbers{nan}, map[float64]float64{4: 4}},
		"quantile, one row":              {Quantile{}, numbers{3}, numbers{0}, map[float64]float64{2: 0, 4: 1}},
		"quantile, constant":             {Quantile{}, numbers{3, 3, 3}, numbers{0, 0, 0}, map[float64]float64{4: 1}},
		"quantile, all missing":          {Quantile{}, numbers{nan, nan}, numbers{nan, nan}, map[float64]float64{4: 4}},
		"quantile, outside":              {Quantile{}, numbers{1, 2, 3}, numbers{0, .5, 1}, map[float64]float64{-inf: 0, inf: 1, 1.5: .25, nan: nan}},
		"quantile, far":                  {Quantile{}, numbers{-1.7e308, 1.7e308}, numbers{0, 1}, map[float64]float64{0: .5, 1e308: .5 + .5/1.7, -1.7e308: 0}},
		"quantile, near":                 {Quantile{}, numbers{15e-324, 25e-324}, numbers{0, 1}, map[float64]float64{20e-324: .5}},
		"bins, one row":                  {Bins{Bins: 4}, numbers{3}, numbers{0}, map[float64]float64{2: 0, 4: 0, nan: 4}},
		"bins, all missing":              {Bins{Bins: 4}, numbers{nan, nan}, numbers{4, 4}, map[float64]float64{3: 0}},
		"bins, two values":               {Bins{Bins: 255}, numbers{0, 1}, numbers{0, 253 + 1}, nil},
		"bins, outside":                  {Bins{Bins: 2, Equal: true}, numbers{0, 10, nan}, numbers{0, 1, 2}, map[float64]float64{-inf: 0, inf: 1, 5: 1, 4.9: 0}},
		"bins, equal, constant":          {Bins{Bins: 2, Equal: true}, numbers{1, 1}, numbers{0, 0}, nil},
		"bins, equal, all missing":       {Bins{Bins: 2, Equal: true}, numbers{nan}, numbers{2}, nil},
		"mean, one row":                  {Impute{}, numbers{3}, numbers{3}, map[float64]float64{nan: 3}},
		"mean, largest":                  {Impute{}, numbers{math.MaxFloat64, math.MaxFloat64, nan}, numbers{math.MaxFloat64, math.MaxFloat64, math.MaxFloat64}, nil},
		"median":                         {Impute{With: Median}, numbers{4, nan, 1, 2, 3}, numbers{4, 2.5, 1, 2, 3}, nil},
		"most frequent, equally":         {Impute{With: MostFrequent}, numbers{4, -3, nan, 4, -3, 1}, numbers{4, -3, -3, 4, -3, 1}, nil},
		"most frequent, zeros":           {Impute{With: MostFrequent}, numbers{0, math.Copysign(0, -1), 1, nan}, numbers{0, 0, 1, 0}, nil},
		"constant, all missing":          {Impute{With: Constant}, numbers{nan}, numbers{0}, nil},
		"clip":                           {Clip{Low: -1, High: 1}, numbers{-inf, 0, inf, nan}, numbers{-1, 0, 1, nan}, nil},
		"clip, one side":                 {Clip{Low: -inf, High: 1}, numbers{-inf, 0, inf}, numbers{-inf, 0, 1}, nil},
		"clip at quantiles":              {Clip{Low: 0, High: .5, Quantiles: true}, numbers{1, 2, 9}, numbers{1, 2, 2}, map[float64]float64{-5: 1, inf: 2}},
		"clip at quantiles, all missing": {Clip{Low: 0, High: .5, Quantiles: true}, numbers{nan}, numbers{nan}, map[float64]float64{4: 4}},
		"log":                            {Log{Offset: 1}, numbers{0, math.E - 1, nan}, numbers{0, 1, nan}, nil},
		"power":                          {Power{Exponent: 2}, numbers{-3, 0, nan}, numbers{9, 0, nan}, nil},
		"yeojohnson, constant":           {YeoJohnson{}, numbers{2, 2, nan}, numbers{2, 2, nan}, map[float64]float64{-3: -3}},
		"yeojohnson, all missing":        {YeoJohnson{}, numbers{nan}, numbers{nan}, map[float64]float64{-3: -3}},
	} {
		x := numbersTable("a", c.in)
		f := fitOf(t, x, c.step)
		again, err := Load(strings.NewReader(textOf(t, f)))
		if err != nil {
			t.Fatal(name, err)
		}
		compare(t, name, nil, apply(t, f, x), [][]float64{c.want}, 1e-15)
		for in, want := range c.then {
			compare(t, fmt.Sprint(name, " of ", in), nil, apply(t, again, numbersTable("a", []float64{in})), [][]float64{{want}}, 1e-15)
		}
	}
}

// TestInfinities holds that what cannot be scaled is an error that names the column.
func TestInfinities(t *testing.T) {
	t.Parallel()
	for _, step := range []Step{MinMax{}, MaxAbs{}, StandardScore{}, Robust{}, Quantile{}, Bins{}, Bins{Equal: true}, YeoJohnson{}} {
		for _, x := range [][]float64{{1, inf}, {-inf, 1}, {-inf, inf}} {
			_, err := Pipeline{step}.FitBlocks(numbersTable("a", x).schema(), numbersTable("a", x).blocks(1))
			if err == nil || !strings.Contains(err.Error(), `column "a"`) || !strings.Contains(err.Error(), "Clip") {
				t.Errorf("%+v of %v: %v", step, x, err)
			}
		}
	}
	for _, step := range []Step{Impute{}, Impute{With: Median}} {
		x := numbersTable("a", []float64{inf, inf, 1, nan})
		if _, err := (Pipeline{step}).FitBlocks(x.schema(), x.blocks(1)); err == nil || !strings.Contains(err.Error(), `column "a" would be filled in with +Inf: Clip`) {
			t.Errorf("%+v: %v", step, err)
		}
	}
	for _, step := range []Step{MinMax{}, StandardScore{}, Bins{Equal: true}, Robust{}} {
		x := numbersTable("a", []float64{-math.MaxFloat64, -math.MaxFloat64, math.MaxFloat64, math.MaxFloat64})
		if _, err := (Pipeline{step}).FitBlocks(x.schema(), x.blocks(1)); err == nil || !strings.Contains(err.Error(), "too far") {
			t.Errorf("%+v: %v", step, err)
		}
	}
	if _, err := (Pipeline{Impute{}}).FitBlocks(numbersTable("a", []float64{-inf, inf}).schema(), numbersTable("a", []float64{-inf, inf}).blocks(1)); err == nil {
		t.Error("a mean of infinities of both signs")
	}
}

var vectorSchema = dataset.Schema{Columns: []dataset.Column{{Name: "v", Kind: dataset.Vector, Width: 3}}}

// vectorBlocks are two blocks, of 3 rows of 3 numbers in all, dense or sparse.
func vectorBlocks(sparse bool) []*dataset.Block {
	rows := [][]float32{{0, 2, 0}, {4, -8, 0}, {0, 0, float32(nan)}}
	var blocks []*dataset.Block
	for i, n := range []int{1, 2} {
		b := &dataset.Block{Rows: n, IDs: []uint64{1, 2}[:n], Columns: make([]dataset.Data, 1)}
		v := &b.Columns[0].Vectors
		if sparse {
			v.Ptr = []int{0}
		}
		for _, row := range rows[i : i+n] {
			for j, x := range row {
				if !sparse {
					v.Val = append(v.Val, x)
				} else if x != 0 {
					v.Idx, v.Val = append(v.Idx, uint32(j)), append(v.Val, x)
				}
			}
			if sparse {
				v.Ptr = append(v.Ptr, len(v.Val))
			}
		}
		blocks = append(blocks, b)
	}
	return blocks
}

// TestVectors holds that vectors are scaled by coordinate, and sparse ones as dense ones.
func TestVectors(t *testing.T) {
	t.Parallel()
	in := vectorSchema
	n := float32(nan)
	d := float32(math.Sqrt(16./3 - 16./9))
	for name, c := range map[string]struct {
		step   Step
		sparse bool // may be
		want   []float32
	}{
		"minmax":        {MinMax{}, false, []float32{0, 1, .5, 1, 0, .5, 0, .8, n}},
		"maxabs":        {MaxAbs{}, true, []float32{0, .25, 0, 1, -1, 0, 0, 0, n}},
		"standardscore": {StandardScore{KeepMean: true}, true, []float32{0, 2 / float32(math.Sqrt(56./3)), 0, 4 / d, -8 / float32(math.Sqrt(56./3)), 0, 0, 0, n}},
		"whole":         {StandardScore{KeepDeviation: true}, false, []float32{-4. / 3, 4, 0, 8. / 3, -6, 0, -4. / 3, 2, n}},
	} {
		for _, sparse := range []bool{false, true} {
			f, err := Pipeline{c.step}.FitBlocks(in, func(yield func(*dataset.Block, error) bool) {
				for _, b := range vectorBlocks(sparse) {
					if !yield(b, nil) {
						return
					}
				}
			})
			if sparse && !c.sparse {
				if err == nil || !strings.Contains(err.Error(), "sparse") {
					t.Errorf("%s: %v", name, err)
				}
				continue
			}
			if err != nil {
				t.Fatal(name, err)
			}
			var got []float32
			for _, b := range vectorBlocks(sparse) {
				if err := f.Apply(b); err != nil {
					t.Fatal(name, err)
				}
				v := b.Columns[0].Vectors
				for row := range b.Rows {
					dense := v.Val
					if sparse {
						dense = make([]float32, 3)
						for k := v.Ptr[row]; k < v.Ptr[row+1]; k++ {
							dense[v.Idx[k]] = v.Val[k]
						}
						got = append(got, dense...)
					} else {
						got = append(got, dense[3*row:3*row+3]...)
					}
				}
			}
			for i, want := range c.want {
				if !nearly(float64(got[i]), float64(want), 1e-6) {
					t.Errorf("%s, sparse %t: %v, want %v", name, sparse, got, c.want)
					break
				}
			}
		}
	}
	f := Scaled{Columns: []ScaledColumn{{"v", []float64{0, 0, 0}, []float64{1, 1, 1}}}, High: 1}
	b := vectorBlocks(true)[0]
	b.Columns[0].Vectors.Idx[0] = 3
	if err := f.Apply(in, b); err == nil || !strings.Contains(err.Error(), "width") {
		t.Errorf("%v", err)
	}
}
