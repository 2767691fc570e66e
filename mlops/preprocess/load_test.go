package preprocess

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gowren/gowren/mlops/dataset"
	"github.com/gowren/gowren/serialize"
)

// everything is a pipeline with all numeric steps.
func everything(t testing.TB) (*Fitted, table) {
	x := numbersTable("ab", []float64{1, 2, 4, nan, 8}, []float64{5, 7, 9, 9, 1})
	x.words = []string{"u", "v", "", "u", "\xff"}
	return fitOf(t, x, Impute{With: MostFrequent, Columns: []string{"word"}}, Impute{With: Median, Indicator: true}, Interact{}, Clip{Low: math.Inf(-1), High: 60},
		Log{Columns: []string{"b"}}, Power{Columns: []string{"a"}, Exponent: 2}, YeoJohnson{Columns: []string{"a"}}, Robust{Columns: []string{"b"}},
		StandardScore{}, MaxAbs{}, MinMax{}, Quantile{Columns: []string{"a"}}, Bins{Columns: []string{"b"}, Bins: 3}, Role{"a_missing", dataset.Label}, Keep{[]string{"a", "b"}}), x
}

func TestSaveAndLoad(t *testing.T) {
	t.Parallel()
	f, x := everything(t)
	again, err := Load(strings.NewReader(textOf(t, f)))
	if err != nil {
		t.Fatal(err)
	}
	if a, b := textOf(t, f), textOf(t, again); a != b {
		t.Errorf("%s\nand\n%s", a, b)
	}
	compare(t, "again", nil, apply(t, again, x), apply(t, f, x), 0)
	if f.Out().Hash() != again.Out().Hash() {
		t.Error("another schema")
	}
}

