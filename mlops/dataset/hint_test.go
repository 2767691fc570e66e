package dataset

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
)

// TestHints: errors tell where rows look as if they were of another format, and only there.
func TestHints(t *testing.T) {
	t.Parallel()
	comma := func(c string) Format { return Format{Name: CSV, Comma: c} }
	csv, lines := Format{Name: CSV}, Format{Name: JSONLines}
	for _, c := range []struct {
		name, text string
		f          Format
		schema     string // empty: it is inferred
		want       string // empty: no hint
	}{
		{"semicolons", "a;b\n1;2,5\n", csv, "", `parted by ";"`},
		{"semicolons, rows right", "a;b\n1;2\n", csv, "b n", `parted by ";"`},
		{"tabs", "a\tb\n1\t2,5\n", csv, "", `parted by "\t"`},
		{"commas", "a,b\n1;2\n", comma(";"), "", `parted by ","`},
		{"commas, a schema", "a,b,c\n1;2\n", comma(";"), "a n", `parted by ","`},
		{"JSON", "{\"a\":1}\n", csv, "", "a line is jsonl"},
		{"JSON, a schema", "{\"a\":1,\"b\":2}\n", csv, "a n", "jsonl"},
		{"JSON, quoted by nobody", "{a:1,b:2}\n{c:1}\n", csv, "", "jsonl"},
		{"HTML", "<!DOCTYPE html>\n<p>a,b</p>\n", csv, "", "HTML or XML"},
		{"CSV", "a,b\n1,2\n", lines, "", "is it CSV?"},
		{"an array", "[{\"a\":1},\n{\"a\":2}]\n", lines, "", "not in an array"},
		{"an array in a line", "[{\"a\":1}]\n", lines, "", "not in an array"},
		{"HTML lines", "<p>\n", lines, "", "HTML or XML"},
		{"one column", "a\n1\n2,3\n", csv, "", ""},
		{"two columns", "a;b,c\n1,2\n3\n", csv, "", ""},
		{"another header", "a,b\n1,2\n", csv, "c n", ""},
		{"torn JSON", "{\"a\":1\n", lines, "", ""},
	} {
		s := Source{URLs: []string{bucket(t, map[string]string{"k": c.text})}, Format: c.f}
		var err error
		if c.schema != "" {
			s.Schema = columns(c.schema)
		} else {
			s.Schema, err = Infer(t.Context(), s)
		}
		if err == nil {
			_, _, _, err = rows(t, s)
		}
		switch {
		case err == nil:
			t.Errorf("%s: no error", c.name)
		case c.want != "" && !strings.Contains(err.Error(), c.want), c.want == "" && (strings.Contains(err.Error(), "looks") || strings.Contains(err.Error(), "is it")):
			t.Errorf("%s: %v, and not %q", c.name, err, c.want)
		}
	}
}

// TestOpenNothing says what it has looked for.
func TestOpenNothing(t *testing.T) {
	t.Parallel()
	url := bucket(t, map[string]string{"rows.csv": "a\n"})
	_, err := Open(t.Context(), url)
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "no dataset is at "+url+": it has no dataset.json") {
		t.Error(err)
	}
}
