package preprocess

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/gowren/gowren/mlops/dataset"
)

// TestRow holds that a single row becomes what it does among others.
func TestRow(t *testing.T) {
	t.Parallel()
	x := numbersTable("aby", []float64{1, 2, nan}, []float64{5, 7, 9}, []float64{0, 1, 1})
	x.words = []string{"u", "v", ""}
	p := Pipeline{Role{"y", dataset.Label}, Impute{Indicator: true}, MinMax{Columns: []string{"a", "b"}}, Drop{[]string{"word"}}}
	f := fitOf(t, x, p...)
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for want, values := range map[[4]float32]map[string]any{
				{0, 1, 0, 0}:     {"a": 1., "b": "9", "word": "u"},
				{1, .5, 0, 0}:    {"a": float32(2), "b": []byte("7"), "word": nil, "y": 1},
				{.5, 0, 1, 0}:    {"b": 5},
				{.5, -.25, 1, 0}: {"b": int64(4), "a": nil},
			} {
				b, err := f.Row(values)
				if err != nil || b.Rows != 1 || b.Labels != nil || !slices.Equal(b.Values, want[:]) {
					t.Errorf("%v: %+v, %v", values, b, err)
				}
			}
		})
	}
	wait.Wait()
	b, err := f.Fields([]string{"NA", "5", "", "u"})
	if err != nil || !slices.Equal(b.Values, []float32{.5, 0, 1, 0}) {
		t.Errorf("%+v, %v", b, err)
	}
	for name, c := range map[string]struct {
		values map[string]any
		is     error
		says   string
	}{
		"no such column": {map[string]any{"b": 1, "zz": 2}, fs.ErrNotExist, "zz"},
		"no number":      {map[string]any{"b": "x1"}, fs.ErrInvalid, `"b"`},
		"infinite":       {map[string]any{"b": "Inf"}, fs.ErrInvalid, `"b"`},
		"no string":      {map[string]any{"b": 1, "word": 3}, fs.ErrInvalid, `"word"`},
		"another type":   {map[string]any{"b": struct{}{}}, fs.ErrInvalid, `"b"`},
	} {
		if _, err := f.Row(c.values); !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := f.Fields([]string{"1"}); !errors.Is(err, fs.ErrInvalid) {
		t.Error(err)
	}
	if _, err := fitOf(t, x, Drop{[]string{"word"}}).Row(map[string]any{"a": 1, "b": 2}); err == nil || !strings.Contains(err.Error(), `"y"`) {
		t.Errorf("a feature is missing: %v", err)
	}
}

func TestRowVector(t *testing.T) {
	t.Parallel()
	f, err := newFitted(dataset.Schema{Columns: []dataset.Column{{Name: "v", Kind: dataset.Vector, Width: 2}}}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{[]float32{1, 2}, []float64{1, 2}} {
		if b, err := f.Row(map[string]any{"v": v}); err != nil || !slices.Equal(b.Values, []float32{1, 2}) {
			t.Errorf("%+v, %v", b, err)
		}
	}
	for _, v := range []any{[]float32{1}, nil, "x"} {
		if _, err := f.Row(map[string]any{"v": v}); err == nil || !strings.Contains(err.Error(), `"v"`) {
			t.Errorf("%v: %v", v, err)
		}
	}
}
