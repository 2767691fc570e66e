package preprocess

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"

	"github.com/gowren/gowren/mlops/dataset"
)

func init() { Register(builtin, &categoryFitter{}) }

// maxValues bounds the vocabulary of a column, and any list of which all values are wanted: it is in the memory of the driver
// and of each task that applies it.
const maxValues = 1 << 22

// categoryFitter counts the values of columns, for OneHot and Ordinal.
type categoryFitter struct {
	Ordinal bool // else it is OneHot's
	Columns []dataset.Column
	OneHot  OneHot

	seen  occurrences
	text  []byte
	found []Categories // at the end, by column
}

func planCategories(step string, in dataset.Schema, s OneHot, kinds ...dataset.Kind) (*categoryFitter, error) {
	columns, err := chooseSome(step, in, s.Columns, kinds...)
	if err != nil {
		return nil, err
	}
	if s.Most < 0 || s.Most > maxValues || s.Least < 0 {
		return nil, fmt.Errorf("%s: the %d most frequent of those that occur %d times: at most %d: %w", step, s.Most, s.Least, maxValues, fs.ErrInvalid)
	}
	s.Unknown, err = s.Unknown.check(step, s.Most, s.Least)
	return &categoryFitter{Columns: columns, OneHot: s}, err
}

// See has nothing to learn that is not counted.
func (f *categoryFitter) See(dataset.Schema, *dataset.Block) error { return nil }

// Merge has nothing to merge.
func (f *categoryFitter) Merge(Fitter) error { return nil }

// Count counts values. Missing ones are none.
func (f *categoryFitter) Count(in dataset.Schema, b *dataset.Block, emit func(list string, value []byte, n, rows int64)) error {
	for i, c := range f.Columns {
		at := in.Index(c.Name)
		if at < 0 {
			return errColumn("vocabulary", in, c.Name)
		}
		d := &b.Columns[at]
		for row := range b.Rows {
			switch {
			case c.Kind == dataset.Number:
				if x := d.Numbers[row]; x == x {
					f.text = appendNumber(f.text[:0], x)
					f.seen.add(f.text, row)
				}
			case !d.Strings.IsMissing(row):
				f.seen.add(d.Strings.At(row), row)
			}
		}
		f.seen.emit(strconv.Itoa(i), emit)
	}
	return nil
}

// Want asks for the most frequent values of each column.
func (f *categoryFitter) Want() map[string]Want {
	all := map[string]Want{}
	for i := range f.Columns {
		all[strconv.Itoa(i)] = Want{Most: f.OneHot.Most, Least: f.OneHot.Least}
	}
	return all
}

// Counted takes the values of a column.
func (f *categoryFitter) Counted(list string, values []Counted) error {
	i, err := strconv.Atoi(list)
	if err != nil || i < 0 || i >= len(f.Columns) {
		return fmt.Errorf("vocabulary: there is no list %.40q: %w", list, fs.ErrInvalid)
	}
	if len(f.found) == 0 {
		f.found = make([]Categories, len(f.Columns))
	}
	if len(values) > maxValues {
		return f.full(list)
	}
	c := &f.found[i]
	c.Column, c.Number = f.Columns[i].Name, f.Columns[i].Kind == dataset.Number
	for _, v := range values {
		c.Values = append(c.Values, string(v.Value))
	}
	if f.OneHot.Sorted {
		return c.sort()
	}
	return nil
}

// full is the error of a column that has too many values.
func (f *categoryFitter) full(list string) error {
	name := list
	if i, err := strconv.Atoi(list); err == nil && i >= 0 && i < len(f.Columns) {
		name = f.Columns[i].Name
	}
	return fmt.Errorf("column %q has more than %d values, or they take more than %d MiB: set Most or Least, or use Hash: %w", name, maxValues, maxListBytes>>20, fs.ErrInvalid)
}

// sort brings the values into their order: that of numbers, or of bytes.
func (c *Categories) sort() error {
	if !c.Number {
		slices.Sort(c.Values)
		return nil
	}
	var errs []error
	slices.SortFunc(c.Values, func(a, b string) int {
		x, err := strconv.ParseFloat(a, 64)
		y, failed := strconv.ParseFloat(b, 64)
		errs = append(errs, err, failed)
		return cmp.Compare(x, y)
	})
	return errors.Join(errs...)
}

// Fit makes the transform.
func (f *categoryFitter) Fit() (Transform, error) {
	if len(f.found) != len(f.Columns) {
		return nil, fmt.Errorf("vocabulary: %w", errNothing)
	}
	if f.Ordinal {
		t := &Ordinals{Columns: make([]*Categories, len(f.found)), Unknown: f.OneHot.Unknown}
		for i := range f.found {
			t.Columns[i] = &f.found[i]
		}
		return t, nil
	}
	t := &Indicators{Columns: make([]*Categories, len(f.found)), Unknown: f.OneHot.Unknown, Missing: f.OneHot.Missing, Drop: f.OneHot.Drop}
	for i := range f.found {
		t.Columns[i] = &f.found[i]
	}
	return t, nil
}
