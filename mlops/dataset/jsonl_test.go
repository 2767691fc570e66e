package dataset

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
)

func TestJSONLines(t *testing.T) {
	t.Parallel()
	text := "\ufeff{\"n\":1.5e2,\"s\":\"a\",\"v\":[1,2.5]}\n\n \t\r\n" +
		" { \"v\" : [ -1 , 1e-3 ] , \"other\" : {\"n\":[1,{\"s\":\"]}\\\"\"}]}, \"n\" : true , \"s\" : \"x\\n\\u00e9\\\"\" } \r\n" +
		`{"s":null,"v":[0,0]}` + "\n" +
		`{"n":null,"n":false,"s":12.50,"v":[3,4],"\u0073":"esc"}` + "\n" +
		`{"n":7,"s":true,"v":[true,false]}`
	s := Source{URLs: []string{bucket(t, map[string]string{"k": text})}, Format: Format{Name: JSONLines}, Schema: columns("n n", "s s", "v v2")}
	want := []string{"150|a|[1 2.5]", "1|x\né\"|[-1 0.001]", "~|~|[0 0]", "0|esc|[3 4]", "7|true|[1 0]"}
	sameRows(t, s, want)
	s.URLs = []string{bucket(t, map[string]string{"k": packed(t, text)})}
	sameRows(t, s, want)
	s = Source{
		URLs:   []string{bucket(t, map[string]string{"k": "{\"n\":\"NaN\",\"s\":\"\"}\n{\"n\":1e999,\"s\":\"NaN\"}\n"})},
		Format: Format{Name: JSONLines, Missing: []string{"NaN"}, Infinite: Keep}, Schema: columns("n n", "s s"),
	}
	sameRows(t, s, []string{"~|", "+Inf|~"})
}

func TestJSONLinesBad(t *testing.T) {
	t.Parallel()
	f, schema := Format{Name: JSONLines}, columns("n n", "s s", "v v2")
	inferred := schema
	inferred.Inferred = 9
	row := func(n, s, v string) string { return `{"n":` + n + `,"s":` + s + `,"v":` + v + `}` }
	good := row("1", `"x"`, "[1,2]") + "\n"
	checkBad(t, good, good, []bad{
		{`{"n":1`, f, schema, BadSyntax, "no JSON: unexpected end"},
		{`[1,2]`, f, schema, BadSyntax, "is no object"},
		{`12`, f, schema, BadSyntax, "is no object"},
		{"{\"n\":1,\"s\":\"\xff\"}", f, schema, BadText, "UTF-8"},
		{row(`"1"`, `"x"`, "[1,2]"), f, schema, BadNumber, `column "n": "\"1\"" is no number`},
		{row(`"1"`, `"x"`, "[1,2]"), f, inferred, BadNumber, "inferred from the first 9 rows"},
		{row("[1]", `"x"`, "[1,2]"), f, schema, BadNumber, "is no number"},
		{row("1", "[1]", "[1,2]"), f, schema, BadKind, `column "s": "[1]" is no string`},
		{row("1", "{}", "[1,2]"), f, schema, BadKind, "is no string"},
		{row("1", `"x"`, "[1]"), f, schema, BadWidth, `column "v": 1 numbers, and not 2`},
		{row("1", `"x"`, "[1,2,3]"), f, schema, BadWidth, "more than 2 numbers"},
		{row("1", `"x"`, "null"), f, schema, BadKind, "no array"},
		{`{"n":1,"s":"x"}`, f, schema, BadKind, "no array"},
		{row("1", `"x"`, "[1,null]"), f, schema, BadNumber, "is no number"},
		{row("1", `"x"`, "[1,1e39]"), f, schema, BadInfinity, "float32"},
		{row("1e999", `"x"`, "[1,2]"), f, schema, BadInfinity, "infinite"},
	})
	s := Source{URLs: []string{bucket(t, map[string]string{"k": good})}, Format: f, Schema: Schema{Columns: []Column{{Name: "v", Kind: Vector, Width: -1}}}}
	if _, _, _, err := rows(t, s); err == nil || !strings.Contains(err.Error(), "width must be known") {
		t.Error(err)
	}
}

