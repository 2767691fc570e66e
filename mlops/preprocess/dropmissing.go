package preprocess

import (
	"errors"
	"slices"

	"github.com/gowren/gowren/mlops/dataset"
)

func init() { Register(builtin, DropMissing{}) }

// ErrDropped is of a single row that a transform leaves out: nothing is to be predicted of it.
var ErrDropped = errors.New("preprocess: a transform leaves the row out")

// DropMissing leaves rows out in which a value is missing, or a number of a vector. Steps after it do not see them. How many it
// leaves out [Transformed.Dropped] tells. Of a single row, and with [TransformOptions].NoLabels, labels and weights do not count.
type DropMissing struct {
	Columns []string // Empty: all but those that are ignored.
}

// Plan needs no pass.
func (s DropMissing) Plan(in dataset.Schema) (Plan, error) {
	columns := slices.Clone(s.Columns)
	if len(columns) == 0 {
		for _, c := range in.Columns {
			if c.Role != dataset.Ignored {
				columns = append(columns, c.Name)
			}
		}
	}
	t := DropMissing{columns}
	_, err := t.Out(in)
	// What other steps make of the rows depends on which are left, so that all columns are written.
	return Plan{Reads: namesOf(in.Columns), Writes: namesOf(in.Columns), Out: in, Transform: t}, err
}

// Out is the schema as it is.
func (s DropMissing) Out(in dataset.Schema) (dataset.Schema, error) {
	for _, name := range s.Columns {
		if in.Index(name) < 0 {
			return in, errColumn("drop missing", in, name)
		}
	}
	return in, nil
}

// Apply leaves rows out of a block.
func (s DropMissing) Apply(in dataset.Schema, b *dataset.Block) error {
	dropped, none := make([]bool, b.Rows), true
	for _, name := range s.Columns {
		i := in.Index(name)
		if i < 0 {
			return errColumn("drop missing", in, name)
		}
		d, width := &b.Columns[i], in.Columns[i].Width
		for row := range b.Rows {
			if !dropped[row] && lacks(d, in.Columns[i].Kind, width, row) {
				dropped[row], none = true, false
			}
		}
	}
	if none {
		return nil
	}
	left := make([]int, 0, b.Rows)
	for row, is := range dropped {
		if !is {
			left = append(left, row)
		}
	}
	var own dataset.Block // b's memory is of who has read it
	own.Take(in, b, left)
	*b = own
	return nil
}

// lacks reports whether a row of a column has no value.
func lacks(d *dataset.Data, kind dataset.Kind, width, row int) bool {
	switch kind {
	case dataset.Number:
		x := d.Numbers[row]
		return x != x
	case dataset.String:
		return d.Strings.IsMissing(row)
	}
	begin, end := row*width, (row+1)*width
	if d.Vectors.Ptr != nil {
		begin, end = d.Vectors.Ptr[row], d.Vectors.Ptr[row+1]
	}
	return slices.ContainsFunc(d.Vectors.Val[begin:end], func(x float32) bool { return x != x })
}

// unlabelled is what it does to rows whose label and weight are not looked at.
func (s DropMissing) unlabelled(in dataset.Schema) Transform {
	return DropMissing{slices.DeleteFunc(slices.Clone(s.Columns), func(name string) bool {
		i := in.Index(name)
		return i >= 0 && (in.Columns[i].Role == dataset.Label || in.Columns[i].Role == dataset.Weight)
	})}
}
