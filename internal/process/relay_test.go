package process

import (
	"slices"
	"strings"
	"testing"
)

// TestLines: what a worker prints comes line by line, whole, whatever it is.
func TestLines(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0123456789", 20_000)
	for what, c := range map[string]struct {
		prints string
		want   []string
	}{
		"lines":          {"a\nb\n", []string{"a", "b"}},
		"no end":         {"a\nb", []string{"a", "b"}},
		"carriage":       {"a\r\nb\rc\r\n", []string{"a", "b\rc"}},
		"empty":          {"\n\na\n", []string{"", "", "a"}},
		"junk":           {"\x00\xff\xfe\n", []string{"\x00\xff\xfe"}},
		"nothing":        {"", nil},
		"looks like END": {"\x00\x00\x00\x00\x01\x07\x00\x00\x00\x00\n", []string{"\x00\x00\x00\x00\x01\x07\x00\x00\x00\x00"}},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			var got lines
			child := started(t, Config{Log: got.log})
			mustAsk(t, child, "print "+c.prints)
			if err := child.Close(); err != nil { // then all was read
				t.Fatal(err)
			}
			if !slices.Equal(got.get(), c.want) {
				t.Errorf("printed %q: lines %q", c.prints, got.get())
			}
		})
	}
	t.Run("long", func(t *testing.T) {
		t.Parallel()
		var got lines
		child := started(t, Config{Log: got.log})
		mustAsk(t, child, "print "+long+"\nend")
		if err := child.Close(); err != nil {
			t.Fatal(err)
		}
		all := got.get()
		if last := all[len(all)-1]; last != "end" || strings.Join(all[:len(all)-1], "") != long {
			t.Errorf("%d lines, the last %.100q", len(all), last)
		}
		if len(all) < 3 {
			t.Error("a line of 200,000 bytes came in one piece")
		}
	})
}
