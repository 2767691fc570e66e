package dataset

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"
)

func TestFind(t *testing.T) {
	t.Parallel()
	named := func(names ...string) (s Schema) {
		for _, name := range names {
			s.Columns = append(s.Columns, Column{Name: name, Kind: Number})
		}
		return s
	}
	var many []string
	for i := range 22 {
		many = append(many, fmt.Sprint("c", i))
	}
	for _, c := range []struct {
		in   Schema
		name string
		want string
	}{
		{named("age", "city", "price"), "x", `no column "x"; the columns are age, city, price`},
		{named("age", "city", "price"), "prize", `no column "prize" (did you mean "price"?); the columns are age, city, price`},
		{named("age", "City"), "CITY", `no column "CITY" (did you mean "City"?); the columns are age, City`},
		{named("age"), "", `no column ""; the only one is age`},
		{named(), "age", `no column "age"; there are none`},
		{named("a b", "x,y", "", "é_1-b.c"), "z", `no column "z"; the columns are "a b", "x,y", "", é_1-b.c`},
		{named("a;b;c"), "a", `no column "a"; the only one is "a;b;c" (it looks as if fields were parted by ";": the format's Comma tells)`},
		{named(many...), "zz", `no column "zz"; the columns are c0, c1, c2, c3, c4, c5, c6, c7, c8, c9 and 12 more`},
	} {
		_, err := c.in.Find(c.name)
		if !errors.Is(err, fs.ErrNotExist) || err.Error() != c.want {
			t.Errorf("%v, want %s", err, c.want)
		}
	}
	if i, err := named("a", "b").Find("b"); i != 1 || err != nil {
		t.Error(i, err)
	}
}

func TestEdits(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		n    int
	}{{"", "", 0}, {"", "ab", 2}, {"ab", "", 2}, {"kitten", "sitting", 3}, {"abc", "acb", 2}, {"abc", "xabc", 1}} {
		if n := edits(c.a, c.b); n != c.n {
			t.Errorf("from %q to %q: %d, want %d", c.a, c.b, n, c.n)
		}
	}
}
