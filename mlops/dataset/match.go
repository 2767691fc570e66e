package dataset

import (
	"fmt"
	"io/fs"
	"strings"
)

// Match returns an error that names the columns in which a schema is not the one that is wanted: those that are lacking, those
// that are too many, and those of another kind, role or width; and where they are the same ones, which is in another place. It is
// fs.ErrInvalid. Of a column that both ignore, only the name counts.
func (s Schema) Match(want Schema) error {
	var all []string
	there := make(map[string]Column, len(s.Columns))
	for _, c := range s.Columns {
		there[c.Name] = c
	}
	wanted := make(map[string]bool, len(want.Columns))
	for _, w := range want.Columns {
		wanted[w.Name] = true
		switch c, ok := there[w.Name]; {
		case !ok:
			all = append(all, fmt.Sprintf("%.100q is lacking", w.Name))
		case !c.matches(w):
			all = append(all, fmt.Sprintf("%.100q is %s, and was to be %s", w.Name, c.form(), w.form()))
		}
	}
	for _, c := range s.Columns {
		if !wanted[c.Name] {
			all = append(all, fmt.Sprintf("%.100q is one too many", c.Name))
		}
	}
	if len(all) == 0 {
		for i, w := range want.Columns {
			if i < len(s.Columns) && s.Columns[i].Name != w.Name {
				all = append(all, fmt.Sprintf("column %d is %.100q, and was to be %.100q", i+1, s.Columns[i].Name, w.Name))
			}
		}
	}
	if len(all) == 0 && len(s.Columns) != len(want.Columns) { // a name is there twice
		all = append(all, fmt.Sprintf("there are %d, and were to be %d", len(s.Columns), len(want.Columns)))
	}
	if len(all) == 0 {
		return nil
	}
	more := ""
	if n := len(all) - listed; n > 0 {
		more = fmt.Sprintf("; and %d more", n)
	}
	return fmt.Errorf("dataset: the columns are not those that are wanted: %s%s: %w", strings.Join(all[:min(listed, len(all))], "; "), more, fs.ErrInvalid)
}

// matches reports whether a column is the one that is wanted.
func (c Column) matches(w Column) bool {
	if c.Role == Ignored && w.Role == Ignored {
		return c.Name == w.Name
	}
	return c == w
}

// form is what a column is, but for its name.
func (c Column) form() string {
	text := string(c.Kind)
	if c.Kind == Vector {
		text = fmt.Sprintf("%s of %d", c.Kind, c.Width)
	}
	if c.Role != Feature {
		text += " (" + string(c.Role) + ")"
	}
	return "a " + text
}
