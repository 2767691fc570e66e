package dataset

import (
	"fmt"
	"io/fs"
)

// Check returns an error unless the block has the columns of a schema, each with values of its kind for all rows. It looks at
// how many there are, and at none of them. The values are those of the column's kind alone; others that there are do not count.
func (b *Block) Check(s Schema) error {
	if err := b.checkColumns(s); err != nil {
		return err
	}
	for i, c := range s.Columns {
		if err := b.Columns[i].check(c, b.Rows); err != nil {
			return err
		}
	}
	return nil
}

func (b *Block) checkColumns(s Schema) error {
	if len(b.Columns) != len(s.Columns) {
		return fmt.Errorf("dataset: a block of %d columns, and the schema has %d: %w", len(b.Columns), len(s.Columns), fs.ErrInvalid)
	}
	return nil
}

// check returns an error unless the data have as many values of a column as there are rows.
func (d *Data) check(c Column, rows int) error {
	var whole bool
	v, s := &d.Vectors, &d.Strings
	switch {
	case c.Kind == Number:
		whole = len(d.Numbers) == rows
	case c.Kind == String:
		whole = len(s.Ends) == rows && (s.Missing == nil || len(s.Missing) == rows) && (rows == 0 || int(s.Ends[rows-1]) <= len(s.Bytes))
	case v.Ptr == nil:
		whole = c.Width < 0 || len(v.Val) == rows*c.Width
	default:
		whole = len(v.Ptr) == rows+1 && v.Ptr[0] == 0 && v.Ptr[rows] == len(v.Val) && len(v.Idx) == len(v.Val)
	}
	if !whole {
		return fmt.Errorf("dataset: column %q, a %s, does not have the values of %d rows: %w", c.Name, c.Kind, rows, fs.ErrInvalid)
	}
	return nil
}
