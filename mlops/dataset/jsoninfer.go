package dataset

import (
	"context"
	"slices"

	"github.com/gowren/gowren/storage"
)

// inferJSON looks at what the first rows hold.
func (s Source) inferJSON(ctx context.Context, parts []Part) (Schema, error) {
	var found Schema
	index := map[string]int{}
	ignored := s.ignored()
	miss := s.Format.missing()
	p := &jsonRows{}
	for _, part := range parts {
		for l, err := range storage.LinesAt(ctx, part.Split) {
			if err != nil {
				return Schema{}, err
			}
			text := l.Text
			if l.Off == 0 {
				text = trimMark(text)
			}
			if blank(text) {
				continue
			}
			var odd *RowError
			before := slices.Clone(found.Columns) // which a bad row leaves as they are
			bad := members(text, func(key []byte) bool { return !ignored[string(key)] }, func(key, value []byte) {
				i, ok := index[string(key)]
				if !ok {
					i = len(found.Columns)
					index[string(key)] = i
					found.Columns = append(found.Columns, Column{Name: string(key)})
				}
				if ignored[string(key)] {
					found.Columns[i].Kind, found.Columns[i].Role = String, Ignored
					return
				}
				if kindOf(value) == '"' && miss.has(p.unquote(value)) {
					return
				}
				if why := found.Columns[i].widen(value); why != nil && odd == nil {
					odd = why
				}
			})
			if bad == nil {
				bad = odd
			}
			if bad != nil && s.Format.Bad != Skip {
				return Schema{}, l.Errorf("%w", bad)
			}
			if bad != nil {
				for _, c := range found.Columns[len(before):] {
					delete(index, c.Name)
				}
				found.Columns = before
				continue
			}
			if found.Inferred++; found.Inferred == InferRows {
				break
			}
		}
		if found.Inferred == InferRows {
			break
		}
	}
	for i := range found.Columns {
		if found.Columns[i].Kind == "" { // all are null
			found.Columns[i].Kind = Number
		}
	}
	return found, found.Check()
}

// widen makes the column one that holds a value, too.
func (c *Column) widen(value []byte) *RowError {
	was, width := c.Kind, 0
	switch kindOf(value) {
	case 'n':
		return nil
	case '"':
		c.Kind = String
	case '[':
		c.Kind = Vector
		if bad := elements(value, func(e []byte) *RowError {
			if k := kindOf(e); k != '0' && k != 't' && k != 'f' {
				return rowError(BadKind, c.Name, "%.60q in an array is no number", e)
			}
			width++
			return nil
		}); bad != nil {
			c.Kind = was
			return bad
		}
	case '{':
		return rowError(BadKind, c.Name, "an object in an object")
	default:
		c.Kind = Number
	}
	switch {
	case was == "" || was == c.Kind && width == c.Width:
		c.Width = width
		return nil
	case was != Vector && c.Kind != Vector: // numbers and strings are strings
		c.Kind = String
		return nil
	}
	is := Column{Kind: c.Kind, Width: width}.form()
	c.Kind = was
	return rowError(BadKind, c.Name, "%.60q is %s, and values before it are each %s", value, is, Column{Kind: was, Width: c.Width}.form())
}
