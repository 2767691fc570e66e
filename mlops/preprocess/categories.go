package preprocess

import (
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strconv"
	"sync"

	"github.com/gowren/gowren/mlops/dataset"
)

// Unknown says what a value is that is not in a vocabulary: one that was not seen, or was left out as too rare.
type Unknown string

// What a value can be that is unknown. The empty one is UnknownOther where Most or Least leave values out, and otherwise
// UnknownRefused.
const (
	UnknownRefused Unknown = "refused" // an error that names it
	UnknownOther   Unknown = "other"   // as one more value, after all others
	UnknownMissing Unknown = "missing" // as a value that is missing
)

func (u Unknown) check(step string, most int, least int64) (Unknown, error) {
	switch u {
	case UnknownRefused, UnknownOther, UnknownMissing:
		return u, nil
	case "":
		if most > 0 || least > 1 {
			return UnknownOther, nil
		}
		return UnknownRefused, nil
	}
	return u, fmt.Errorf("%s: unknown values cannot be %q: refused, other, missing: %w", step, u, fs.ErrInvalid)
}

// Categories are the values of a column that have a number: that of their place.
type Categories struct {
	Column string
	Number bool   `json:",omitempty"` // the values are numbers, as the shortest text that is each
	Values Values // those of equal numbers are one

	once    sync.Once
	strings map[string]int32
	numbers map[float64]int32
	failed  error
}

// Places of values that have none.
const (
	absent  int32 = -1 // it is missing
	strange int32 = -2 // it is unknown
)

// appendNumber is a number as text: the shortest that is it. There is one zero.
func appendNumber(dst []byte, x float64) []byte {
	return strconv.AppendFloat(dst, x+0, 'g', -1, 64)
}

func (c *Categories) prepare() {
	if !c.Number {
		c.strings = make(map[string]int32, len(c.Values))
		for i, v := range c.Values {
			c.strings[v] = int32(i)
		}
		return
	}
	c.numbers = make(map[float64]int32, len(c.Values))
	for i, v := range c.Values {
		x, err := strconv.ParseFloat(v, 64)
		if err != nil {
			c.failed = fmt.Errorf("column %q: the value %.40q is no number: %w", c.Column, v, fs.ErrInvalid)
			return
		}
		c.numbers[x] = int32(i)
	}
}

// check returns the position of the column, if it holds such values.
func (c *Categories) check(step string, in dataset.Schema) (int, error) {
	if c == nil {
		return -1, fmt.Errorf("%s: a column without a name: %w", step, fs.ErrInvalid)
	}
	at := in.Index(c.Column)
	if at < 0 {
		return at, errColumn(step, in, c.Column)
	}
	want := dataset.String
	if c.Number {
		want = dataset.Number
	}
	if in.Columns[at].Kind != want {
		return at, errKind(step, in.Columns[at], want)
	}
	return at, nil
}

// checkNew is check, where none of the columns before may be the same.
func (c *Categories) checkNew(step string, in dataset.Schema, before []*Categories) (int, error) {
	at, err := c.check(step, in)
	if err == nil && slices.ContainsFunc(before, func(o *Categories) bool { return o.Column == c.Column }) {
		err = fmt.Errorf("%s: column %q is named twice: %w", step, c.Column, fs.ErrInvalid)
	}
	return at, err
}

// replace puts in the place of each column what is made of the places of its values.
func replace(step string, columns []*Categories, u Unknown, in dataset.Schema, b *dataset.Block, data func(c *Categories, places []int32) dataset.Data) error {
	var places []int32
	for _, c := range columns {
		at, err := c.check(step, in)
		if err != nil {
			return err
		}
		d := &b.Columns[at]
		if places, err = c.places(places[:0], d, b.Rows); err != nil {
			return err
		}
		if err := c.resolve(u, places, b, d); err != nil {
			return err
		}
		b.Columns[at] = data(c, places)
	}
	return nil
}

// places adds the places of a column's values.
func (c *Categories) places(dst []int32, d *dataset.Data, rows int) ([]int32, error) {
	if c.once.Do(c.prepare); c.failed != nil {
		return dst, c.failed
	}
	for row := range rows {
		place, known := absent, true
		if c.Number {
			if x := d.Numbers[row]; !math.IsNaN(x) {
				place, known = c.numbers[x]
			}
		} else if !d.Strings.IsMissing(row) {
			place, known = c.strings[string(d.Strings.At(row))]
		}
		if !known {
			place = strange
		}
		dst = append(dst, place)
	}
	return dst, nil
}

// resolve makes of places that are strange what unknown says: one after the last, or absent.
func (c *Categories) resolve(u Unknown, places []int32, b *dataset.Block, d *dataset.Data) error {
	for row, p := range places {
		if p != strange {
			continue
		}
		switch u {
		case UnknownOther:
			places[row] = int32(len(c.Values))
		case UnknownMissing:
			places[row] = absent
		default:
			var value []byte
			if c.Number {
				value = appendNumber(nil, d.Numbers[row])
			} else {
				value = d.Strings.At(row)
			}
			return b.Errorf(row, "column %q: the value %.60q was not seen when it was fitted: %w", c.Column, value, fs.ErrInvalid)
		}
	}
	return nil
}
