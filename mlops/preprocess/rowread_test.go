package preprocess

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"strings"
	"testing"

	"github.com/gowren/gowren/mapper/mappertest"
	"github.com/gowren/gowren/mlops/dataset"
)

// TestRowReads holds that a field is the same thing in a row and in an object, also after saving, whatever the format says.
func TestRowReads(t *testing.T) {
	t.Parallel()
	ex := mappertest.New(t)
	fields := []string{"4", " 4 ", "  4", "0x1p-2", "1_0", "1e3", "+.5", "NA", " NA ", "", "?", "x", "-", "Inf", "-infinity", "1e999", "NaN", "nan", "nAn", "1e-400", "4,5"}
	for i, f := range []dataset.Format{
		{Name: dataset.CSV, Comma: ";"},
		{Name: dataset.CSV, Comma: ";", Missing: []string{}, Infinite: dataset.Keep},
		{Name: dataset.CSV, Comma: ";", Missing: []string{"-", "x"}, Infinite: dataset.Missing},
		{Name: dataset.Criteo},
	} {
		for k, field := range fields {
			for _, kind := range []dataset.Kind{dataset.Number, dataset.String} {
				in := dataset.Schema{Columns: []dataset.Column{{Name: "a", Kind: kind}}}
				text := "a\n" + field + ";1\n"
				if f.Name == dataset.Criteo {
					text = field + "\t1\n"
				} else {
					text = strings.Replace(text, "a", "a;b", 1)
				}
				in.Columns = append(in.Columns, dataset.Column{Name: "b", Kind: dataset.Number})
				src := putTable(t, ex, fmt.Sprintf("%d-%d-%s", i, k, kind), []byte(text), in, f)
				var want string
				b, bad := one(t, src)
				if bad == nil {
					want = show(&b.Columns[0], kind)
				}
				good := src
				good.URLs = putTable(t, ex, fmt.Sprintf("good-%d-%d-%s", i, k, kind), []byte("a;b\n1;1\n"), in, f).URLs
				if f.Name == dataset.Criteo {
					good.URLs = putTable(t, ex, fmt.Sprintf("good-%d-%d-%s", i, k, kind), []byte("1\t1\n"), in, f).URLs
				}
				fitted, err := Pipeline{MinMax{Columns: []string{"b"}}}.Fit(t.Context(), ex, good)
				if err != nil {
					t.Fatal(err)
				}
				if fitted, err = Load(strings.NewReader(textOf(t, fitted))); err != nil {
					t.Fatal(err)
				}
				var d dataset.Data
				err = fitted.put(&d, in.Columns[0], field)
				if (err == nil) != (bad == nil) || err == nil && show(&d, kind) != want {
					t.Errorf("%+v, %s %q: %s, %v, and in an object %s, %v", f, kind, field, show(&d, kind), err, want, bad)
				}
				if err != nil && !errors.Is(err, fs.ErrInvalid) {
					t.Error(err)
				}
			}
		}
	}
}

// one reads the only block of a source.
func one(t *testing.T, src dataset.Source) (*dataset.Block, error) {
	for b, err := range all(t.Context(), src) {
		return b, err
	}
	t.Fatal("no rows")
	return nil, nil
}

func show(d *dataset.Data, k dataset.Kind) string {
	switch {
	case k == dataset.Number:
		return fmt.Sprint(d.Numbers[:1])
	case d.Strings.IsMissing(0):
		return "missing"
	}
	return fmt.Sprintf("%q", d.Strings.At(0))
}

// TestRowTypes holds which types are numbers, and what vectors of float32 take.
func TestRowTypes(t *testing.T) {
	t.Parallel()
	in := dataset.Schema{Columns: []dataset.Column{{Name: "a", Kind: dataset.Number}, {Name: "v", Kind: dataset.Vector, Width: 1}}}
	f, err := newFitted(in, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	type own int16
	for _, v := range []any{7, int8(7), int16(7), int32(7), int64(7), uint(7), uint8(7), uint16(7), uint32(7), uint64(7), float32(7), 7., own(7), "7", []byte(" 7")} {
		var d dataset.Data
		if err := f.put(&d, in.Columns[0], v); err != nil || d.Numbers[0] != 7 {
			t.Errorf("%T: %v, %v", v, d.Numbers, err)
		}
	}
	for _, v := range []any{math.Inf(1), float32(math.Inf(-1)), complex(1, 1), "x"} {
		if err := f.put(new(dataset.Data), in.Columns[0], v); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%v: %v", v, err)
		}
	}
	for _, v := range []any{[]float64{1e300}, []float64{math.Inf(1)}, []float64{nan}, []float32{float32(nan)}, []float32{float32(math.Inf(-1))}} {
		if _, err := f.Row(map[string]any{"a": 1, "v": v}); !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), `column "v"`) {
			t.Errorf("%v: %v", v, err)
		}
	}
	if _, err := Load(strings.NewReader(strings.Replace(textOf(t, f), `"version"`, `"infinite":"perhaps","version"`, 1))); !errors.Is(err, fs.ErrInvalid) {
		t.Errorf("a policy that is none: %v", err)
	}
}
