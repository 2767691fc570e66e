package dataset

import (
	"fmt"
	"io/fs"
	"strings"
	"unicode"
)

// Find returns the position of the column with a name. An error tells which columns there are; it is fs.ErrNotExist.
func (s Schema) Find(name string) (int, error) {
	i := s.Index(name)
	if i < 0 {
		return i, &noColumn{name, s}
	}
	return i, nil
}

// noColumn is that a schema has no column with a name. It is fs.ErrNotExist, whose own text would speak of a file.
type noColumn struct {
	name string
	in   Schema
}

func (e *noColumn) Is(err error) bool { return err == fs.ErrNotExist }

// listed is how many columns an error names.
const listed = 10

func (e *noColumn) Error() string {
	var s strings.Builder
	fmt.Fprintf(&s, "no column %.100q", e.name)
	if near := e.nearest(); near != "" {
		fmt.Fprintf(&s, " (did you mean %q?)", near)
	}
	switch n := len(e.in.Columns); n {
	case 0:
		s.WriteString("; there are none")
	case 1:
		s.WriteString("; the only one is ")
	default:
		s.WriteString("; the columns are ")
	}
	for i, c := range e.in.Columns[:min(listed, len(e.in.Columns))] {
		if i > 0 {
			s.WriteString(", ")
		}
		s.WriteString(named(c.Name))
	}
	if more := len(e.in.Columns) - listed; more > 0 {
		fmt.Fprintf(&s, " and %d more", more)
	}
	s.WriteString(e.in.hint())
	return s.String()
}

// named is a name in a list of them: quoted, where it is not a word.
func named(name string) string {
	if name == "" || strings.ContainsFunc(name, func(r rune) bool {
		return r != '_' && r != '-' && r != '.' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) {
		return quoted(name)
	}
	return fmt.Sprintf("%.100s", name)
}

func quoted(name string) string { return fmt.Sprintf("%.100q", name) }

// nearest returns the column whose name differs least: in capitals, or in a third of its letters at most. Empty: none.
func (e *noColumn) nearest() string {
	const longest = 100 // bytes, beyond which a name is not compared
	if e.name == "" || len(e.name) > longest {
		return ""
	}
	near, least := "", len(e.name)/3+1
	for _, c := range e.in.Columns {
		if len(c.Name) > longest {
			continue
		}
		if d := edits(strings.ToLower(e.name), strings.ToLower(c.Name)); d < least {
			near, least = c.Name, d
		}
	}
	return near
}

// edits is how many bytes are to be put in, left out or changed to make b of a.
func edits(a, b string) int {
	row := make([]int, len(b)+1) // of the bytes of a so far, to each beginning of b
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := before
			if a[i] != b[j] {
				change++
			}
			before = row[j+1]
			row[j+1] = min(change, before+1, row[j]+1)
		}
	}
	return row[len(b)]
}
