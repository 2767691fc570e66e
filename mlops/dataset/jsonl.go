package dataset

import (
	"bytes"
	"context"
	"math"

	"github.com/gowren/gowren/internal/decimal"
)

// jsonRows parses rows of JSON, an object each, into a builder.
type jsonRows struct {
	b      *builder
	f      Format
	miss   missing
	values [][]byte // of the row's columns; nil where there is none
	index  map[string]int
	read   []int // the columns that are not ignored
	buf    []byte
}

func (r *Reader) jsonLines(ctx context.Context, b *builder, yield func(*Block) bool) error {
	p := &jsonRows{b: b, f: r.source.Format, miss: r.source.Format.missing(), values: make([][]byte, len(b.schema.Columns)), index: map[string]int{}}
	b.ignore(r.source.Rows.By)
	for i, c := range b.schema.Columns {
		if b.unread[i] {
			continue
		}
		p.index[c.Name], p.read = i, append(p.read, i)
		if c.Kind == Vector && c.Width < 0 {
			return errSource("column %q: its width must be known", c.Name)
		}
	}
	return r.lines(ctx, b, noHeader, p.row, yield)
}

func (p *jsonRows) row(line []byte) *RowError {
	clear(p.values)
	if bad := members(line, p.wants, func(key, value []byte) {
		if i, ok := p.index[string(key)]; ok {
			p.values[i] = value
		}
	}); bad != nil {
		return bad
	}
	for _, i := range p.read {
		if bad := p.value(i, p.values[i]); bad != nil {
			return bad
		}
	}
	return nil
}

// wants reports whether a member is of a column that is read.
func (p *jsonRows) wants(key []byte) bool {
	_, ok := p.index[string(key)]
	return ok
}

// value puts a value in its place.
func (p *jsonRows) value(column int, v []byte) *RowError {
	c, d := &p.b.schema.Columns[column], &p.b.columns[column]
	kind := kindOf(v)
	var text []byte
	if kind == '"' {
		text = p.unquote(v)
		if p.miss.has(text) {
			kind = 'n'
		}
	}
	switch c.Kind {
	case Number:
		x, bad := p.number(c.Name, kind, v)
		if bad != nil {
			return bad
		}
		d.Numbers[p.b.rows] = x
	case String:
		switch kind {
		case 'n':
			d.Strings.AddMissing()
		case '"':
			d.Strings.Add(text)
		case '0', 't', 'f':
			d.Strings.Add(v)
		default:
			return rowError(BadKind, c.Name, "%.60q is no string", v)
		}
	case Vector:
		return p.vector(c, &d.Vectors, kind, v)
	}
	return nil
}

func (p *jsonRows) number(column string, kind byte, v []byte) (float64, *RowError) {
	switch kind {
	case 'n':
		return math.NaN(), nil
	case 't':
		return 1, nil
	case 'f':
		return 0, nil
	case '0':
		x, _ := decimal.Parse(v) // JSON's numbers are all decimal
		return p.f.infinite(x, column, v)
	}
	return 0, rowError(BadNumber, column, "%.60q is no number", v)
}

func (p *jsonRows) vector(c *Column, to *Vectors, kind byte, v []byte) *RowError {
	if kind != '[' {
		return rowError(BadKind, c.Name, "%.60q is no array of numbers", v)
	}
	n := 0
	bad := elements(v, func(e []byte) *RowError {
		if n++; n > c.Width {
			return rowError(BadWidth, c.Name, "more than %d numbers", c.Width)
		}
		k := kindOf(e)
		if k == 'n' { // there are no missing numbers in a vector
			k = '?'
		}
		x, bad := p.number(c.Name, k, e)
		if bad == nil {
			to.Val, bad = p.f.float32(to.Val, x, c.Name, e)
		}
		return bad
	})
	if bad == nil && n < c.Width {
		bad = rowError(BadWidth, c.Name, "%d numbers, and not %d", n, c.Width)
	}
	return bad
}

// float32 adds an element of a vector. It cannot be missing, nor infinite unless that is kept.
func (f Format) float32(to []float32, x float64, column string, text []byte) ([]float32, *RowError) {
	v := float32(x)
	if f.Infinite != Keep && math.IsInf(float64(v), 0) || v != v {
		return to, rowError(BadInfinity, column, "%.60q is infinite, or too large, in a vector of float32", text)
	}
	return append(to, v), nil
}

// unquote returns what a string of JSON holds, which is valid until the next call or as long as v.
func (p *jsonRows) unquote(v []byte) []byte {
	if bytes.IndexByte(v, '\\') < 0 {
		return v[1 : len(v)-1]
	}
	p.buf = append(p.buf[:0], unescape(v)...)
	return p.buf
}
