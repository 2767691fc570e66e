package preprocess

import (
	"encoding/json"
	"errors"
	"io/fs"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gowren/gowren/mapper/mappertest"
	"github.com/gowren/gowren/mlops/dataset"
)

// TestDropMissing: steps before it see all rows, those after it the rows that are left, however rows come in blocks.
func TestDropMissing(t *testing.T) {
	t.Parallel()
	x := numbersTable("aby", []float64{0, 1, 2, nan, 4}, []float64{nan, 10, 20, 30, 40}, []float64{1, 0, nan, 1, 0})
	x.words = []string{"u", "v", "w", "u", ""}
	for name, c := range map[string]struct {
		columns []string
		left    []int
	}{
		"all":      {nil, []int{1}},
		"one":      {[]string{"b"}, []int{1, 2, 3, 4}},
		"label":    {[]string{"y"}, []int{0, 1, 3, 4}},
		"a string": {[]string{"word"}, []int{0, 1, 2, 3}},
		"two":      {[]string{"a", "b"}, []int{1, 2, 4}},
	} {
		for size := 1; size <= 5; size++ {
			p := Pipeline{Role{"y", dataset.Label}, MaxAbs{Columns: []string{"b"}}, DropMissing{c.columns}, StandardScore{Columns: []string{"a"}}}
			f, err := p.FitBlocks(x.schema(), x.blocks(size))
			if err != nil {
				t.Fatal(err)
			}
			var b, a []float64
			for block := range x.each(size) {
				if err := f.Apply(block); err != nil {
					t.Fatal(err)
				}
				if err := block.Check(f.Out()); err != nil {
					t.Error(err)
				}
				a, b = append(a, block.Columns[0].Numbers...), append(b, block.Columns[1].Numbers...)
			}
			var wantB, among []float64
			for _, row := range c.left {
				wantB = append(wantB, x.cols[1][row]/40)
				if v := x.cols[0][row]; v == v {
					among = append(among, v)
				}
			}
			if !slices.EqualFunc(b, wantB, func(x, y float64) bool { return x == y || x != x && y != y }) {
				t.Errorf("%s, blocks of %d: b is %v, want %v", name, size, b, wantB)
			}
			sum := 0.
			for _, v := range a {
				if v == v {
					sum += v
				}
			}
			if len(a) != len(c.left) || math.Abs(sum) > 1e-12 {
				t.Errorf("%s, blocks of %d: %v does not have the mean 0: it was fitted to other rows than %v", name, size, a, among)
			}
		}
	}
	if _, err := (Pipeline{DropMissing{[]string{"zz"}}}).FitBlocks(x.schema(), x.blocks(2)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such column: %v", err)
	}
}

// TestDropMissingVectors: a vector lacks a value where one of its numbers is missing.
func TestDropMissingVectors(t *testing.T) {
	t.Parallel()
	f32 := float32(nan)
	in := dataset.Schema{Columns: []dataset.Column{{Name: "v", Kind: dataset.Vector, Width: 2}}}
	for name, v := range map[string]dataset.Vectors{
		"dense":  {Val: []float32{1, 2, 3, f32, 5, 6}},
		"sparse": {Ptr: []int{0, 1, 2, 3}, Idx: []uint32{1, 0, 1}, Val: []float32{2, f32, 6}},
	} {
		b := &dataset.Block{Rows: 3, IDs: []uint64{7, 8, 9}, Columns: []dataset.Data{{Vectors: v}}}
		if err := (DropMissing{[]string{"v"}}).Apply(in, b); err != nil {
			t.Fatal(err)
		}
		if b.Rows != 2 || !slices.Equal(b.IDs, []uint64{7, 9}) || b.Check(in) != nil {
			t.Errorf("%s: %+v", name, b)
		}
	}
}

// TestDropMissingRow: a single row has no label, and is left out by what else it lacks.
func TestDropMissingRow(t *testing.T) {
	t.Parallel()
	x := numbersTable("ay", []float64{0, 1, nan}, []float64{1, 0, 1})
	f := fitOf(t, x, Role{"y", dataset.Label}, DropMissing{[]string{"a", "y"}}, MaxAbs{Columns: []string{"a"}}, Keep{[]string{"a"}})
	if b, err := f.Row(map[string]any{"a": 1}); err != nil || !slices.Equal(b.Values, []float32{1}) {
		t.Errorf("%+v, %v", b, err)
	}
	if b, err := f.Row(map[string]any{"y": 1}); b != nil || !errors.Is(err, ErrDropped) || !strings.Contains(err.Error(), "step 1 (preprocess.DropMissing)") {
		t.Errorf("%+v, %v", b, err)
	}
}

// TestDropMissingJob: the rows that are left out are counted, and those that are left are stored.
func TestDropMissingJob(t *testing.T) {
	t.Parallel()
	ex := mappertest.New(t)
	x := numbersTable("ay", []float64{1}, []float64{1})
	src := putTable(t, ex, "drop.csv", []byte("a,y\n1,1\n,0\n3,1\n4,\n"), x.schema(), dataset.Format{Name: dataset.CSV})
	src.Schema.Columns[1].Role = dataset.Label
	f, err := Pipeline{DropMissing{}}.Fit(t.Context(), ex, src)
	if err != nil {
		t.Fatal(err)
	}
	got, err := f.Transform(t.Context(), ex, src, ex.Bucket().URL(), TransformOptions{})
	if err != nil || got.Dropped != 2 || got.Manifest.Rows != 2 {
		t.Errorf("%+v, %v", got, err)
	}
}

// TestRowJSON: a row may come from encoding/json.
func TestRowJSON(t *testing.T) {
	t.Parallel()
	f, err := newFitted(dataset.Schema{Columns: []dataset.Column{
		{Name: "v", Kind: dataset.Vector, Width: 3}, {Name: "n", Kind: dataset.Number}, {Name: "s", Kind: dataset.String, Role: dataset.Ignored},
	}}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, numbers := range []bool{false, true} {
		d := json.NewDecoder(strings.NewReader(`{"v": [1, 2.5, null], "n": 7, "s": "x"}`))
		if numbers {
			d.UseNumber()
		}
		var row map[string]any
		if err := d.Decode(&row); err != nil {
			t.Fatal(err)
		}
		if b, err := f.Row(row); err == nil || b != nil || !strings.Contains(err.Error(), `"v"`) {
			t.Errorf("a number is missing: %+v, %v", b, err)
		}
		f.KeepMissing = true
		again, err := Load(strings.NewReader(textOf(t, f)))
		if err != nil {
			t.Fatal(err)
		}
		b, err := again.Row(row)
		if err != nil || len(b.Values) != 4 || b.Values[1] != 2.5 || b.Values[2] == b.Values[2] || b.Values[3] != 7 {
			t.Errorf("%+v, %v", b, err)
		}
		f.KeepMissing = false
	}
	if _, err := f.Row(map[string]any{"v": []any{1., 2., "x"}, "n": 1}); !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), "number 2") {
		t.Error(err)
	}
}
