package dataset

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

func TestCSV(t *testing.T) {
	t.Parallel()
	text := "\ufeffb,a,\"c, d\",unused\r\n" +
		"x,1,y,\n" +
		"\n" +
		"\"say \"\"hi\"\", twice\", -2.5e-3 ,\"\",z\n" +
		"NA,,?,\"q\"\r\n" +
		"\"NaN\",null,\" NA\",\"\"\"\"\n" +
		"é,\"12\",None,last"
	schema := columns("a n", "b s", "c, s")
	schema.Columns[2].Name = "c, d"
	want := []string{"1|x|y", "-0.0025|say \"hi\", twice|~", "~|~|~", "~|~| NA", "12|é|~"}
	s := Source{URLs: []string{bucket(t, map[string]string{"k": text})}, Format: Format{Name: CSV}, Schema: schema}
	sameRows(t, s, want)
	s.Format.MultiLine = true
	sameRows(t, s, want)
	s.Format.MultiLine = false
	s.URLs = []string{bucket(t, map[string]string{"k": packed(t, text)})}
	sameRows(t, s, want)
	s.Format.Missing = []string{"x"}
	s.Format.Comma = ","
	s.URLs = []string{bucket(t, map[string]string{"k": "a,b,\"c, d\"\n x ,x,\n"})}
	sameRows(t, s, []string{"~|~|~"})
}

// TestCSVObjects has several objects, with the columns in different order, and rows that are alike.
func TestCSVObjects(t *testing.T) {
	t.Parallel()
	url := bucket(t, map[string]string{"a.csv": "x,y\n1,2\n1,2\n", "b.csv": "y,x\n2,1\n", "c.csv": "", "d.csv": "x,y\n"})
	s := Source{URLs: []string{url}, Format: Format{Name: CSV}, Schema: columns("x n", "y n")}
	sameRows(t, s, []string{"1|2", "1|2", "1|2"})
	s = Source{
		URLs: []string{bucket(t, map[string]string{"a": "1;2\n3;4"})}, Format: Format{Name: CSV, NoHeader: true, Comma: ";"}, Schema: columns("x n", "y s"),
	}
	sameRows(t, s, []string{"1|2", "3|4"})
	s.Format.MultiLine = true
	sameRows(t, s, []string{"1|2", "3|4"})
}

func TestCSVMultiLine(t *testing.T) {
	t.Parallel()
	text := "a,b\n1,\"two\nlines\"\n\n2,\"a \"\"quote\"\"\r\n\"\n3,x\n3,x"
	s := Source{URLs: []string{bucket(t, map[string]string{"k": text})}, Format: Format{Name: CSV, MultiLine: true}, Schema: columns("a n", "b s")}
	sameRows(t, s, []string{"1|two\nlines", "2|a \"quote\"\n", "3|x", "3|x"})
}

// TestCSVBothWays holds that MultiLine changes nothing but fields of several lines.
func TestCSVBothWays(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		text string
		want []string
	}{
		"a blank line first":      {"\na,b\n1,x\n", []string{"1|x"}},
		"several":                 {"\r\n\n\r\n\na,b\r\n\n1,x\n\n2,y\n\n", []string{"1|x", "2|y"}},
		"a mark":                  {"\ufeff\na,b\n1,x", []string{"1|x"}},
		"only blank lines":        {"\n\n\n", nil},
		"only a header":           {"\n\na,b\n", nil},
		"bytes":                   {"a,b\n1,\xff\xfe\n2,\"\xe9,\"\n", []string{"1|\xff\xfe", "2|\xe9,"}},
		"bytes where nobody asks": {"b,\xff,a\nx,\xfe,1\n", []string{"1|x"}},
	} {
		for _, multi := range []bool{false, true} {
			s := Source{URLs: []string{bucket(t, map[string]string{"k": c.text})}, Format: Format{Name: CSV, MultiLine: multi}, Schema: columns("a n", "b s")}
			t.Run(fmt.Sprint(name, multi), func(t *testing.T) { sameRows(t, s, c.want) })
			if len(c.want) == 0 || strings.Contains(name, "nobody") {
				continue
			}
			if found, err := Infer(t.Context(), s); err != nil || found.Hash() != s.Schema.Hash() {
				t.Errorf("%s, %t: %+v, %v", name, multi, found, err)
			}
		}
	}
}

