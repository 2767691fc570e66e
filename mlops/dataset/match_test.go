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
		{ignoring(Number), ignoring(String), nil},
		{columns("a n", "b s"), ignoring(String), []string{`"b" is a string, and was to be a string (ignored)`}},
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

// ignoring are two columns, of which the second is ignored.
func ignoring(k Kind) Schema {
	return Schema{Columns: []Column{{Name: "a", Kind: Number}, {Name: "b", Kind: k, Role: Ignored}}}
}

// TestBatchForm: who takes rows of the other form is told what to take.
func TestBatchForm(t *testing.T) {
	t.Parallel()
	for want, f := range map[string]func(){
		"take Row":   func() { (&Batch{Rows: 1, Width: 1, Ptr: []int{0, 0}}).Dense(0) },
		"take Dense": func() { (&Batch{Rows: 1, Width: 1, Values: []float32{1}}).Row(0) },
	} {
		func() {
			defer func() {
				if text, _ := recover().(string); !strings.Contains(text, want) {
					t.Errorf("%q, not %s", text, want)
				}
			}()
			f()
		}()
	}
}

// TestWidenTold: an error says what a value is, and what those before are.
func TestWidenTold(t *testing.T) {
	t.Parallel()
	c := Column{Name: "v"}
	if bad := c.widen([]byte("[1,2]")); bad != nil {
		t.Fatal(bad)
	}
	for value, want := range map[string]string{
		"[1]":   `"[1]" is a vector of 1, and values before it are each a vector of 2`,
		"7":     `"7" is a number, and values before it are each a vector of 2`,
		`"txt"`: `is a string, and values before it are each a vector of 2`,
	} {
		if bad := c.widen([]byte(value)); bad == nil || !strings.Contains(bad.Error(), want) || c.Width != 2 {
			t.Errorf("%s: %v, %+v", value, bad, c)
		}
	}
}

// TestShardOfAnotherSchema: a manifest does not take it.
func TestShardOfAnotherSchema(t *testing.T) {
	t.Parallel()
	s := columns("a n")
	shard := Shard{Key: "k/0", Size: 128, Rows: 1, Group: 1, Hash: s.Hash()}
	if _, err := newManifest(s, []Shard{shard}); err != nil {
		t.Fatal(err)
	}
	s.Columns[0].Role = Label
	if _, err := newManifest(s, []Shard{shard}); !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), "another schema") {
		t.Error(err)
	}
}