func TestLoadErrors(t *testing.T) {
	t.Parallel()
	f, _ := everything(t)
	good := textOf(t, f)
	for name, c := range map[string]struct{ old, new, says string }{
		"version":         {`"version":1`, `"version":2`, "version 2"},
		"cut":             {good[len(good)/2:], "", "EOF"},
		"unknown":         {`"type":"preprocess.Scaled"`, `"type":"other"`, `"other"`},
		"no such field":   {`"Bins":3`, `"Bins":3,"Base":10`, `"Base"`},
		"more than known": {`"version":1`, `"version":1,"more":{}`, `"more"`},
		"more after it":   {"\n", "\n{}", "more after it"},
		"no transform":    {`"type":"preprocess.Dropped"`, `"type":"preprocess.Drop"`, "something else"},
		"no column":       {`"name":"b"`, `"name":"zz"`, `"b"`},
		"no schema":       {`"kind":"number"`, `"kind":"thing"`, "thing"},
		"a number":        {`"-Inf"`, `"-In"`, "no number"},
	} {
		if !strings.Contains(good, c.old) {
			t.Fatal(name, good)
		}
		if _, err := Load(strings.NewReader(strings.ReplaceAll(good, c.old, c.new))); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOthers holds that states of different steps do not merge.
func TestOthers(t *testing.T) {
	t.Parallel()
	x := numbersTable("ab", []float64{1}, []float64{2})
	var fitters []Fitter
	for _, s := range []Step{MinMax{}, StandardScore{}, Robust{}, Quantile{}, Bins{}, Bins{Equal: true}, Clip{Quantiles: true}, YeoJohnson{}, Impute{}, Impute{With: Median}, Impute{With: MostFrequent}} {
		p, err := s.Plan(x.schema())
		if err != nil {
			t.Fatal(err)
		}
		one, err := s.Plan(dataset.Schema{Columns: x.schema().Columns[:1]})
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := p.Fitter.(*modeFit); !ok {
			if err := p.Fitter.Merge(one.Fitter); !errors.Is(err, fs.ErrInvalid) {
				t.Errorf("%T: %v", s, err)
			}
		}
		fitters = append(fitters, p.Fitter)
	}
	fitters = append(fitters, newDescribing(x.schema()), newFrequency(x.schema()))
	for i, f := range fitters {
		other := fitters[(i+2)%len(fitters)]
		if err := f.Merge(other); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%T with %T: %v", f, other, err)
		}
	}
	if _, err := merge(learned{States: []State{{}}}, learned{}); err == nil {
		t.Error("merged with nothing")
	}
}

// TestSavedForm reads a pipeline that was saved with version 1, and writes it as it was: whoever changes the form changes the
// version, and keeps reading this one.
func TestSavedForm(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile("testdata/saved.json")
	if err != nil {
		t.Fatal(err)
	}
	f, err := Load(bytes.NewReader(want))
	if err != nil {
		t.Fatal(err)
	}
	if got := textOf(t, f); got != string(want) {
		t.Errorf("%s\nand was\n%s", got, want)
	}
	b, err := f.Row(map[string]any{"a": 2, "city": "Ulm", "text": "to be"})
	if want := []float32{1, 0, .5, 1, 0}; err != nil || !slices.Equal(b.Values, want) {
		t.Errorf("%+v, %v; want %v", b, err, want)
	}
}

// minMaxOfOthers has a type of the name of one of this package.
func minMaxOfOthers() any {
	type MinMax struct{}
	return MinMax{}
}

// TestRegistered: the order in which types are registered is no part of their names.
func TestRegistered(t *testing.T) {
	t.Parallel()
	for name, v := range map[string]any{
		"preprocess.Drop": Drop{}, "preprocess.Dropped": Dropped{}, "preprocess.extentFit": &extentFit{}, "test/tallying.tallying": &tallying{}, "test/tallying.Told": Told(""),
	} {
		if got, err := named(v); got != name || err != nil {
			t.Errorf("%T is %q, %v; want %q", v, got, err, name)
		}
	}
}

func TestRegister(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]func(){
		"name":    func() { Register("preprocess", minMaxOfOthers()) },
		"type":    func() { Register("again", MinMax{}) },
		"no name": func() { Register("mine", struct{ X int }{}) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
	if _, err := stateOf(nil); !errors.Is(err, fs.ErrInvalid) {
		t.Error(err)
	}
	for _, s := range []State{{Type: "preprocess.MinMax"}, {Type: "nothing"}, {Type: "preprocess.extentFit", Data: []byte{0xc1}}} {
		if f, err := s.fitter(); err == nil {
			t.Errorf("%v: %T", s, f)
		}
	}
}

func FuzzLoad(f *testing.F) {
	good, x := everything(f)
	f.Add([]byte(textOf(f, good)))
	f.Add([]byte(`{"version":1,"in":{"columns":[{"name":"a","kind":"number"}]},"transforms":[{"type":"preprocess.Scaled","value":{"Columns":[{"Name":"a"}]}}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := Load(bytes.NewReader(data))
		if err != nil {
			return
		}
		text := textOf(t, got)
		again, err := Load(strings.NewReader(text))
		if err != nil || textOf(t, again) != text {
			t.Fatalf("%s: %v", text, err)
		}
		if got.In().Hash() == x.schema().Hash() {
			for b := range x.each(2) {
				if got.Apply(b) != nil {
					return
				}
			}
		}
	})
}

func FuzzSample(f *testing.F) {
	s := newSample(2)
	if err := s.see([]uint64{1, 2}, [][]float64{{1, 2}, {3, nan}}); err != nil {
		f.Fatal(err)
	}
	data, err := s.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Fuzz(func(t *testing.T, data []byte) {
		var s sample
		if s.UnmarshalBinary(data) != nil {
			return
		}
		for j := range min(s.Width, 3) {
			s.column(j)
		}
		same := s
		if err := s.merge(&same); err != nil {
			t.Fatal(err)
		}
		if _, err := s.MarshalBinary(); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzFitter(f *testing.F) {
	x := numbersTable("ab", []float64{1, nan}, []float64{2, 3})
	for _, s := range []Step{MinMax{}, StandardScore{}, Quantile{}, Bins{}, Impute{}} {
		p, err := s.Plan(x.schema())
		if err != nil {
			f.Fatal(err)
		}
		for b := range x.each(2) {
			if err := p.Fitter.See(x.schema(), b); err != nil {
				f.Fatal(err)
			}
		}
		state, err := stateOf(p.Fitter)
		if err = errors.Join(err, state.settle()); err != nil {
			f.Fatal(err)
		}
		f.Add(state.Type, state.Data)
	}
	f.Fuzz(func(t *testing.T, name string, data []byte) {
		a, err := (State{Type: name, Data: data}).fitter()
		if err != nil {
			return
		}
		b, err := (State{Type: name, Data: data}).fitter()
		if err != nil {
			t.Fatal(err)
		}
		if a.Merge(b) != nil {
			return
		}
		if _, err := a.Fit(); err != nil {
			return
		}
		if _, err := serialize.Marshal(a); err != nil {
			t.Fatal(err)
		}
	})
}

func TestNumbers(t *testing.T) {
	t.Parallel()
	n := Numbers{0, math.Copysign(0, -1), .1, 5e-324, math.MaxFloat64, inf, -inf, nan}
	data, err := json.Marshal(n)
	if err != nil {
		t.Fatal(err)
	}
	var back Numbers
	if err := json.Unmarshal(data, &back); err != nil || len(back) != len(n) {
		t.Fatal(err)
	}
	for i := range n {
		if math.Float64bits(back[i]) != math.Float64bits(n[i]) && n[i] == n[i] {
			t.Errorf("%v became %v", n[i], back[i])
		}
	}
	for _, bad := range []string{`["x"]`, `[null]`, `{}`, `[[1]]`} {
		if err := json.Unmarshal([]byte(bad), &back); err == nil {
			t.Errorf("%s became %v", bad, back)
		}
	}
}
