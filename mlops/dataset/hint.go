package dataset

import "strings"

// hint says what else rows may be, of which the first column is named so, of so many; empty where nothing tells. It is for errors
// alone: such names can be right.
func hint(first string, columns int) string {
	first = strings.TrimLeft(first, " ")
	if first == "" {
		return ""
	}
	switch first[0] {
	case '{', '[':
		return " (it looks like JSON: the format's name for an object a line is jsonl)"
	case '<':
		return " (it looks like HTML or XML, which no format is for)"
	}
	if columns != 1 {
		return ""
	}
	best, most := "", 0
	for _, c := range []string{";", "\t", "|", ","} {
		if n := strings.Count(first, c); n > most {
			best, most = c, n
		}
	}
	if best == "" {
		return ""
	}
	return " (it looks as if fields were parted by " + quoted(best) + ": the format's Comma tells)"
}

// hint is that of a schema's columns.
func (s Schema) hint() string {
	if len(s.Columns) == 0 {
		return ""
	}
	return hint(s.Columns[0].Name, len(s.Columns))
}

// hint is that of a line that is to have the names.
func (f Format) hint(line []byte) string {
	first, _, more := strings.Cut(string(line[:min(len(line), 1<<16)]), string(f.comma()))
	if more {
		return hint(first, 2)
	}
	return hint(first, 1)
}

// hintJSON is that of a line that is no object.
func hintJSON(line []byte) string {
	line = line[space(line, 0):]
	switch {
	case len(line) == 0 || line[0] == '{':
		return ""
	case line[0] == '[':
		return " (rows are objects, each in a line of its own, and not in an array)"
	case line[0] == '<':
		return hint("<", 1)
	}
	return " (is it CSV? the format's name is then csv)"
}
