package preprocess

import (
	"fmt"
	"io/fs"
	"math"

	"github.com/gowren/gowren/mlops/dataset"
)

func init() {
	Register(builtin, Log{})
	Register(builtin, Power{})
	Register(builtin, Changed{})
}

// Log makes of each number x the natural logarithm of x + Offset. A number for which there is none is an error that names
// the column and the row's ID, as is one that is not finite.
type Log struct {
	Columns []string // of numbers; empty: all features that are
	Offset  float64
}

// Plan needs no pass.
func (s Log) Plan(in dataset.Schema) (Plan, error) { return planChange(in, s.Columns, logOf, s.Offset) }

// Power raises numbers to a power. A number for which there is no finite result is an error that names the column and the
// row's ID.
type Power struct {
	Columns  []string // of numbers; empty: all features that are
	Exponent float64
}

// Plan needs no pass.
func (s Power) Plan(in dataset.Schema) (Plan, error) {
	return planChange(in, s.Columns, powerOf, s.Exponent)
}

// Change is a function of one number.
type Change string

// The changes.
const (
	logOf   Change = "log"
	powerOf Change = "power"
	yeoOf   Change = "yeo-johnson"
)

func planChange(in dataset.Schema, names []string, by Change, with float64) (Plan, error) {
	columns, err := choose(string(by), in, names, dataset.Number)
	if err != nil {
		return Plan{}, err
	}
	if math.IsNaN(with) || math.IsInf(with, 0) {
		return Plan{}, fmt.Errorf("%s: %g: %w", by, with, fs.ErrInvalid)
	}
	t := Changed{By: by, Columns: namesOf(columns)}
	for range columns {
		t.With = append(t.With, with)
	}
	return Plan{Reads: t.Columns, Writes: t.Columns, Out: in, Transform: t}, nil
}

// Changed is what [Log], [Power] and [YeoJohnson] become.
type Changed struct {
	By      Change
	Columns []string
	With    Numbers // the number of each column that goes with it
}

// Out returns in, which has the columns in it.
func (t Changed) Out(in dataset.Schema) (dataset.Schema, error) {
	if len(t.With) != len(t.Columns) {
		return in, errOther
	}
	if t.By != logOf && t.By != powerOf && t.By != yeoOf {
		return in, fmt.Errorf("a change by %q: %w", t.By, fs.ErrInvalid)
	}
	return kept(in, t.Columns)
}

// Apply changes a block's numbers.
func (t Changed) Apply(in dataset.Schema, b *dataset.Block) error {
	return eachNumber(string(t.By), in, b, t.Columns, func(column int, values []float64) error {
		with := t.With[column]
		for row, x := range values {
			if x != x {
				continue
			}
			var y float64
			switch t.By {
			case logOf:
				y = math.Log(x + with)
			case powerOf:
				y = math.Pow(x, with)
			default:
				y = yeoJohnson(x, with)
			}
			if y-y != 0 {
				return b.Errorf(row, "%s: column %q: %s: %w", t.By, t.Columns[column], t.By.refuses(x, with), fs.ErrInvalid)
			}
			values[row] = y
		}
		return nil
	})
}

// refuses says which number there is not.
func (c Change) refuses(x, with float64) string {
	switch {
	case c == logOf && with != 0:
		return fmt.Sprintf("no logarithm of %g, with an Offset of %g", x, with)
	case c == logOf:
		return fmt.Sprintf("no logarithm of %g", x)
	case c == powerOf:
		return fmt.Sprintf("no finite number is %g to the power of %g", x, with)
	}
	return fmt.Sprintf("nothing finite becomes of %g with a power of %g", x, with)
}
