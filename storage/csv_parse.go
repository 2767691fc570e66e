package storage

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"unicode/utf8"
)

var errUTF8 = errors.New("invalid UTF-8")

// mark is the byte order mark, which some programs put before UTF-8.
const mark = "\xef\xbb\xbf"

// rowParser parses the rows of a split.
type rowParser struct {
	in     *input
	o      CSVOptions
	header []string
	fields int // of the first good row, or 0 before it is met

	rows   *rowRange // where csv reads; nil while it reads the object's first row
	source *limited
	csv    *csv.Reader
	begin  int64 // where csv began to read
	before int64 // newlines before begin, or -1 where they were not yet counted
}

// open goes to the first row of the split that is not the header.
func (p *rowParser) open() error {
	var behind int64
	if p.in.s.Off > 0 {
		var err error
		if behind, err = p.readFirst(); err != nil {
			return err
		}
	}
	var err error
	if p.rows, err = p.in.rows(p.o.SingleLine); err != nil {
		return err
	}
	begin := p.rows.begin
	if begin < behind { // only blank lines, or the header itself
		if _, err := io.CopyN(io.Discard, p.rows, behind-begin); err != nil {
			return err
		}
		begin = behind
	}
	p.over(p.rows, begin)
	if p.in.s.Off == 0 && !p.o.NoHeader {
		return p.readHeader()
	}
	return nil
}

func (p *rowParser) close() {
	if p.rows != nil {
		p.rows.f.close()
	}
}

// readFirst reads what all splits share with the first row of the object. It returns where the header ends.
func (p *rowParser) readFirst() (int64, error) {
	a := p.in.ranges(p.in.ctx, 0, slack, p.in.s.Size)
	defer a.close()
	p.over(a, 0)
	if !p.o.NoHeader {
		err := p.readHeader()
		return p.begin + p.csv.InputOffset(), err
	}
	for {
		_, bad, err := p.read()
		if err == io.EOF { // all rows are bad
			return 0, nil
		}
		if err != nil || bad == nil { // the split that has the bad row tells of it
			return 0, err
		}
	}
}

func (p *rowParser) readHeader() error {
	fields, bad, err := p.read()
	if bad != nil {
		return p.located(bad)
	}
	p.header = slices.Clone(fields)
	return err
}

// over begins to parse r, whose first byte is that at begin in the object.
func (p *rowParser) over(r io.Reader, begin int64) {
	p.source = &limited{r: r, left: p.in.row}
	b := bufio.NewReaderSize(p.source, max(p.in.buffer/4, 4096)) // csv wraps a smaller one
	if begin == 0 {
		if head, err := b.Peek(len(mark)); err == nil && string(head) == mark {
			_, _ = b.Discard(len(mark)) // which is in the buffer
			begin = int64(len(mark))
		}
	}
	p.csv = csv.NewReader(b)
	p.csv.Comma, p.csv.ReuseRecord = p.o.Comma, true
	p.begin, p.before = begin, -1
}

// next returns the next good row.
func (p *rowParser) next() ([]string, error) {
	for {
		fields, bad, err := p.read()
		if bad == nil {
			return fields, err
		}
		located := p.located(bad)
		if p.o.Skip == nil {
			return nil, located
		}
		p.o.Skip(located)
	}
}

// read returns a row, or what is bad about it, in lines that are counted from begin.
func (p *rowParser) read() (fields []string, bad *csv.ParseError, err error) {
	p.source.left = p.in.row
	p.csv.FieldsPerRecord = p.fields // csv sets it by the first row, even by a bad one
	fields, err = p.csv.Read()
	if err != nil || p.source.err != nil || p.source.cut {
		bad, err = p.failure(err)
		return nil, bad, err
	}
	for i, field := range fields {
		if !p.o.AnyBytes && !utf8.ValidString(field) {
			start, _ := p.csv.FieldPos(0)
			line, column := p.csv.FieldPos(i)
			return nil, &csv.ParseError{StartLine: start, Line: line, Column: column, Err: errUTF8}, nil
		}
	}
	p.fields = len(fields)
	return fields, nil, nil
}

// failure tells a bad row from all else that can end a row.
func (p *rowParser) failure(err error) (bad *csv.ParseError, _ error) {
	parsed := errors.As(err, &bad)
	switch {
	case p.source.err != nil: // it may look like a bad row
		return nil, p.in.fail("get", p.source.err)
	case p.source.cut:
		line := 0
		if parsed {
			line = bad.StartLine
		} else {
			line, _ = p.csv.FieldPos(0)
		}
		return nil, p.located(&csv.ParseError{StartLine: line, Line: line, Column: 1, Err: errLong})
	case parsed:
		return bad, nil
	}
	return nil, err
}

// located tells what is bad in lines of the object.
func (p *rowParser) located(bad *csv.ParseError) error {
	if err := p.countBefore(bad.Err); err != nil {
		return err
	}
	found := *bad
	found.StartLine += int(p.before)
	found.Line += int(p.before)
	return p.in.fail("read", &found)
}

// mark adds the object and the line, which is counted from where csv began.
func (p *rowParser) mark(line int, err error) error {
	if err := p.countBefore(err); err != nil {
		return err
	}
	return p.in.fail("read", fmt.Errorf("record on line %d: %w", line+int(p.before), err))
}

// countBefore counts the newlines before begin, for the error bad.
func (p *rowParser) countBefore(bad error) error {
	if p.before < 0 && p.in.s.Off == 0 {
		p.before = 0
	}
	if p.before >= 0 {
		return nil
	}
	n, err := p.in.count('\n', 0, p.begin)
	if err != nil {
		return p.in.fail("read", fmt.Errorf("%w, in a split from byte %d on; its line is not known: %w", bad, p.begin, err))
	}
	p.before = n
	return nil
}
