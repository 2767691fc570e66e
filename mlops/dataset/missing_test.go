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
				if got, want := m.has([]byte(v)), slices.Contains(spellings, v); got != want {
					t.Errorf("%.20q: %.20q of %d bytes is %t", spellings, v, n, got)
				}
			}
		}
	}
}
