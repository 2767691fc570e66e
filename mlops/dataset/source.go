package dataset

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"

	"github.com/gowren/gowren/storage"
)

// Source is an input: objects, and how they are read. It travels to workers as it is.
type Source struct {
	// URLs are as storage.SplitsOf takes them. Those of IDX come in pairs, each of one object: images, then their labels.
	URLs   []string
	Format Format
	// Schema names the columns that are wanted. [Infer] finds one.
	Schema Schema
	// Split is how many bytes of an object are one task. Defaults to storage.DefaultSplit.
	Split int64
	// Rows are those that are yielded, as for training or for a test; all where it is not set. Bad rows are looked at before.
	Rows SplitRows
}

// Part is a range of a source's object that one task reads.
type Part struct {
	storage.Split
	Object int           // which of the source's objects it is of, for IDs
	Labels storage.Split // of IDX: all of the object that has the labels
}

// Parts cuts the source's objects, in their order. It makes the requests that storage.SplitsOf does.
//
// Rows of CSV that may hold newlines ([Format.MultiLine]) are found by the quotes before them, for which each part reads all of
// its object that comes before it, unless storage.SetQuotes has set the parts' Quotes.
//
// What cannot be is an error: a format, a part of the rows ([Source.Rows]), and where there is a schema, the column that parts them.
func (s Source) Parts(ctx context.Context) ([]Part, error) {
	if err := s.Format.check(); err != nil {
		return nil, err
	}
	if s.Rows.isSet() {
		if err := s.Rows.checkRange(); err != nil {
			return nil, err
		}
		if len(s.Schema.Columns) > 0 {
			if err := s.Rows.Check(s.Schema); err != nil {
				return nil, err
			}
		}
	}
	if s.Format.Name == IDX {
		return s.idxParts(ctx)
	}
	splits, err := storage.SplitsOf(ctx, s.URLs, s.Split)
	if err != nil {
		return nil, err
	}
	parts := make([]Part, len(splits))
	object := -1
	for i, split := range splits {
		if split.Off == 0 {
			object++
		}
		parts[i] = Part{Split: split, Object: object}
	}
	return parts, nil
}

// Blocks yields the rows that begin in a part, so that over all parts of a source each row comes once, whatever Split is. After
// an error it yields nothing more. What goes wrong with a row is a [*RowError], in an error that names the object and the line.
//
// Memory is that of a block, which has [BlockRows] rows, or fewer where they are long, and of storage.LinesAt.
func (s Source) Blocks(ctx context.Context, p Part) iter.Seq2[*Block, error] {
	return s.Read(p).Blocks(ctx)
}

// Reader reads a part of a source, and tells how many rows it left out.
type Reader struct {
	source  Source
	part    Part
	skipped Skipped
}

// Read returns a reader of a part.
func (s Source) Read(p Part) *Reader { return &Reader{source: s, part: p} }

// Skipped returns how many bad rows the last loop over Blocks has left out, by reason. It is empty unless the format says to
// skip them.
func (r *Reader) Skipped() Skipped { return r.skipped }

// Blocks is [Source.Blocks].
func (r *Reader) Blocks(ctx context.Context) iter.Seq2[*Block, error] {
	blocks := func(yield func(*Block, error) bool) {
		if err := r.blocks(ctx, func(b *Block) bool { return yield(b, nil) }); err != nil {
			yield(nil, err)
		}
	}
	if s := r.source; s.Rows.isSet() {
		return s.Rows.Blocks(s.Schema, blocks)
	}
	return blocks
}

