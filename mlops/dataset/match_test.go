package dataset

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
)

// TestSchemaMatch names what differs, and how.
func TestSchemaMatch(t *testing.T) {
	t.Parallel()
	want := columns("a n", "b s", "c n")
	changed := columns("a n", "b n", "c n")
	changed.Columns[0].Role = Label
	wide := func(n int) Schema { return Schema{Columns: []Column{{Name: "v", Kind: Vector, Width: n}}} }
	var many []string
	for i := range 14 {
		many = append(many, string(rune('d'+i))+" n")
	}
	for _, c := range []struct {
		got, want Schema
		errs      []string
	}{
		{want, want, nil},
		{columns("a n", "c n", "d n"), want, []string{`: "b" is lacking; "d" is one too many: invalid`}},
		{changed, want, []string{`"a" is a number (label), and was to be a number; "b" is a number, and was to be a string`}},
		{columns("b s", "a n", "c n"), want, []string{`: column 1 is "b", and was to be "a"; column 2 is "a", and was to be "b": invalid`}},
		{wide(2), wide(3), []string{`"v" is a vector of 2, and was to be a vector of 3`}},
		{columns(many...), want, []string{`"a" is lacking; "b" is lacking; "c" is lacking; "d" is one too many`, "; and 7 more: "}},
		{Schema{}, want, []string{`"a" is lacking`}},
	} {
		err := c.got.Match(c.want)
		if (err != nil) != (c.errs != nil) || err != nil && !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%v", err)
		}
		for _, text := range c.errs {
			if err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("%v, not %s", err, text)
			}
		}
	}
}