// TestCSVRandom compares with what was written, for many rows and any splits.
func TestCSVRandom(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 6))
	for range 20 {
		var text strings.Builder
		var want []string
		n := random.IntN(3000)
		text.WriteString("s,x,y\n")
		for range n {
			x := strconv.FormatFloat(random.NormFloat64(), 'g', random.IntN(20)-1, 64)
			v, err := strconv.ParseFloat(x, 64)
			if err != nil {
				t.Fatal(err)
			}
			word := strings.Repeat("w", random.IntN(5))
			quoted := word
			if random.IntN(3) == 0 {
				word += "\","
				quoted = `"` + strings.ReplaceAll(word, `"`, `""`) + `"`
			}
			fmt.Fprintf(&text, "%s,%s,%d\n", quoted, x, n)
			if word == "" {
				word = "~"
			}
			want = append(want, fmt.Sprintf("%s|%v|%d", word, v, n))
		}
		s := Source{URLs: []string{bucket(t, map[string]string{"k": text.String()})}, Format: Format{Name: CSV}, Schema: columns("s s", "x n", "y n")}
		sameRows(t, s, want, 0, int64(1000+random.IntN(5000)), int64(100+random.IntN(1000)))
	}
}

// TestCSVLongRows has blocks end before they have all their rows.
func TestCSVLongRows(t *testing.T) {
	t.Parallel()
	word := strings.Repeat("w", 1<<20)
	text := "a\n" + strings.Repeat(word+"\n", 20)
	s := Source{URLs: []string{bucket(t, map[string]string{"k": text})}, Format: Format{Name: CSV}, Schema: columns("a s")}
	parts, err := s.Parts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, p := range parts {
		for b, err := range s.Blocks(t.Context(), p) {
			if err != nil || b.Rows > 8 {
				t.Fatal(b.Rows, err)
			}
			n += b.Rows
		}
	}
	if n != 20 {
		t.Errorf("%d rows", n)
	}
}

func TestCSVBad(t *testing.T) {
	t.Parallel()
	f := Format{Name: CSV}
	multi := Format{Name: CSV, MultiLine: true}
	schema := columns("a n", "b s")
	inferred := schema
	inferred.Inferred = 7
	checkBad(t, "a,b\n1,x\n", "2,y\n", []bad{
		{"1", f, schema, BadFields, "1 fields, and not 2"},
		{"1,2,3", f, schema, BadFields, `more than 2 fields: "3" follows`},
		{"1,2,", f, schema, BadFields, `more than 2 fields: "" follows`},
		{"x", f, schema, BadFields, "1 fields, and not 2"},
		{"x,2,3", f, schema, BadFields, "3 fields, and not 2"},
		{"x,2", f, schema, BadNumber, `column "a": "x" is no number`},
		{"x,2", f, inferred, BadNumber, `inferred from the first 7 rows`},
		{"1.5.5,2", f, schema, BadNumber, `"1.5.5" is no number`},
		{"1 2,2", f, schema, BadNumber, `"1 2" is no number`},
		{"0x10,2", f, schema, BadNumber, `"0x10" is no number`},
		{strings.Repeat("x", 100) + ",2", f, schema, BadNumber, `"` + strings.Repeat("x", 60) + `" is no number`},
		{"inf,2", f, schema, BadInfinity, `column "a": "inf" is infinite`},
		{"-Infinity,2", f, schema, BadInfinity, "infinite"},
		{"1e999,2", f, schema, BadInfinity, "infinite"},
		{"1,\"x", f, schema, BadQuote, "set the format's MultiLine"},
		{"1,\"x\"y", f, schema, BadQuote, `"y" follows`},
		{"1,x\"y", f, schema, BadQuote, "not quoted"},
		{"x,2", multi, schema, BadNumber, `column "a": "x" is no number`},
		{"1", multi, schema, BadFields, "wrong number of fields"},
		{"1,x\"y", multi, schema, BadQuote, "bare"},
	})
}