func (r *Reader) blocks(ctx context.Context, yield func(*Block) bool) error {
	r.skipped = nil
	s := r.source
	if err := errors.Join(s.Format.check(), s.Schema.Check()); err != nil {
		return err
	}
	b := newBuilder(s.Schema, r.part.Object)
	b.from = &origin{ctx, &r.source, r.part}
	var err error
	switch s.Format.Name {
	case CSV, Criteo:
		err = r.csv(ctx, b, yield)
	case JSONLines:
		err = r.jsonLines(ctx, b, yield)
	case LibSVM:
		err = r.libsvm(ctx, b, yield)
	default: // check knows no other
		err = r.idx(ctx, b, yield)
	}
	switch {
	case err == errStop:
		return nil
	case err != nil:
		return err
	}
	if b.rows > 0 {
		yield(b.take())
	}
	return nil
}

// errStop ends a reader whose caller wants no more.
var errStop = errors.New("the loop has ended")

// noHeader is where no line begins.
const noHeader = -1

// lines calls parse with each line of the part that is not blank, and yields the blocks that become full. A parse that fails has
// its row taken out again. It passes over the line that begins at header.
func (r *Reader) lines(ctx context.Context, b *builder, header int64, parse func(line []byte) *RowError, yield func(*Block) bool) error {
	loose := r.source.Format.Name == JSONLines || r.source.Format.Name == LibSVM // a line of blanks is nothing
	for l, err := range storage.LinesAt(ctx, r.part.Split) {
		if err != nil {
			return err
		}
		if l.Off == header {
			continue
		}
		text := l.Text
		if l.Off == 0 {
			text = trimMark(text)
		}
		if len(text) == 0 || loose && blank(text) {
			continue
		}
		if bad := parse(text); bad != nil {
			if bad == rowComment {
				continue
			}
			if err := r.bad(b, bad, l.Errorf); err != nil {
				return err
			}
			continue
		}
		if b.end(l.End()) && !yield(b.take()) {
			return errStop
		}
	}
	return nil
}

// bad takes a row out, and counts it or returns the error.
func (r *Reader) bad(b *builder, bad *RowError, errorf func(string, ...any) error) error {
	b.undo()
	if r.source.Format.Bad == Skip {
		r.skip(bad.Reason)
		return nil
	}
	if n := r.source.Schema.Inferred; n > 0 && bad.Reason == BadNumber {
		return errorf("%w (by the schema it is a number, as inferred from the first %d rows or changed later: make it a String where it has text)", bad, n)
	}
	if name := r.source.Format.Name; name == CSV && (bad.Reason == BadFields || bad.Reason == BadQuote) {
		return errorf("%w%s", bad, r.source.Schema.hint())
	}
	return errorf("%w", bad)
}

func (r *Reader) skip(reason string) {
	if r.skipped == nil {
		r.skipped = Skipped{}
	}
	r.skipped[reason]++
}

// Skipped counts rows that were left out, by reason.
type Skipped map[string]int64

// Merge returns the counts of both.
func (s Skipped) Merge(o Skipped) Skipped {
	if s == nil && len(o) > 0 {
		s = Skipped{}
	}
	for reason, n := range o {
		s[reason] += n
	}
	return s
}

// What can be wrong with a row.
const (
	BadFields   = "fields"   // it has more or fewer than it should
	BadNumber   = "number"   // something that is none
	BadInfinity = "infinity" // a number that is infinite, or too large
	BadQuote    = "quote"    // where none can be, or not closed
	BadSyntax   = "syntax"   // it is not of the format
	BadKind     = "kind"     // a value of another kind than the column's
	BadWidth    = "width"    // a vector that is not as wide as the column
	BadText     = "text"     // invalid UTF-8
)

// RowError tells what is wrong with a row.
type RowError struct {
	Reason string // one of the Bad constants
	Column string // empty where it is of the whole row
	Detail string
}

func (e *RowError) Error() string {
	if e.Column == "" {
		return e.Detail
	}
	return fmt.Sprintf("column %q: %s", e.Column, e.Detail)
}

func rowError(reason, column, format string, args ...any) *RowError {
	return &RowError{reason, column, fmt.Sprintf(format, args...)}
}

func errSource(format string, args ...any) error {
	return fmt.Errorf("dataset: %s: %w", fmt.Sprintf(format, args...), fs.ErrInvalid)
}