func TestInferJSON(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"{\"b\":1,\"a\":\"x\"}\n{\"c\":[1,true],\"b\":false}\n":              "b number, a string, c vector 2",
		"{\"a\":1,\"n\":null}\n\n{\"a\":\"x\"}\n{\"a\":2}":                   "a string, n number",
		"\ufeff{\"a\":null}\n{\"a\":\"x\"}\n":                                "a string",
		strings.Repeat("{\"a\":1}\n", InferRows) + "{\"a\":\"x\",\"b\":1}\n": "a number",
	} {
		s := Source{URLs: []string{bucket(t, map[string]string{"k": text})}, Format: Format{Name: JSONLines}, Split: 30}
		if got, err := Infer(t.Context(), s); err != nil || describe(got) != want {
			t.Errorf("%.60q: %s, %v, want %s", text, describe(got), err, want)
		}
	}
	for text, want := range map[string]string{
		"{\"a\":1}\n{\"a\":[1]}\n":     "line 2: column \"a\"",
		"{\"a\":[1,2]}\n{\"a\":[1]}\n": "line 2: column \"a\"",
		"{\"a\":[1,\"x\"]}\n":          "in an array is no number",
		"{\"a\":{}}\n":                 "an object in an object",
		"{\"a\":\n":                    "no JSON",
		"{}\n":                         "without columns",
		"{\"\":1}\n":                   "no name",
	} {
		s := Source{URLs: []string{bucket(t, map[string]string{"k": text})}, Format: Format{Name: JSONLines}}
		if _, err := Infer(t.Context(), s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	s := Source{URLs: []string{bucket(t, map[string]string{"k": "{\"a\":\"NA\"}\n{\"a\":1}\nx\n"})}, Format: Format{Name: JSONLines, Missing: []string{"NA"}, Bad: Skip}}
	if got, err := Infer(t.Context(), s); err != nil || describe(got) != "a number" {
		t.Error(got, err)
	}
	for text, want := range map[string]string{
		"{\"a\":1}\n{\"b\":2,\"a\":[1]}\n{\"c\":1}\n":         "a number, c number",
		"{\"a\":1}\n{\"a\":\"x\",\"v\":{}}\n":                 "a number",
		"{\"v\":[1,2]}\n{\"v\":[1],\"a\":1}\n{\"a\":\"x\"}\n": "v vector 2, a string",
	} {
		s := Source{URLs: []string{bucket(t, map[string]string{"k": text})}, Format: Format{Name: JSONLines, Bad: Skip}}
		got, err := Infer(t.Context(), s)
		if err != nil || describe(got) != want || got.Inferred >= strings.Count(text, "\n") {
			t.Errorf("%q: %s, %d rows, %v, want %s", text, describe(got), got.Inferred, err, want)
		}
	}
}

// TestJSONLinesNowhere: a column that is in no row is missing in all.
func TestJSONLinesNowhere(t *testing.T) {
	t.Parallel()
	s := Source{URLs: []string{bucket(t, map[string]string{"k": "{\"n\":1}\n{\"n\":2}\n"})}, Format: Format{Name: JSONLines}, Schema: columns("n n", "s s", "m n")}
	sameRows(t, s, []string{"1|~|~", "2|~|~"})
}

// FuzzJSONLines holds what encoding/json makes of a line, and that splits change nothing.
func FuzzJSONLines(f *testing.F) {
	f.Add(`{"n":1,"s":"x","v":[1,2]}`+"\n"+`{"n":"a"}`, uint8(3))
	f.Add(`{"s":"\u00e9\"\\","n":-1e-5,"x":[{"a":[]}]}`, uint8(0))
	f.Fuzz(func(t *testing.T, text string, split uint8) {
		if len(text) > 300 {
			return
		}
		s := Source{URLs: []string{bucket(t, map[string]string{"k": text})}, Format: Format{Name: JSONLines, Bad: Skip, Infinite: Keep}, Schema: columns("n n", "s s")}
		fuzzRows(t, s, split)
		s.Split = 0
		if strings.ContainsAny(text, "\n\r") || strings.HasPrefix(text, "\ufeff") {
			return
		}
		var want map[string]any
		valid := json.Unmarshal([]byte(text), &want) == nil && want != nil
		got, _, _, err := rows(t, s)
		if err != nil {
			t.Fatal(err)
		}
		if !valid {
			if len(got) != 0 && json.Valid([]byte(text)) == false {
				t.Fatalf("%q: %q", text, got)
			}
			return
		}
		n, isNumber := want["n"].(float64)
		word, isWord := want["s"].(string)
		if len(got) == 1 && isNumber && isWord {
			d := columns("n n", "s s")
			b := newBuilder(d, 0)
			b.columns[0].Numbers[0] = n
			b.columns[1].Strings.Add([]byte(word))
			b.end(0)
			if one := show(d, b.take(), 0); one != got[0] && !math.IsInf(n, 0) {
				t.Fatalf("%q: %q, want %q", text, got[0], one)
			}
		}
	})
}
