package preprocess

import (
	"fmt"
	"io/fs"

	"github.com/gowren/gowren/mlops/dataset"
)

// applied applies a transform to a block, and checks that it has made what out says. That is for transforms of other packages:
// what a column lacks would else be seen far from who has not made it, or not at all.
func applied(t Transform, in, out dataset.Schema, b *dataset.Block) error {
	if err := t.Apply(in, b); err != nil {
		return err
	}
	if err := b.Check(out); err != nil {
		return fmt.Errorf("what its Apply has made is not what its Out says: %w", err)
	}
	return nil
}

// agree returns an error unless the schema that a transform tells is the one that its step has planned, but for widths that
// were not known.
func agree(planned, out dataset.Schema) error {
	if len(planned.Columns) != len(out.Columns) {
		return fmt.Errorf("its plan makes %d columns, and its transform %d: %w", len(planned.Columns), len(out.Columns), fs.ErrInvalid)
	}
	for i, c := range planned.Columns {
		got := out.Columns[i]
		if got.Width < 0 || c.Width < 0 {
			got.Width = c.Width
		}
		if got != c {
			return fmt.Errorf("its plan makes column %d %+v, and its transform %+v: %w", i, c, out.Columns[i], fs.ErrInvalid)
		}
	}
	return nil
}
