package dataset

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"strings"

	"github.com/gowren/gowren/internal/decimal"
	"github.com/gowren/gowren/storage"
)

// csvRows parses rows of CSV, each in one line, into a builder.
type csvRows struct {
	b      *builder
	f      Format
	comma  byte
	quotes bool // fields may be quoted
	miss   missing
	fields []csvField
	buf    []byte // a field without its quotes

	empty         bool   // an empty field is missing
	commas, marks uint64 // the comma, and the quote, 8 times each; where there are no quotes, the comma again
}

// csvField is where a field of each row goes.
type csvField struct {
	numbers []float64 // by row; nil where it is no number
	strings *Strings  // nil where it is no string
	column  string    // empty where nobody wants it
}

func newCSV(f Format, b *builder) *csvRows {
	p := &csvRows{b: b, f: f, comma: f.comma(), quotes: f.Name != Criteo, miss: f.missing()}
	p.empty = p.miss.has(nil)
	p.commas = ones * uint64(p.comma)
	if p.marks = p.commas; p.quotes {
		p.marks = ones * '"'
	}
	return p
}

// headed reports whether the objects have a header.
func (f Format) headed() bool { return f.Name == CSV && !f.NoHeader }

func (r *Reader) csv(ctx context.Context, b *builder, yield func(*Block) bool) error {
	p := newCSV(r.source.Format, b)
	b.ignore(r.source.Rows.By)
	for i, c := range b.schema.Columns {
		if c.Kind == Vector && !b.unread[i] {
			return errSource("column %q: CSV has no vectors", c.Name)
		}
	}
	if p.f.MultiLine && p.f.Name == CSV {
		return r.multiLine(ctx, p, yield)
	}
	if !p.f.headed() {
		p.inOrder()
		return r.lines(ctx, b, noHeader, p.row, yield)
	}
	header, err := p.readHeader(ctx, r.part.Split)
	if err != nil {
		return err
	}
	return r.lines(ctx, b, header, p.row, yield)
}

// inOrder has the fields be the schema's columns.
func (p *csvRows) inOrder() {
	p.fields = make([]csvField, len(p.b.schema.Columns))
	for i := range p.fields {
		p.set(i, i)
	}
}

// set has a field go to a column.
func (p *csvRows) set(field, column int) {
	if p.b.unread[column] {
		return
	}
	d := &p.b.columns[column]
	f := csvField{column: p.b.schema.Columns[column].Name, numbers: d.Numbers}
	if p.b.schema.Columns[column].Kind == String {
		f.strings = &d.Strings
	}
	p.fields[field] = f
}

// byName has the fields go to the columns that have the names of a header.
func (p *csvRows) byName(header []string) error {
	p.fields = make([]csvField, len(header))
	found := make([]bool, len(p.b.schema.Columns))
	for i, name := range header {
		c := p.b.schema.Index(name)
		if c < 0 {
			continue
		}
		if found[c] {
			return errSource("the header has column %q twice", name)
		}
		found[c] = true
		p.set(i, c)
	}
	var lacking []string
	for c, ok := range found {
		if !ok {
			lacking = append(lacking, quoted(p.b.schema.Columns[c].Name))
		}
	}
	if n := len(lacking) - listed; n > 0 {
		lacking = append(lacking[:listed], fmt.Sprintf("%d more", n))
	}
	if lacking != nil {
		return errSource("the header has no column %s: %.300q", strings.Join(lacking, ", "), header)
	}
	return nil
}

// readHeader reads the first line of a split's object that is not blank. It returns where that begins.
func (p *csvRows) readHeader(ctx context.Context, s storage.Split) (int64, error) {
	for _, s := range []storage.Split{firstLine(s), whole(s)} { // blank lines are rare
		for l, err := range storage.LinesAt(ctx, s) {
			if err != nil {
				return 0, err
			}
			text := l.Text
			if l.Off == 0 {
				text = trimMark(text)
			}
			if len(text) == 0 {
				continue
			}
			header, bad := p.names(text)
			if bad != nil {
				return 0, l.Errorf("the header: %w%s", bad, p.f.hint(text))
			}
			if err := p.byName(header); err != nil {
				return 0, l.Errorf("%w%s", err, p.f.hint(text))
			}
			return l.Off, nil
		}
	}
	return 0, nil // there is nothing in the object
}

// whole is the split of all of the object.
func whole(s storage.Split) storage.Split {
	if s.Compression == "" {
		s.Off, s.Len = 0, s.Size
	}
	return s
}

// firstLine is the split in which the first line begins.
func firstLine(s storage.Split) storage.Split {
	if s.Compression == "" {
		s.Off, s.Len = 0, min(1, s.Size)
	}
	return s
}

// names returns the fields of a line.
func (p *csvRows) names(line []byte) ([]string, *RowError) {
	var names []string
	for at := 0; at <= len(line); {
		text, next, bad := p.cut(line, at, "")
		if bad != nil {
			return nil, bad
		}
		names = append(names, string(text))
		at = next
	}
	return names, nil
}

