package preprocess

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"math"
	"reflect"
	"slices"

	"github.com/gowren/gowren/mlops/dataset"
)

// Row makes of a single row, by the names of its columns, what a model takes: a batch of one row, which is the caller's. A
// column that is not there, or is nil, is missing; labels, weights and ignored columns are not looked at. Values are numbers, strings or
// []byte, and of vectors slices of numbers, as encoding/json has them too. Strings are read as fields of CSV are by the format that it was fitted to, in
// a number column as a number, and those spelled as one that is missing ([Fitted.Missing]) are; [Fitted.Infinite] says what
// infinities are. A name that is no column is an error, and so is a feature that is still missing at the end, unless
// [Fitted.KeepMissing]. A row that a transform leaves out is [ErrDropped].
//
// It costs some allocations for each column, apart from what the transforms do.
func (f *Fitted) Row(values map[string]any) (*dataset.Batch, error) {
	batch, err := f.row(values)
	if err != nil && !errors.Is(err, ErrDropped) {
		err = fmt.Errorf("preprocess: row: %w", err)
	}
	return batch, err
}

func (f *Fitted) row(values map[string]any) (*dataset.Batch, error) {
	in := f.in()
	b := &dataset.Block{Rows: 1, Columns: make([]dataset.Data, len(in.Columns))}
	known := 0
	for i, c := range in.Columns {
		v, there := values[c.Name]
		if there {
			known++
		}
		if c.Role == dataset.Label || c.Role == dataset.Weight || c.Role == dataset.Ignored {
			v = nil
		}
		if err := f.put(&b.Columns[i], c, v); err != nil {
			return nil, fmt.Errorf("column %q: %w", c.Name, err)
		}
	}
	if known != len(values) {
		for _, name := range slices.Sorted(maps.Keys(values)) {
			if _, err := in.Find(name); err != nil {
				return nil, err
			}
		}
	}
	last, err := f.apply(b, false)
	if err != nil {
		return nil, err
	}
	if b.Rows == 0 {
		return nil, fmt.Errorf("%w: step %d (%s)", ErrDropped, last, f.step(last))
	}
	a, err := dataset.NewAssembler(f.made(false))
	if err != nil {
		return nil, err
	}
	a.Missing = f.KeepMissing
	return a.Assemble(b)
}

// Fields is [Fitted.Row] of the fields of all columns in their order, as CSV has them. Vectors have no such form.
func (f *Fitted) Fields(fields []string) (*dataset.Batch, error) {
	if len(fields) != len(f.in().Columns) {
		return nil, fmt.Errorf("preprocess: row: %d fields, and %d columns: %w", len(fields), len(f.in().Columns), fs.ErrInvalid)
	}
	values := make(map[string]any, len(fields))
	for i, c := range f.in().Columns {
		values[c.Name] = fields[i]
	}
	return f.Row(values)
}

// reading returns what reads texts and numbers as the format does.
func (f *Fitted) reading() *dataset.Values {
	f.once.Do(func() { f.values = dataset.Format{Missing: f.Missing, Infinite: f.Infinite}.Values() })
	return f.values
}

// put sets a column of one row.
func (f *Fitted) put(d *dataset.Data, c dataset.Column, v any) error {
	switch c.Kind {
	case dataset.Number:
		x, err := numberIn(f.reading(), v)
		d.Numbers = []float64{x}
		return err
	case dataset.String:
		switch v := v.(type) {
		case nil:
			d.Strings.AddMissing()
		case string:
			f.putText(d, []byte(v))
		case []byte:
			f.putText(d, v)
		case json.Number:
			f.putText(d, []byte(v))
		default:
			return fmt.Errorf("a %T is no string: %w", v, fs.ErrInvalid)
		}
		return nil
	}
	switch v := v.(type) {
	case nil: // all of it
		d.Vectors.Val = slices.Repeat([]float32{float32(math.NaN())}, max(c.Width, 0))
	case []float32:
		return putVector(f.reading(), d, c.Width, v)
	case []float64:
		return putVector(f.reading(), d, c.Width, v)
	case []any:
		numbers := make([]float64, len(v))
		for i, x := range v {
			var err error
			if numbers[i], err = numberIn(f.reading(), x); err != nil {
				return fmt.Errorf("number %d: %w", i, err)
			}
		}
		return putVector(f.reading(), d, c.Width, numbers)
	default:
		return fmt.Errorf("a %T is no vector: %w", v, fs.ErrInvalid)
	}
	return nil
}

func (f *Fitted) putText(d *dataset.Data, text []byte) {
	if f.reading().IsMissing(text) {
		d.Strings.AddMissing()
	} else {
		d.Strings.Add(text)
	}
}

func putVector[T float32 | float64](r *dataset.Values, d *dataset.Data, width int, v []T) error {
	if len(v) != width {
		return fmt.Errorf("%d numbers, and the width is %d: %w", len(v), width, fs.ErrInvalid)
	}
	for _, x := range v {
		y := float32(math.NaN()) // missing, as a number is
		if x == x {
			var err error
			if y, err = r.Float32(float64(x)); err != nil {
				return fmt.Errorf("%w: %w", err, fs.ErrInvalid)
			}
		}
		d.Vectors.Val = append(d.Vectors.Val, y)
	}
	return nil
}

// numberIn returns a value as a number, NaN where it is missing.
func numberIn(r *dataset.Values, v any) (x float64, err error) {
	switch v := v.(type) {
	case nil:
		return math.NaN(), nil
	case bool:
		if v {
			return 1, nil
		}
		return 0, nil
	case []byte:
		x, err = r.Number(v)
	case string:
		x, err = r.Number([]byte(v))
	case json.Number:
		x, err = r.Number([]byte(v))
	default:
		n := reflect.ValueOf(v)
		switch {
		case n.CanFloat():
			x, err = r.Float(n.Float())
		case n.CanInt():
			x = float64(n.Int())
		case n.CanUint():
			x = float64(n.Uint())
		default:
			return 0, fmt.Errorf("a %T is no number: %w", v, fs.ErrInvalid)
		}
	}
	if err != nil {
		return 0, fmt.Errorf("%w: %w", err, fs.ErrInvalid)
	}
	return x, nil
}
