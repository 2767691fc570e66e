package dataset

import (
	"strings"
	"testing"
)

func TestLibSVM(t *testing.T) {
	t.Parallel()
	text := "+1 1:0.5 3:-2 4:1e-3\n# a comment\n\n  \n-1 qid:7 2:0 4:1 # another 9:9\r\n0.5\n? \t1:1   \n1 4:3"
	s := Source{URLs: []string{bucket(t, map[string]string{"k": text})}, Format: Format{Name: LibSVM}, Schema: LibSVMSchema(4)}
	sameRows(t, s, []string{"1|0:0.5 2:-2 3:0.001 ", "-1|3:1 ", "0.5|", "~|0:1 ", "1|3:3 "})
	got, err := Infer(t.Context(), s)
	if err != nil || describe(got) != "label number label, features vector 4, qid number ignored" {
		t.Fatal(describe(got), err)
	}
	s.Schema = got
	sameRows(t, s, []string{"1|0:0.5 2:-2 3:0.001 |~", "-1|3:1 |7", "0.5||~", "~|0:1 |~", "1|3:3 |~"})
	s.Format.ZeroBased = true
	s.URLs = []string{bucket(t, map[string]string{"k": packed(t, "1 0:1 2:3\n")})}
	if s.Schema, err = Infer(t.Context(), s); err != nil || describe(s.Schema) != "label number label, features vector 3" {
		t.Fatal(describe(s.Schema), err)
	}
	sameRows(t, s, []string{"1|0:1 2:3 "})
	s.Schema = Schema{Columns: s.Schema.Columns[:1]}
	sameRows(t, s, []string{"1"})
	s.Schema = columns("a s")
	if _, _, _, err := rows(t, s); err == nil || !strings.Contains(err.Error(), `column "a"`) {
		t.Error(err)
	}
}

func TestLibSVMBad(t *testing.T) {
	t.Parallel()
	f, schema := Format{Name: LibSVM}, LibSVMSchema(4)
	cases := []bad{
		{"x 1:1", f, schema, BadNumber, `column "label": "x" is no number`},
		{"inf 1:1", f, schema, BadInfinity, "infinite"},
		{"1 qid:x 1:1", f, schema, BadNumber, "qid"},
		{"1 qid: 1:1", f, schema, BadSyntax, `"qid:" without a number`},
		{"1 1", f, schema, BadSyntax, `"1" is not index:value`},
		{"1 1:", f, schema, BadNumber, "no number"},
		{"1 :1", f, schema, BadSyntax, "not index:value"},
		{"1 a:1", f, schema, BadSyntax, "not index:value"},
		{"1 0:1", f, schema, BadSyntax, "ZeroBased"},
		{"1 2:1 2:1", f, schema, BadSyntax, "must rise"},
		{"1 2:1 1:1", f, schema, BadSyntax, "must rise"},
		{"1 1:1 5:1", f, schema, BadWidth, "index 5 is beyond the width of 4"},
		{"1 99999999999999999999:1", f, schema, BadSyntax, "not index:value"},
		{"1 1:x", f, schema, BadNumber, "no number"},
		{"1 1:1e39", f, schema, BadInfinity, "float32"},
		{"1 1:nan", f, schema, BadInfinity, "float32"},
	}
	checkBad(t, "1 1:1\n", "1 1:1 2:2\n", cases)
	s := Source{URLs: []string{bucket(t, map[string]string{"k": "1 1:1\n1 x\n"})}, Format: f}
	if _, err := Infer(t.Context(), s); err == nil || !strings.Contains(err.Error(), "line 2") {
		t.Error(err)
	}
	s.URLs, s.Format.Bad = []string{bucket(t, map[string]string{"k": "1 1:1\n1 9:1 x\n"})}, Skip
	if got, err := Infer(t.Context(), s); err != nil || got.Columns[1].Width != 1 {
		t.Error(got, err)
	}
}

func FuzzLibSVM(f *testing.F) {
	f.Add("1 1:2 3:4\n-1 qid:3 2:1e-3 # x\n", uint8(3), true)
	f.Add("+1 4294967295:1", uint8(0), false)
	f.Fuzz(func(t *testing.T, text string, split uint8, skip bool) {
		if len(text) > 300 {
			return
		}
		s := Source{URLs: []string{bucket(t, map[string]string{"k": text})}, Format: Format{Name: LibSVM}, Schema: LibSVMSchema(100)}
		if skip {
			s.Format.Bad = Skip
		}
		fuzzRows(t, s, split)
	})
}
