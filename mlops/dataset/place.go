package dataset

import (
	"context"
	"fmt"
	"math"

	"github.com/gowren/gowren/storage"
)

// origin is where the rows of a block are from.
type origin struct {
	ctx    context.Context // of the loop that reads them
	source *Source
	part   Part
}

// Errorf returns an error about a row of the block, as [fmt.Errorf] formats it. Of rows that a [Reader] has read it names the object
// and the line, as the reader's own errors do: also of those that [Block.Take], [Block.Clone] or a [SplitRows] have taken, or
// whose columns were replaced. Of others it tells the ID, where there is one.
//
// It reads the part of the object again, up to the row, and counts the lines before: it is for an error that ends the work.
func (b *Block) Errorf(row int, format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	if row < 0 || row >= len(b.IDs) {
		if b.Rows == 1 {
			return err // there is no other
		}
		return fmt.Errorf("row %d of %d: %w", row, b.Rows, err)
	}
	id := b.IDs[row]
	if b.from == nil && b.Rows == 1 && id == 0 {
		return err // of a row by itself, which has no ID
	}
	if b.from == nil {
		return fmt.Errorf("row %016x: %w", id, err)
	}
	return b.from.mark(id, err)
}

// mark returns an error with the place of a row.
func (o *origin) mark(id uint64, err error) error {
	found := fmt.Errorf("it is not there any more")
	switch f := o.source.Format; {
	case f.Name == IDX:
		file := idxFile{split: o.part.Split}
		for row := range mostRows(o.part.Split) {
			if rowID(o.part.Object, row) == id {
				return file.errorf(row)("%w", err)
			}
		}
	case f.Name == CSV && f.MultiLine:
		options := f.options()
		options.Skip = func(error) {}
		for row, failed := range storage.CSV(o.ctx, o.part.Split, options) {
			if failed != nil {
				found = failed
			} else if rowID(o.part.Object, row.End()) == id {
				return row.Errorf("%w", err)
			}
		}
	default:
		for line, failed := range storage.LinesAt(o.ctx, o.part.Split) {
			if failed != nil {
				found = failed
			} else if rowID(o.part.Object, line.End()) == id {
				return line.Errorf("%w", err)
			}
		}
	}
	return fmt.Errorf("dataset: read %q in %s: row %016x: %w; its line is not known: %v", o.part.Key, o.part.URL, id, err, found) //nolint:errorlint // the error is err, and not that the row was looked for in vain
}

// mostRows bounds how many rows an object of IDX has: of a byte each.
func mostRows(s storage.Split) int64 {
	const packed = 1 << 11 // what gzip and zstd can make of a byte, about
	if s.Compression != "" {
		return min(s.Size, math.MaxUint32/packed) * packed
	}
	return min(s.Size, math.MaxUint32)
}
