package storage

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"slices"
	"unicode/utf8"
)

// CSVOptions are for [CSV]. The zero value is right for a file with a header, whose fields are parted by commas.
type CSVOptions struct {
	// Comma parts the fields. Defaults to ','.
	Comma rune
	// NoHeader says that the first row is one like the others.
	NoHeader bool
	// SingleLine promises that no quoted field holds a newline, so that the beginning of a row can be found without
	// the quotes before it. Rows come out torn where that is not so.
	SingleLine bool
	// AnyBytes keeps what is not UTF-8, in the header too. Otherwise such a row is a bad one.
	AnyBytes bool
	// Skip, when not nil, is called for each bad row: one with more or fewer fields than the first, a quote where none
	// can be, or invalid UTF-8 unless AnyBytes allows it. The row is left out, and the next is read. err is an [*Error], and wraps a
	// [*encoding/csv.ParseError] with the line. Where Skip is nil, the first bad row ends the iteration.
	Skip func(err error)
}

// Row is a row of a CSV file.
type Row struct {
	// Header names the fields. It is nil where there is no header. All rows of a split share it.
	Header []string
	// Fields is valid until the next step; the strings in it stay valid.
	Fields []string

	at *rowParser
}

// Errorf returns an [*Error] that names the object and the line on which the row begins, for what its reader finds wrong
// with it, as [fmt.Errorf] formats it. It is for the step that yields the row. The first one of a split counts the lines
// before it, for which the object is read up to there.
func (r Row) Errorf(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	if r.at == nil {
		return err
	}
	line, _ := r.at.csv.FieldPos(0)
	return r.at.mark(line, err)
}

// End returns where in the object, unpacked, the row ends: the offset of the byte behind it. It tells the rows of an object
// apart, and does not depend on the splits. It is for the step that yields the row. It is 0 of a row that no reader has yielded.
func (r Row) End() int64 {
	if r.at == nil {
		return 0
	}
	return r.at.begin + r.at.csv.InputOffset()
}

// Get returns the field with the name, the first where several have it. It is false where there is none.
func (r Row) Get(name string) (string, bool) {
	if i := slices.Index(r.Header, name); i >= 0 && i < len(r.Fields) {
		return r.Fields[i], true
	}
	return "", false
}

// CSV yields the rows that begin in the split, as [encoding/csv.Reader] reads them: fields may be quoted, and hold commas,
// quotes that are doubled, and newlines; "\r\n" in a field becomes "\n"; blank lines are passed over, and so is a byte
// order mark. A row begins at the object's first byte and after each newline outside quotes, so that over all splits of an
// object, whatever their size, each row is yielded once. The header is read from the object's beginning for each split,
// which takes a Get of 64 KiB, and is no row. All rows have as many fields as the first, whose fault is always an error
// where it is the header.
//
// Whether a newline is inside quotes, the number of the quotes before it tells. Where [SetQuotes] has not told it, and
// neither does SingleLine, all of the object before the split is read first, so that the object is read half as often as
// it has splits. After a row with a bad quote that number is off: with Skip, such a row may take others with it, and which
// depends on the splits.
//
// A row of more than 64 MiB is an error. Errors name the object and the line, for which the newlines before the split are
// counted once: the object is read up to there. For the rest it is as [Lines].
func CSV(ctx context.Context, s Split, o CSVOptions) iter.Seq2[Row, error] {
	return reading(ctx, s, func(in *input, yield func(Row, error) bool) {
		if err := in.csv(o, yield); err != nil {
			yield(Row{}, err)
		}
	})
}

func (in *input) csv(o CSVOptions, yield func(Row, error) bool) error {
	if o.Comma == 0 {
		o.Comma = ','
	}
	if c := o.Comma; c == '"' || c == '\r' || c == '\n' || c == utf8.RuneError || !utf8.ValidRune(c) {
		return in.fail("read", fmt.Errorf("%w: fields cannot be parted by %q", fs.ErrInvalid, c))
	}
	if err := in.check(); err != nil || in.s.Len == 0 {
		return err
	}
	p := &rowParser{in: in, o: o}
	err := p.open()
	defer p.close()
	for err == nil {
		var fields []string
		if fields, err = p.next(); err == nil && !yield(Row{p.header, fields, p}, nil) {
			return nil
		}
	}
	if err == io.EOF { // a wrapped io.EOF is a lost connection
		return nil
	}
	return in.fail("get", err)
}
