package storage

import (
	"context"
	"fmt"
	"iter"
)

// Line is a line, and where it begins.
type Line struct {
	Text []byte // without its end; valid until the next step
	Off  int64  // of its first byte in the object, unpacked; it does not depend on the splits

	end int64
	at  *lineCount
}

// lineCount is how many lines of a split were yielded, and how many begin before it.
type lineCount struct {
	in     *input
	n      int64
	before int64 // -1 where they were not yet counted
}

// LinesAt is [Lines] for who needs to know where a line begins, or to tell what is wrong with one: see [Line.Errorf]. A line
// of more than 64 MiB is an error.
func LinesAt(ctx context.Context, s Split) iter.Seq2[Line, error] {
	return reading(ctx, s, func(in *input, yield func(Line, error) bool) {
		if err := in.linesAt(yield); err != nil {
			yield(Line{}, err)
		}
	})
}

func (in *input) linesAt(yield func(Line, error) bool) error {
	at := &lineCount{in: in, before: -1}
	return in.cut(newline, max(in.s.Off-1, 0), in.row, func(c *cutter, line []byte) bool {
		at.n++
		begin := c.begin - int64(len(line))
		if !c.open { // it ended with a newline
			begin--
		}
		return yield(Line{c.trim(line), begin, c.begin, at}, nil)
	})
}

// End returns where in the object, unpacked, the line ends: the offset of the byte behind its newline, or of the object's end. It is
// where [Row.End] is for a row of CSV that is in one line.
func (l Line) End() int64 { return l.end }

// Errorf returns an [*Error] that names the object and the number of the line, for what its reader finds wrong with it, as
// [fmt.Errorf] formats it. It is for the step that yields the line. The first one of a split counts the lines before it, for
// which the object is read up to there.
func (l Line) Errorf(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	if l.at == nil {
		return err
	}
	in := l.at.in
	if failed := l.at.countBefore(); failed != nil {
		return in.fail("read", fmt.Errorf("%w, in the line from byte %d on; its number is not known: %w", err, l.Off, failed))
	}
	return in.fail("read", fmt.Errorf("line %d: %w", l.at.before+l.at.n, err))
}

// countBefore counts the lines that begin before the split: the newline before it may be that of the last of them.
func (c *lineCount) countBefore() error {
	if c.before >= 0 {
		return nil
	}
	if c.in.s.Off == 0 {
		c.before = 0
		return nil
	}
	n, err := c.in.count('\n', 0, c.in.s.Off-1)
	if err == nil {
		c.before = n + 1
	}
	return err
}