// TestCSVBadHeaders are errors of their own, skipping or not.
func TestCSVBadHeaders(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"a,c\n1,2\n":   `the header has no column "b"`,
		"a,b,a\n1,2,3": `column "a" twice`,
		"a,\"b\n1,2\n": "the header: ",
		"\na,c\n1,2\n": `the header has no column "b"`,
	} {
		for _, split := range []int64{0, 1} {
			s := Source{
				URLs: []string{bucket(t, map[string]string{"k": text})}, Format: Format{Name: CSV, Bad: Skip}, Schema: columns("a n", "b s"), Split: split,
			}
			if _, _, _, err := rows(t, s); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), `"k"`) {
				t.Errorf("%q: %v, want %s", text, err, want)
			}
		}
	}
	s := Source{
		URLs: []string{bucket(t, map[string]string{"k": "a,c\n1,2\n"})}, Format: Format{Name: CSV, MultiLine: true}, Schema: columns("a n", "b s"),
	}
	if _, _, _, err := rows(t, s); err == nil || !strings.Contains(err.Error(), `no column "b"`) {
		t.Error(err)
	}
}

func TestInfinities(t *testing.T) {
	t.Parallel()
	s := Source{
		URLs: []string{bucket(t, map[string]string{"k": "a\ninf\n-Inf\n1e999\n+infinity\nNAN\n1\n"})}, Schema: columns("a n"),
		Format: Format{Name: CSV, Infinite: Keep},
	}
	sameRows(t, s, []string{"+Inf", "-Inf", "+Inf", "+Inf", "~", "1"})
	s.Format.Infinite = Missing
	sameRows(t, s, []string{"~", "~", "~", "~", "~", "1"})
}

func TestFormatChecks(t *testing.T) {
	t.Parallel()
	url := bucket(t, map[string]string{"k": "a\n1\n"})
	good := Source{URLs: []string{url}, Format: Format{Name: CSV}, Schema: columns("a n")}
	parts, err := good.Parts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*Source){
		"no format":       func(s *Source) { s.Format.Name = "parquet" },
		"no policy":       func(s *Source) { s.Format.Infinite = "big" },
		"bad rows":        func(s *Source) { s.Format.Bad = "cry" },
		"parted by":       func(s *Source) { s.Format.Comma = "\"" },
		"without columns": func(s *Source) { s.Schema = Schema{} },
		"no vectors":      func(s *Source) { s.Schema = columns("a v3") },
	} {
		s := good
		change(&s)
		failed := false
		for _, err := range s.Blocks(t.Context(), parts[0]) {
			if err == nil || !strings.Contains(err.Error(), want) || !errors.Is(err, fs.ErrInvalid) {
				t.Errorf("%s: %v", want, err)
			}
			failed = true
		}
		if !failed {
			t.Errorf("%s: no error", want)
		}
	}
	if _, err := (Source{URLs: []string{url}, Format: Format{Name: "x"}}).Parts(t.Context()); !errors.Is(err, fs.ErrInvalid) {
		t.Error(err)
	}
	if _, err := (Source{URLs: []string{url + "/none"}, Format: Format{Name: CSV}}).Parts(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	gone := parts[0]
	gone.Key = "gone"
	for _, err := range good.Blocks(t.Context(), gone) {
		if !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
	}
	for _, err := range good.Blocks(t.Context(), parts[0]) {
		if err != nil {
			t.Error(err)
		}
		break
	}
}

