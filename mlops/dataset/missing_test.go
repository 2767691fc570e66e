package dataset

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// TestDefaultMissing holds that what pandas takes for missing is, in columns of numbers and of strings, and that what looks like it
// is not.
func TestDefaultMissing(t *testing.T) {
	t.Parallel()
	pandas := []string{
		"", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
	}
	for _, s := range pandas {
		if !slices.Contains(DefaultMissing(), s) {
			t.Errorf("%q is missing to pandas", s)
		}
	}
	var text strings.Builder
	text.WriteString("a,b,c\n")
	var want []string
	for _, s := range DefaultMissing() {
		fmt.Fprintf(&text, "%s,%s,\"%s\"\n %s,\" %s\",%sx\n", s, s, s, s, s, s)
		space := "~| " + s
		want = append(want, "~|~|~", space+"|"+s+"x")
	}
	s := Source{URLs: []string{bucket(t, map[string]string{"k": text.String()})}, Format: Format{Name: CSV}, Schema: columns("a n", "b s", "c s")}
	sameRows(t, s, want)
	s.Format.MultiLine = true
	sameRows(t, s, want)
}

// TestMissingLengths tells spellings from what has their first byte and any length.
func TestMissingLengths(t *testing.T) {
	t.Parallel()
	for _, spellings := range [][]string{{}, {""}, {"x"}, {"", "xx"}, {strings.Repeat("x", 14)}, {strings.Repeat("x", 15)}, {strings.Repeat("x", 16), "\xff"}, {strings.Repeat("x", 300)}} {
		m := Format{Name: CSV, Missing: spellings}.missing()
		for n := range 310 {
			for _, first := range []string{"x", "y", "\xff"} {
				v := strings.Repeat("x", n)
				if n > 0 {
					v = first + v[1:]
				}
				if got, want := m.has([]byte(v)), slices.Contains(spellings, v) || n == 0 && len(spellings) > 0; got != want {
					t.Errorf("%.20q: %.20q of %d bytes is %t", spellings, v, n, got)
				}
			}
		}
	}
}

// TestEmptyIsMissing: an empty field is missing whatever spellings a format names, unless it names that there are none.
func TestEmptyIsMissing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		format Format
		kinds  string
		rows   []string
	}{
		{Format{}, "a number, b string", []string{"1|x", "~|~", "~|~"}},
		{Format{Missing: []string{"NA"}}, "a number, b string", []string{"1|x", "~|~", "~|~"}},
		{Format{Missing: []string{"-"}}, "a string, b string", []string{"1|x", "~|~", "NA|NA"}},
		{Format{Missing: []string{}}, "a string, b string", []string{"1|x", "|", "NA|NA"}},
	} {
		for _, multiLine := range []bool{false, true} {
			c.format.Name, c.format.MultiLine = CSV, multiLine
			s := Source{URLs: []string{bucket(t, map[string]string{"k": "a,b\n1,x\n,\"\"\nNA,NA\n"})}, Format: c.format}
			var err error
			if s.Schema, err = Infer(t.Context(), s); err != nil || describe(s.Schema) != c.kinds {
				t.Errorf("%q: %s, %v, want %s", c.format.Missing, describe(s.Schema), err, c.kinds)
				continue
			}
			sameRows(t, s, c.rows)
			for _, spelling := range s.Format.Spellings() {
				if !s.Format.Values().IsMissing([]byte(spelling)) {
					t.Errorf("%q: a single %q is not missing", c.format.Missing, spelling)
				}
			}
		}
	}
	if (Format{Name: JSONLines, Missing: []string{"NA"}}).Values().IsMissing(nil) {
		t.Error("an empty string of JSON lines is missing")
	}
}
