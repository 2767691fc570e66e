package preprocess

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gowren/gowren/mlops/dataset"
)

// TestCategoriesReference holds OneHot and Ordinal against OneHotEncoder and OrdinalEncoder.
func TestCategoriesReference(t *testing.T) {
	t.Parallel()
	r := wordsReference(t)
	for name, x := range map[string]struct {
		columns []string
		drop    bool
		want    encodingOf
	}{
		"strings": {[]string{"city", "a", "field"}, false, r.Strings},
		"numbers": {[]string{"n", "level"}, false, r.Floats},
		"dropped": {[]string{"city", "a"}, true, r.Dropped},
	} {
		c := categoriesOf(r, x.columns...)
		f := c.fit(t, OneHot{Columns: x.columns, Sorted: true, Drop: x.drop})
		sameSparse(t, name, c.vectors(t, f), x.want.OneHot)
		f = c.fit(t, Ordinal{Columns: x.columns, Sorted: true})
		for row, got := range c.vectors(t, f) {
			if !slices.Equal(got.Val, x.want.Ordinal[row]) {
				t.Errorf("%s: row %d is %v, want %v", name, row, got.Val, x.want.Ordinal[row])
			}
		}
		for i, column := range x.columns {
			for k, v := range x.want.Categories[i] {
				if v, ok := v.(float64); ok {
					x.want.Categories[i][k] = string(appendNumber(nil, v))
				}
			}
			if got := f.Values(column); fmt.Sprint(got) != fmt.Sprint(x.want.Categories[i]) {
				t.Errorf("%s: the values of %s are %q, want %q", name, column, got, x.want.Categories[i])
			}
		}
	}
}

// TestUnknown holds what values are that a vocabulary does not have, in both encodings.
func TestUnknown(t *testing.T) {
	t.Parallel()
	train := columnOf("c", "b", "b", "a", "c", nil).add("n", dataset.Number, 1.0, 1.0, 2.0, math.Copysign(0, -1), nil)
	apply := columnOf("c", "b", "c", "z", nil, "").add("n", dataset.Number, 1.0, 0.0, 9.0, nil, 2.0)
	nan := math.NaN()
	for name, x := range map[string]struct {
		step  Step
		names []string
		c     []float64 // of column c: the places or numbers, -1 where there is none
	}{
		"one-hot":                {OneHot{Columns: []string{"c"}, Unknown: UnknownMissing}, []string{"b", "a", "c"}, []float64{0, 2, -1, -1, -1}},
		"one-hot, other":         {OneHot{Columns: []string{"c"}, Unknown: UnknownOther}, []string{"b", "a", "c", "other"}, []float64{0, 2, 3, -1, 3}},
		"one-hot, most":          {OneHot{Columns: []string{"c"}, Most: 2}, []string{"b", "a", "other"}, []float64{0, 2, 2, -1, 2}},
		"one-hot, least":         {OneHot{Columns: []string{"c"}, Least: 2}, []string{"b", "other"}, []float64{0, 1, 1, -1, 1}},
		"one-hot, all":           {OneHot{Columns: []string{"c"}, Most: 2, Missing: true, Drop: true}, []string{"a", "missing", "other"}, []float64{-1, 2, 2, 1, 2}},
		"one-hot, as missing":    {OneHot{Columns: []string{"c"}, Most: 1, Missing: true, Unknown: UnknownMissing}, []string{"b", "missing"}, []float64{0, 1, 1, 1, 1}},
		"ordinal, other":         {Ordinal{Columns: []string{"c"}, Most: 2}, []string{"b", "a", "other"}, []float64{0, 2, 2, nan, 2}},
		"ordinal, missing":       {Ordinal{Columns: []string{"c"}, Unknown: UnknownMissing}, []string{"b", "a", "c"}, []float64{0, 2, nan, nan, nan}},
		"ordinal, sorted, other": {Ordinal{Columns: []string{"c"}, Sorted: true, Unknown: UnknownOther}, []string{"a", "b", "c", "other"}, []float64{1, 2, 3, nan, 3}},
	} {
		only := &columns{Schema: dataset.Schema{Columns: train.Columns[:1]}, values: train.values[:1]}
		f := only.fit(t, x.step)
		if got := f.Values("c"); !slices.Equal(got, x.names) {
			t.Errorf("%s: the values are %q", name, got)
		}
		only.values = apply.values[:1]
		for i, row := range only.vectors(t, f) {
			got := -1.0
			switch {
			case f.Out().Columns[0].Kind == dataset.Number:
				got = row.Val[0]
			case len(row.Idx) == 1:
				got = float64(row.Idx[0])
			}
			if got != x.c[i] && !(math.IsNaN(got) && math.IsNaN(x.c[i])) {
				t.Errorf("%s: row %d is %v, want %g", name, i, row, x.c[i])
			}
		}
	}
	f := train.fit(t, OneHot{Columns: []string{"c"}}, Ordinal{Columns: []string{"n"}})
	if got := f.Values("n"); !slices.Equal(got, []string{"1", "0", "2"}) {
		t.Errorf("the numbers are %q", got)
	}
	if err := f.Apply(apply.block([]int{0, 1})); err != nil {
		t.Error(err)
	}
	err := f.Apply(apply.block([]int{0, 2}))
	if !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), `row 0000000000000002: column "c": the value "z"`) {
		t.Errorf("an unknown value: %v", err)
	}
}