func TestInferCSV(t *testing.T) {
	t.Parallel()
	long := "a,b\n" + strings.Repeat("1,2\n", InferRows) + "x,3\n"
	for _, c := range []struct {
		text, want string
		format     Format
		rows       int
	}{
		{"a,b,c\n1,x,\n,2,NA\n-inf,,?\n", "a number, b string, c number", Format{}, 3},
		{"a,b,c\n", "a number, b number, c number", Format{}, 0},
		{"1,x\n\n2,y", "c1 number, c2 string", Format{NoHeader: true}, 2},
		{"1,x\n\n2,y", "c1 number, c2 string", Format{NoHeader: true, MultiLine: true}, 2},
		{"a,b\n1,\"x\ny\"\n", "a number, b string", Format{MultiLine: true}, 1},
		{"a;b\n1;NA\n", "a number, b string", Format{Comma: ";", Missing: []string{""}}, 1},
		{"a,b\n1\n1,2\nx,3,4\n", "a number, b number", Format{Bad: Skip}, 1},
		{long, "a number, b number", Format{}, InferRows},
	} {
		c.format.Name = CSV
		s := Source{URLs: []string{bucket(t, map[string]string{"k": c.text})}, Format: c.format, Split: 40}
		got, err := Infer(t.Context(), s)
		if err != nil || describe(got) != c.want || got.Inferred != c.rows {
			t.Errorf("%.60q: %s of %d rows, %v, want %s of %d", c.text, describe(got), got.Inferred, err, c.want, c.rows)
		}
		if c.text == long {
			s.Schema = got
			if _, _, _, err := rows(t, s); err == nil || !strings.Contains(err.Error(), "inferred from the first 1000 rows") {
				t.Error(err)
			}
		}
	}
	for text, want := range map[string]string{
		"":             "empty",
		"a,a\n1,2\n":   `cannot be used: dataset: two columns have the name "a"`,
		"a,\n1,2\n":    "no name",
		"a,\"b\n1,2\n": "not closed",
		"a,b\n1\n":     "1 fields",
	} {
		s := Source{URLs: []string{bucket(t, map[string]string{"k": text})}, Format: Format{Name: CSV}}
		if _, err := Infer(t.Context(), s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestCriteo(t *testing.T) {
	t.Parallel()
	fields := []string{"1"}
	for i := range 13 {
		fields = append(fields, strconv.Itoa(i*i-1))
	}
	for i := range 26 {
		fields = append(fields, fmt.Sprintf("%08x", i*7919))
	}
	full := strings.Join(fields, "\t")
	fields[3], fields[20], fields[39] = "", "", ""
	holes := strings.Join(fields, "\t")
	s := Source{URLs: []string{bucket(t, map[string]string{"k": full + "\n" + holes + "\n"})}, Format: Format{Name: Criteo}}
	var err error
	if s.Schema, err = Infer(t.Context(), s); err != nil || len(s.Schema.Columns) != 40 || s.Schema.With(Label) != 0 {
		t.Fatal(s.Schema, err)
	}
	fields[3], fields[20], fields[39] = "~", "~", "~"
	sameRows(t, s, []string{strings.ReplaceAll(full, "\t", "|"), strings.Join(fields, "|")})
	checkBad(t, full+"\n", holes+"\n", []bad{{full + "\tx", s.Format, s.Schema, BadFields, "more than 40"}, {"a" + full, s.Format, s.Schema, BadNumber, `column "label"`}})
}

// FuzzCSV holds that no text breaks the reader, and that splits change nothing.
func FuzzCSV(f *testing.F) {
	f.Add("a,b\n1,x\n\"2\",\"y\"\"\"\n", uint8(3), false)
	f.Add("a,b\r\n,\n1e999,\"\n", uint8(1), true)
	f.Fuzz(func(t *testing.T, text string, split uint8, skip bool) {
		if len(text) > 300 {
			return
		}
		s := Source{URLs: []string{bucket(t, map[string]string{"k": text})}, Format: Format{Name: CSV, NoHeader: true}, Schema: columns("a n", "b s")}
		if skip {
			s.Format.Bad = Skip
		}
		fuzzRows(t, s, split)
	})
}

// fuzzRows compares one split with several.
func fuzzRows(t *testing.T, s Source, split uint8) {
	want, ids, skipped, err := rows(t, s)
	s.Split = int64(split) + 1
	got, same, less, bad := rows(t, s)
	if (err == nil) != (bad == nil) || err != nil && bad != nil && err.Error() != bad.Error() {
		t.Fatalf("%v, and %v in splits of %d bytes", err, bad, s.Split)
	}
	if err == nil && (fmt.Sprint(want, ids, skipped) != fmt.Sprint(got, same, less)) {
		t.Fatalf("%q %v, and %q %v in splits of %d bytes", want, skipped, got, less, s.Split)
	}
}
