package preprocess

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"
)

// reference is testdata/reference.json, what scikit-learn made: see reference.py beside it.
type reference struct {
	Versions   map[string]string
	Names      []string
	Table      [][]*float64
	Words      []*string
	Transforms map[string][][]*float64
	Word       string `json:"most frequent word"`
	Yeo        struct {
		Names   []string
		Lambdas []float64
		Columns [][]*float64
	} `json:"yeo-johnson"`
	Interactions struct {
		Names []string
		Two   [][]*float64 `json:"degree 2"`
		Three [][]*float64 `json:"degree 3 powers"`
	}
}

func numbersOf(cols [][]*float64) [][]float64 {
	all := make([][]float64, len(cols))
	for i, c := range cols {
		for _, x := range c {
			v := math.NaN()
			if x != nil {
				v = *x
			}
			all[i] = append(all[i], v)
		}
	}
	return all
}

func readReference(t *testing.T) (reference, table) {
	data, err := os.ReadFile("testdata/reference.json")
	if err != nil {
		t.Fatal(err)
	}
	var r reference
	if err := json.Unmarshal(data, &r); err != nil {
		t.Fatal(err)
	}
	x := table{names: r.Names, cols: numbersOf(r.Table)}
	for _, w := range r.Words {
		if w == nil {
			x.words = append(x.words, "")
		} else {
			x.words = append(x.words, *w)
		}
	}
	return r, x
}

// compare holds that columns are those of scikit-learn. The column "far" is around 1e9, where the last bit of a mean is
// 1.2e-7 of a deviation.
func compare(t *testing.T, what string, names []string, got, want [][]float64, tolerance float64) {
	t.Helper()
	if len(got) < len(want) {
		t.Fatalf("%s: %d columns, want %d", what, len(got), len(want))
	}
	for j := range want {
		allowed := tolerance
		if j < len(names) && names[j] == "far" {
			allowed = max(tolerance, 3e-7)
			if what == "quantile normal" { // the bit again, over the distance of two quantiles
				allowed = 5e-6
			}
		}
		for i := range want[j] {
			if !nearly(got[j][i], want[j][i], allowed) {
				t.Errorf("%s: column %d, row %d: %v, want %v", what, j, i, got[j][i], want[j][i])
				break
			}
		}
	}
}

// TestReference holds that transforms are those of scikit-learn.
func TestReference(t *testing.T) {
	t.Parallel()
	r, x := readReference(t)
	numbers := x
	numbers.words = nil
	for name, step := range map[string]Step{
		"minmax":                     MinMax{},
		"minmax -1 3":                MinMax{Low: -1, High: 3},
		"maxabs":                     MaxAbs{},
		"standard":                   StandardScore{},
		"standard without mean":      StandardScore{KeepMean: true},
		"standard without deviation": StandardScore{KeepDeviation: true},
		"robust":                     Robust{},
		"quantile":                   Quantile{},
		"quantile 20":                Quantile{Quantiles: 20},
		"quantile normal":            Quantile{Quantiles: 20, Normal: true},
		"bins":                       Bins{Bins: 5},
		"bins equal":                 Bins{Bins: 5, Equal: true},
		"mean":                       Impute{},
		"median":                     Impute{With: Median},
		"most frequent":              Impute{With: MostFrequent},
		"constant":                   Impute{With: Constant, Value: -4},
	} {
		want := numbersOf(r.Transforms[name])
		if len(want) != len(x.cols) {
			t.Fatalf("%s: %d columns", name, len(want))
		}
		if c := slices.Index(x.names, "constant"); name == "minmax" || name == "minmax -1 3" {
			// scikit-learn brings a column whose values are all equal to Low, and not to the middle.
			for i := range want[c] {
				want[c][i] += map[string]float64{"minmax": .5, "minmax -1 3": 2}[name]
			}
		}
		tolerance := 1e-12
		if name == "quantile normal" {
			tolerance = 1e-9 // the inverse of the normal distribution is an approximation in both
		}
		compare(t, name, x.names, apply(t, fitOf(t, numbers, step), numbers), want, tolerance)
	}
}

func TestReferenceWords(t *testing.T) {
	t.Parallel()
	r, x := readReference(t)
	f := fitOf(t, x, Impute{Columns: []string{"word"}, With: MostFrequent, Indicator: true})
	for b := range x.each(x.rows()) {
		if err := f.Apply(b); err != nil {
			t.Fatal(err)
		}
		at := f.Out().Index("word")
		flags := b.Columns[f.Out().Index("word_missing")].Numbers
		for i, w := range x.words {
			got := string(b.Columns[at].Strings.At(i))
			if w == "" && (got != r.Word || flags[i] != 1) || w != "" && (got != w || flags[i] != 0) || b.Columns[at].Strings.IsMissing(i) {
				t.Fatalf("row %d: %q became %q, %v", i, w, got, flags[i])
			}
		}
	}
}

func TestReferencePower(t *testing.T) {
	t.Parallel()
	r, x := readReference(t)
	few := table{names: r.Yeo.Names}
	for _, name := range r.Yeo.Names {
		few.cols = append(few.cols, x.cols[slices.Index(x.names, name)])
	}
	f := fitOf(t, few, YeoJohnson{})
	for i, want := range r.Yeo.Lambdas {
		if got := f.Transforms()[0].(Changed).With[i]; math.Abs(got-want) > 1e-6 {
			t.Errorf("%s: %v, want %v", r.Yeo.Names[i], got, want)
		}
	}
	compare(t, "yeo-johnson", nil, apply(t, f, few), numbersOf(r.Yeo.Columns), 1e-5)
}

func TestReferenceInteractions(t *testing.T) {
	t.Parallel()
	r, x := readReference(t)
	few := table{names: r.Interactions.Names}
	for _, name := range few.names {
		few.cols = append(few.cols, x.cols[slices.Index(x.names, name)])
	}
	compare(t, "degree 2", nil, apply(t, fitOf(t, few, Interact{}), few), numbersOf(r.Interactions.Two), 1e-12)
	compare(t, "degree 3", nil, apply(t, fitOf(t, few, Interact{Degree: 3, Powers: true}), few), numbersOf(r.Interactions.Three), 1e-12)
}