// TestLabels holds that a label of strings becomes numbers, whose classes can be told.
func TestLabels(t *testing.T) {
	t.Parallel()
	c := columnOf("class", "no", "yes", "no")
	c.Columns[0].Role = dataset.Label
	f := c.fit(t, Ordinal{Columns: []string{"class"}, Sorted: true})
	if got := f.Out().Columns[0]; got != (dataset.Column{Name: "class", Kind: dataset.Number, Role: dataset.Label}) {
		t.Errorf("the label is %v", got)
	}
	if got := f.Values("class"); !slices.Equal(got, []string{"no", "yes"}) {
		t.Errorf("the classes are %q", got)
	}
	if got := f.Values("x"); got != nil {
		t.Errorf("the values of no column are %q", got)
	}
	if _, err := (OneHot{Columns: []string{"class"}}).Plan(c.Schema); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("one-hot of a label: %v", err)
	}
}

// TestCategoryErrors holds columns without values, and settings that cannot be.
func TestCategoryErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]*columns{"missing": columnOf("c", nil, nil), "no rows": columnOf("c")} {
		if _, err := (Pipeline{OneHot{}}).FitBlocks(c.Schema, c.blocks(3)); !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), `"c"`) {
			t.Errorf("%s: %v", name, err)
		}
	}
	constant := columnOf("c", "x", "x")
	if _, err := (Pipeline{OneHot{Drop: true}}).FitBlocks(constant.Schema, constant.blocks(3)); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("a constant column without its first value: %v", err)
	}
	in := columnOf("c").add("n", dataset.Number).Schema
	for name, s := range map[string]Step{
		"unknown": OneHot{Unknown: "x"}, "most": Ordinal{Most: -1}, "least": Ordinal{Least: -1}, "too many": OneHot{Most: maxValues + 1},
		"twice": Ordinal{Columns: []string{"c", "c"}},
	} {
		if _, err := s.Plan(in); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := (OneHot{}).Plan(dataset.Schema{Columns: in.Columns[1:]}); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("no strings: %v", err)
	}
	bad := &Ordinals{Columns: []*Categories{{Column: "n", Number: true, Values: Values{"x"}}}}
	if err := bad.Apply(in, columnOf("c", "a").add("n", dataset.Number, 1.0).block([]int{0})); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("a saved number that is none: %v", err)
	}
	if err := bad.Apply(columnOf("n", "a").Schema, columnOf("n", "a").block([]int{0})); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("a column of another kind: %v", err)
	}
}

// TestValuesJSON holds that values come through JSON to the byte.
func TestValuesJSON(t *testing.T) {
	t.Parallel()
	want := Values{"", "a", "\x00", "\xff", "\ufffd", "a\xc3", `"{`, "é\u2028<&>", `{"hex":"00"}`}
	data, err := json.Marshal(want)
	var got Values
	if err == nil {
		err = json.Unmarshal(data, &got)
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%q, want %q: %v", got, want, err)
	}
	for _, bad := range []string{`[{"hex":"0"}]`, `[1]`, `{}`, `["a`} {
		if json.Unmarshal([]byte(bad), &got) == nil {
			t.Errorf("%s is read", bad)
		}
	}
}

// TestAnyParts holds that what is fitted does not depend on how rows are parted and in what order they come.
func TestAnyParts(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	c := columnOf("c").add("text", dataset.String).add("n", dataset.Number)
	for range 200 {
		value := func(x any) any {
			if random.IntN(8) == 0 {
				return nil
			}
			return x
		}
		c.values[0] = append(c.values[0], value([]string{"", "x", "y", "\xff", "z\x00z", "é"}[random.IntN(6)]))
		c.values[1] = append(c.values[1], value(strings.Repeat("ab cd ", random.IntN(3))+fmt.Sprintf("w%d é%d", random.IntN(40), random.IntN(5))))
		c.values[2] = append(c.values[2], value(float64(random.IntN(9))/4-1))
	}
	steps := []Step{
		OneHot{Most: 3, Columns: []string{"c"}}, Ordinal{Columns: []string{"n", "c"}},
		Words{Column: "text", Most: 20, NGrams: 2}, TFIDF{Words: Words{Column: "text", MinRows: 3, MaxShare: 0.5, Most: 15}},
	}
	want, err := c.travel(random, steps...)
	if err != nil {
		t.Fatal(err)
	}
	for range 20 {
		if got, err := c.travel(random, steps...); err != nil || got != want {
			t.Fatalf("%s, want %s: %v", got, want, err)
		}
	}
	if !strings.Contains(want, `"ab cd"`) || !strings.Contains(want, `"hex":"ff"`) {
		t.Errorf("fitted is %s", want)
	}
}
