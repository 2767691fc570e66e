package preprocess

import (
	"fmt"
	"io/fs"
	"maps"
	"math"
	"slices"
	"strconv"

	"github.com/gowren/gowren/mlops/dataset"
)

// Row makes of a single row, by the names of its columns, what a model takes: a batch of one row, which is the caller's. A
// column that is not there, or is nil, is missing; labels and weights are not looked at. Values are numbers, strings or
// []byte, and of vectors []float32 or []float64; a string in a number column is read as a number. A name that is no column,
// and a feature that is still missing at the end, is an error.
//
// It costs some allocations for each column, apart from what the transforms do.
func (f *Fitted) Row(values map[string]any) (*dataset.Batch, error) {
	b := &dataset.Block{Rows: 1, IDs: []uint64{0}, Columns: make([]dataset.Data, len(f.In.Columns))}
	known := 0
	for i, c := range f.In.Columns {
		v, there := values[c.Name]
		if there {
			known++
		}
		if c.Role == dataset.Label || c.Role == dataset.Weight {
			v = nil
		}
		if err := put(&b.Columns[i], c, v); err != nil {
			return nil, fmt.Errorf("preprocess: row: column %q: %w", c.Name, err)
		}
	}
	if known != len(values) {
		for _, name := range slices.Sorted(maps.Keys(values)) {
			if f.In.Index(name) < 0 {
				return nil, fmt.Errorf("preprocess: %w", errColumn("row", name))
			}
		}
	}
	if err := f.Apply(b); err != nil {
		return nil, err
	}
	out := dataset.Schema{Columns: slices.Clone(f.Out().Columns)}
	for i, c := range out.Columns {
		if c.Role == dataset.Label || c.Role == dataset.Weight {
			out.Columns[i].Role = dataset.Ignored
		}
	}
	a, err := dataset.NewAssembler(out)
	if err != nil {
		return nil, err
	}
	return a.Assemble(b)
}

// Fields is [Fitted.Row] of the fields of all columns in their order, as CSV has them. Those spelled as
// [dataset.DefaultMissing] are missing. Vectors have no such form.
func (f *Fitted) Fields(fields []string) (*dataset.Batch, error) {
	if len(fields) != len(f.In.Columns) {
		return nil, fmt.Errorf("preprocess: row: %d fields, and %d columns: %w", len(fields), len(f.In.Columns), fs.ErrInvalid)
	}
	values := make(map[string]any, len(fields))
	for i, c := range f.In.Columns {
		if !slices.Contains(dataset.DefaultMissing(), fields[i]) {
			values[c.Name] = fields[i]
		}
	}
	return f.Row(values)
}

// put sets a column of one row.
func put(d *dataset.Data, c dataset.Column, v any) error {
	switch c.Kind {
	case dataset.Number:
		x, err := numberIn(v)
		if err == nil && math.IsInf(x, 0) {
			err = fmt.Errorf("%g is not finite: %w", x, fs.ErrInvalid)
		}
		d.Numbers = []float64{x}
		return err
	case dataset.String:
		switch v := v.(type) {
		case nil:
			d.Strings.AddMissing()
		case string:
			d.Strings.Add([]byte(v))
		case []byte:
			d.Strings.Add(v)
		default:
			return fmt.Errorf("a %T is no string: %w", v, fs.ErrInvalid)
		}
		return nil
	}
	switch v := v.(type) {
	case nil: // all of it
		d.Vectors.Val = slices.Repeat([]float32{float32(math.NaN())}, max(c.Width, 0))
	case []float32:
		d.Vectors.Val = slices.Clone(v)
	case []float64:
		for _, x := range v {
			d.Vectors.Val = append(d.Vectors.Val, float32(x))
		}
	default:
		return fmt.Errorf("a %T is no vector: %w", v, fs.ErrInvalid)
	}
	if len(d.Vectors.Val) != c.Width {
		return fmt.Errorf("%d numbers, and the width is %d: %w", len(d.Vectors.Val), c.Width, fs.ErrInvalid)
	}
	return nil
}

// numberIn returns a value as a number, NaN where it is missing.
func numberIn(v any) (float64, error) {
	switch v := v.(type) {
	case nil:
		return math.NaN(), nil
	case float64:
		return v, nil
	case float32:
		return float64(v), nil
	case int:
		return float64(v), nil
	case int32:
		return float64(v), nil
	case int64:
		return float64(v), nil
	case bool:
		if v {
			return 1, nil
		}
		return 0, nil
	case []byte:
		return numberIn(string(v))
	case string:
		x, err := strconv.ParseFloat(v, 64)
		if err != nil {
			return 0, fmt.Errorf("%.40q is no number: %w", v, fs.ErrInvalid)
		}
		return x, nil
	}
	return 0, fmt.Errorf("a %T is no number: %w", v, fs.ErrInvalid)
}
