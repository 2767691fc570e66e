package dataset

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/gowren/gowren/internal/decimal"
	"github.com/gowren/gowren/storage"
)

// InferRows is how many rows Infer looks at.
const InferRows = 1000

// Infer finds the schema of a source from its first rows: the first 1,000. All columns are features, but for those whose format
// says otherwise: set the roles of others. Of the source's own schema the ignored columns count, by name: their values are not
// looked at in CSV and JSON lines, and they are strings that are ignored. One that a header does not have is an error.
//
// A column of CSV is a number where all values that are not missing are; without a header, columns are named c1, c2 and so on. One
// of JSON lines is as well, booleans included, or a vector where all are arrays of numbers of one length. That of libsvm is as wide
// as the highest index: all of the source is read, in this process; give the schema ([LibSVMSchema]) where the width is known. Criteo's is [CriteoSchema]. That of IDX follows from the headers.
func Infer(ctx context.Context, s Source) (Schema, error) {
	whole := s
	whole.Schema = Schema{} // which would have to have the column that parts rows
	parts, err := whole.Parts(ctx)
	if err != nil {
		return Schema{}, err
	}
	if len(parts) == 0 {
		return Schema{}, errSource("all objects of the source are empty")
	}
	switch s.Format.Name {
	case Criteo:
		return CriteoSchema(), nil
	case JSONLines:
		return s.inferJSON(ctx, parts)
	case LibSVM:
		return s.inferLibSVM(ctx, parts)
	case IDX:
		return idxSchema(ctx, parts)
	}
	return s.inferCSV(ctx, parts)
}

// inferCSV reads all columns as strings.
func (s Source) inferCSV(ctx context.Context, parts []Part) (Schema, error) {
	names, err := s.columns(ctx, parts[0].Split)
	if err != nil {
		return Schema{}, err
	}
	found, ignored := Schema{Columns: make([]Column, len(names))}, s.ignored()
	for i, name := range names {
		found.Columns[i] = Column{Name: name, Kind: String}
		if ignored[name] {
			found.Columns[i].Role = Ignored
		}
	}
	for _, name := range slices.Sorted(maps.Keys(ignored)) { // the error is the same each time
		if _, err := found.Find(name); err != nil {
			return Schema{}, fmt.Errorf("dataset: infer: to be ignored: %w", err)
		}
	}
	if err := found.Check(); err != nil {
		return Schema{}, fmt.Errorf("dataset: the header of %q cannot be used: %w%s", parts[0].Key, err, found.hint())
	}
	s.Schema = found
	text := make([]bool, len(names))
	for _, p := range parts {
		for b, err := range s.Blocks(ctx, p) {
			if err != nil {
				return Schema{}, err
			}
			for i := range b.Columns {
				text[i] = text[i] || !numeric(&b.Columns[i].Strings, min(b.Rows, InferRows-found.Inferred))
			}
			if found.Inferred += b.Rows; found.Inferred >= InferRows {
				break
			}
		}
		if found.Inferred >= InferRows {
			found.Inferred = InferRows
			break
		}
	}
	for i := range text {
		if !text[i] && found.Columns[i].Role != Ignored {
			found.Columns[i].Kind = Number
		}
	}
	return found, nil
}

// numeric reports whether the first rows are all numbers or missing.
func numeric(s *Strings, rows int) bool {
	for i := range rows {
		if s.IsMissing(i) {
			continue
		}
		text := bytes.Trim(s.At(i), " \t")
		if _, ok := decimal.Parse(text); ok {
			continue
		}
		if _, ok := spelled(text); !ok {
			return false
		}
	}
	return true
}

// columns names the fields of an object: as its header does, or by their number.
func (s Source) columns(ctx context.Context, split storage.Split) ([]string, error) {
	p := newCSV(s.Format, nil)
	if s.Format.MultiLine {
		for row, err := range storage.CSV(ctx, split, s.Format.options()) {
			if err != nil {
				return nil, err
			}
			if row.Header == nil {
				return numbered(len(row.Fields)), nil
			}
			return row.Header, nil
		}
		return nil, errSource("%q has no rows", split.Key)
	}
	for l, err := range storage.LinesAt(ctx, split) {
		if err != nil {
			return nil, err
		}
		text := l.Text
		if l.Off == 0 {
			text = trimMark(text)
		}
		if len(text) == 0 {
			continue
		}
		names, bad := p.names(text)
		if bad != nil {
			return nil, l.Errorf("%w%s", bad, s.Format.hint(text))
		}
		if s.Format.NoHeader {
			names = numbered(len(names))
		}
		return names, nil
	}
	return nil, errSource("%q has no rows", split.Key)
}

// ignored are the names of the columns that the source's schema ignores.
func (s Source) ignored() map[string]bool {
	names := map[string]bool{}
	for _, c := range s.Schema.Columns {
		if c.Role == Ignored {
			names[c.Name] = true
		}
	}
	return names
}

func numbered(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("c%d", i+1)
	}
	return names
}
