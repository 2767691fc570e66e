package dataset

import (
	"math"
	"strings"
	"testing"
)

// TestIgnored reads rows of which an ignored column holds what could not be read.
func TestIgnored(t *testing.T) {
	t.Parallel()
	schema := columns("a n", "b n", "c s", "d s")
	schema.Columns[1].Role, schema.Columns[2].Role = Ignored, Ignored
	vectors := Schema{Columns: []Column{{Name: "a", Kind: Number}, {Name: "v", Kind: Vector, Width: -1, Role: Ignored}, {Name: "n", Kind: Number, Role: Ignored}}}
	for name, c := range map[string]struct {
		text string
		f    Format
		s    Schema
		want []string
	}{
		"csv":       {"b,a,c,d\nx,1,y,z\n1e999,2,q\"q\",w\n\"x,\"\"\",3,q\"q,\nq\"q,4,,v\n", Format{Name: CSV}, schema, []string{"1|~|~|z", "2|~|~|w", "3|~|~|~", "4|~|~|v"}},
		"at an end": {"d,a,c,b\nz,1,y,x\"x\nw,2,y,\n", Format{Name: CSV}, schema, []string{"1|~|~|z", "2|~|~|w"}},
		"no header": {"1,x,y,z\n2,inf,\xff,w\n", Format{Name: CSV, NoHeader: true}, schema, []string{"1|~|~|z", "2|~|~|w"}},
		"multiline": {"a,b,c,d\n1,x,\"y\ny\",z\n2,inf,\xff,w\n", Format{Name: CSV, MultiLine: true}, schema, []string{"1|~|~|z", "2|~|~|w"}},
		"bad rows":  {"a,b,c,d\n1,x,y,z\nx,x,y,z\n1\n2,x,y,z\n", Format{Name: CSV, Bad: Skip}, schema, []string{"1|~|~|z", "2|~|~|z"}},
		"jsonl": {
			"{\"a\":1,\"b\":\"x\",\"c\":[1],\"d\":\"z\"}\n{\"b\":{\"a\":7},\"a\":2,\"c\":\"\xff\",\"d\":\"w\"}\n{\"a\":3,\"d\":\"\"}\n",
			Format{Name: JSONLines}, schema, []string{"1|~|~|z", "2|~|~|w", "3|~|~|"},
		},
		"vectors": {"{\"a\":1,\"v\":[1,2],\"n\":[]}\n{\"a\":2,\"v\":[1,\"x\"]}\n{\"a\":3,\"v\":null}\n", Format{Name: JSONLines}, vectors, []string{"1||~", "2||~", "3||~"}},
	} {
		s := Source{URLs: []string{bucket(t, map[string]string{"k": c.text})}, Format: c.f, Schema: c.s}
		t.Run(name, func(t *testing.T) {
			if c.f.Bad == Skip {
				if got, _, skipped, err := rows(t, s); err != nil || strings.Join(got, " ") != strings.Join(c.want, " ") || skipped[BadNumber] != 1 || skipped[BadFields] != 1 {
					t.Errorf("%q, %v, %v", got, skipped, err)
				}
				return
			}
			sameRows(t, s, c.want)
		})
	}
}

// TestIgnoredBlocks: who changes what is missing in a block does not see it in the next.
func TestIgnoredBlocks(t *testing.T) {
	t.Parallel()
	s := Source{
		URLs: []string{bucket(t, map[string]string{"k": strings.Repeat("1,x,y\n", 3*BlockRows)})}, Format: Format{Name: CSV, NoHeader: true}, Schema: columns("a n", "b n", "c s"),
	}
	s.Schema.Columns[1].Role, s.Schema.Columns[2].Role = Ignored, Ignored
	parts, err := s.Parts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for b, err := range s.Blocks(t.Context(), parts[0]) {
		if err != nil || b.Check(s.Schema) != nil {
			t.Fatal(err, b.Check(s.Schema))
		}
		for row := range b.Rows {
			if x := b.Columns[1].Numbers[row]; !math.IsNaN(x) || !b.Columns[2].Strings.IsMissing(row) {
				t.Fatalf("row %d: %g", row, x)
			}
			b.Columns[1].Numbers[row] = 1
			b.Columns[2].Strings.Missing[row] = false
		}
	}
}

// TestIgnoredBy: rows may be parted by a column that a model is not told.
func TestIgnoredBy(t *testing.T) {
	t.Parallel()
	var text, lines strings.Builder
	text.WriteString("a,who\n")
	for i := range 100 {
		who := string(rune('a' + i%10))
		text.WriteString("1," + who + "\n")
		lines.WriteString(`{"a":1,"who":"` + who + "\"}\n")
	}
	for name, text := range map[string]string{CSV: text.String(), JSONLines: lines.String()} {
		s := Source{URLs: []string{bucket(t, map[string]string{"k": text})}, Format: Format{Name: name}, Schema: columns("a n", "who s"), Rows: SplitRows{To: 0.5, By: "who"}}
		s.Schema.Columns[1].Role = Ignored
		got, _, _, err := rows(t, s)
		count := map[string]int{}
		for _, row := range got {
			count[row]++
		}
		if err != nil || len(count) == 0 || len(count) == 10 || count["1|~"] > 0 {
			t.Errorf("%s: %v, %v", name, count, err)
		}
		for row, n := range count {
			if n != 10 {
				t.Errorf("%s: %q comes %d times", name, row, n)
			}
		}
	}
}

// TestInferIgnored looks at no value of the columns that the source ignores.
func TestInferIgnored(t *testing.T) {
	t.Parallel()
	ignored := Schema{Columns: []Column{{Name: "b", Role: Ignored}, {Name: "a"}}}
	for name, c := range map[string]struct {
		text string
		f    Format
	}{
		"csv":       {"a,b\n1,q\"q\n2,3\n", Format{Name: CSV}},
		"multiline": {"a,b\n1,\"q\nq\"\n2,3\n", Format{Name: CSV, MultiLine: true}},
		"jsonl":     {"{\"a\":1,\"b\":{}}\n{\"a\":2,\"b\":[1,\"x\"]}\n{\"b\":\"\xff\"}\n", Format{Name: JSONLines}},
	} {
		s := Source{URLs: []string{bucket(t, map[string]string{"k": c.text})}, Format: c.f, Schema: ignored}
		found, err := Infer(t.Context(), s)
		if err != nil || describe(found) != "a number, b string ignored" {
			t.Errorf("%s: %s, %v", name, describe(found), err)
			continue
		}
		s.Schema = found
		if _, _, _, err := rows(t, s); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
