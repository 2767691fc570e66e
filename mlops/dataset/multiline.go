package dataset

import (
	"context"
	"encoding/csv"
	"errors"

	"github.com/gowren/gowren/storage"
)

// options are those of CSV in which fields may hold newlines.
func (f Format) options() storage.CSVOptions {
	return storage.CSVOptions{Comma: rune(f.comma()), NoHeader: f.NoHeader, AnyBytes: true}
}

// multiLine reads CSV in which fields may hold newlines.
func (r *Reader) multiLine(ctx context.Context, p *csvRows, yield func(*Block) bool) error {
	o := p.f.options()
	if p.f.Bad == Skip {
		o.Skip = func(err error) { r.skip(reasonOf(err)) }
	}
	if p.f.NoHeader {
		p.inOrder()
	}
	for row, err := range storage.CSV(ctx, r.part.Split, o) {
		if err != nil {
			return err
		}
		if p.fields == nil {
			if err := p.byName(row.Header); err != nil {
				return row.Errorf("%w", err)
			}
		}
		if bad := p.strings(row.Fields); bad != nil {
			if err := r.bad(p.b, bad, row.Errorf); err != nil {
				return err
			}
			continue
		}
		if p.b.end(row.End()) && !yield(p.b.take()) {
			return errStop
		}
	}
	return nil
}

// strings is row of fields that are parted.
func (p *csvRows) strings(fields []string) *RowError {
	if len(fields) != len(p.fields) {
		return rowError(BadFields, "", "%d fields, and not %d", len(fields), len(p.fields))
	}
	for i := range p.fields {
		p.buf = append(p.buf[:0], fields[i]...)
		if bad := p.value(&p.fields[i], p.buf); bad != nil {
			return bad
		}
	}
	return nil
}

// reasonOf tells what storage found wrong with a row.
func reasonOf(err error) string {
	if errors.Is(err, csv.ErrFieldCount) {
		return BadFields
	}
	return BadQuote
}