// row parses a line. Numbers go right to their places, and strings without quotes right to theirs, for most of the time is spent
// here.
func (p *csvRows) row(line []byte) *RowError {
	at, row := 0, p.b.rows
	for i := range p.fields {
		f := &p.fields[i]
		if f.numbers != nil {
			if at < len(line) {
				x, n := decimal.Prefix(line[at:])
				end := at + n
				switch {
				case end < len(line) && line[end] != p.comma || math.Abs(x) > math.MaxFloat64:
				case n > 0:
					f.numbers[row] = x
					at = end + 1
					continue
				case p.empty:
					f.numbers[row] = math.NaN()
					at++
					continue
				}
			}
		} else if end := p.plain(line, at); end >= 0 {
			if text := line[at:end]; f.strings == nil {
			} else if p.miss.has(text) {
				f.strings.AddMissing()
			} else if len(text) <= 8 && at+8 <= len(line) {
				f.strings.addShort(line[at:at+8], len(text))
			} else {
				f.strings.Add(text)
			}
			at = end + 1
			continue
		}
		if at > len(line) {
			return rowError(BadFields, "", "%d fields, and not %d", i, len(p.fields))
		}
		if f.column == "" && line[at] != '"' { // what is in it is nobody's, quotes too
			if n := bytes.IndexByte(line[at:], p.comma); n >= 0 {
				at += n + 1
			} else {
				at = len(line) + 1
			}
			continue
		}
		text, next, bad := p.cut(line, at, f.column)
		if bad == nil {
			if bad = p.value(f, text); bad != nil && bad.Reason == BadNumber {
				bad = p.fewer(line, next, i+1, bad)
			}
		}
		if bad != nil {
			return bad
		}
		at = next
	}
	if at <= len(line) {
		return rowError(BadFields, "", "more than %d fields: %.60q follows", len(p.fields), line[at:])
	}
	return nil
}

// fewer returns what is wrong with a row of which a field is no number: where there are not as many fields as there should be,
// they are in the wrong columns.
func (p *csvRows) fewer(line []byte, at, n int, bad *RowError) *RowError {
	for ; at <= len(line); n++ {
		_, next, torn := p.cut(line, at, "")
		if torn != nil {
			return bad
		}
		at = next
	}
	if n == len(p.fields) {
		return bad
	}
	return rowError(BadFields, "", "%d fields, and not %d", n, len(p.fields))
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// plain returns where the field that begins at a place ends; -1 where it has quotes, or there is none. Most fields are short: it
// looks at 8 bytes at once.
func (p *csvRows) plain(line []byte, at int) int {
	if at > len(line) {
		return -1
	}
	i := at
	for ; i+8 <= len(line); i += 8 {
		w := binary.LittleEndian.Uint64(line[i : i+8])
		c, q := w^p.commas, w^p.marks
		found := ((c-ones)&^c | (q-ones)&^q) & highs // of the bytes that are zero the first, at least
		if found != 0 {
			i += bits.TrailingZeros64(found) >> 3
			break
		}
	}
	for i < len(line) && line[i] != p.comma && line[i] != byte(p.marks) {
		i++
	}
	if i < len(line) && line[i] != p.comma {
		return -1
	}
	return i
}

// value puts a field in its place.
func (p *csvRows) value(f *csvField, text []byte) *RowError {
	switch {
	case f.numbers != nil:
		x, bad := p.f.number(&p.miss, f.column, text)
		if bad != nil {
			return bad
		}
		f.numbers[p.b.rows] = x
	case f.strings == nil:
	case p.miss.has(text):
		f.strings.AddMissing()
	default:
		f.strings.Add(text)
	}
	return nil
}

// number reads any number, with blanks around it, or a spelling of none.
func (f Format) number(miss *missing, column string, text []byte) (float64, *RowError) {
	trimmed := bytes.Trim(text, " \t")
	if miss.has(text) || miss.has(trimmed) {
		return math.NaN(), nil
	}
	x, ok := decimal.Parse(trimmed)
	if !ok {
		x, ok = spelled(trimmed)
	}
	if !ok {
		return 0, rowError(BadNumber, column, "%.60q is no number", text)
	}
	return f.infinite(x, column, text)
}

// cut returns the field that begins at a place, and where the next one does: beyond the line's end by one where there is none. A
// quoted one is valid until the next call.
func (p *csvRows) cut(line []byte, at int, column string) (text []byte, next int, bad *RowError) {
	rest := line[at:]
	if p.quotes && len(rest) > 0 && rest[0] == '"' {
		return p.quoted(line, at, column)
	}
	if i := bytes.IndexByte(rest, p.comma); i >= 0 {
		rest = rest[:i]
	}
	if p.quotes && bytes.IndexByte(rest, '"') >= 0 {
		return nil, 0, rowError(BadQuote, column, "a quote inside %.60q, which is not quoted: quote the field and double its quotes, or have the format's Bad skip such rows", rest)
	}
	return rest, at + len(rest) + 1, nil
}

// quoted is cut of a field that begins with a quote.
func (p *csvRows) quoted(line []byte, at int, column string) (text []byte, next int, bad *RowError) {
	p.buf = p.buf[:0]
	for i := at + 1; ; {
		n := bytes.IndexByte(line[i:], '"')
		if n < 0 {
			return nil, 0, rowError(BadQuote, column, "the quote of %.60q is not closed in its line: set the format's MultiLine where fields hold newlines", line[at:])
		}
		text, i = line[i:i+n], i+n+1
		switch {
		case i == len(line) || line[i] == p.comma:
			if len(p.buf) > 0 {
				p.buf = append(p.buf, text...)
				text = p.buf
			}
			return text, i + 1, nil
		case line[i] == '"': // two of them are one
			p.buf = append(append(p.buf, text...), '"')
			i++
		default:
			return nil, 0, rowError(BadQuote, column, "%.60q follows a field's quote", line[i:])
		}
	}
}
