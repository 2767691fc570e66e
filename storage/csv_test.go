package storage_test

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/gowren/gowren/storage"
)

// wantCSV reads a text with a plain reader, up to the first error.
func wantCSV(text string, o storage.CSVOptions) (rows []string, err error) {
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(text, "\ufeff")))
	if o.Comma != 0 {
		r.Comma = o.Comma
	}
	var header []string
	for first := true; ; first = false {
		fields, err := r.Read()
		if err == io.EOF {
			return rows, nil
		}
		if err != nil {
			return rows, err
		}
		if slices.ContainsFunc(fields, func(f string) bool { return !utf8.ValidString(f) }) {
			return rows, errors.New("invalid UTF-8")
		}
		if first && !o.NoHeader {
			header = fields
			continue
		}
		rows = append(rows, fmt.Sprintf("%q %q", header, fields))
	}
}

// checkCSV compares with that, with the quotes before each split known and not.
func checkCSV(t *testing.T, text string, o storage.CSVOptions, splits [][2]int) {
	t.Helper()
	want, bad := wantCSV(text, o)
	if bad == nil {
		same(t, []byte(text), want, splits, readCSV(t, o))
	}
	b := put(t, []byte(text))
	for _, size := range splits {
		indexed := index(t, splitsOf(t, b, int64(size[0])))
		got, err := collect(indexed, func(s storage.Split) iter.Seq2[storage.Row, error] {
			return storage.CSVFrom(t.Context(), b, s, size[1], o)
		})
		if (err == nil) != (bad == nil) || !slices.Equal(got, want) {
			t.Fatalf("%q in splits of %d bytes and buffers of %d:\ngot  %q, %v\nwant %q, %v", text, size[0], size[1], got, err, want, bad)
		}
	}
}

// index counts the quotes of all splits.
func index(t *testing.T, splits []storage.Split) []storage.Split {
	t.Helper()
	counts := make([]int64, len(splits))
	for i, s := range splits {
		n, err := storage.CountQuotes(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		counts[i] = n
	}
	set, err := storage.SetQuotes(splits, counts)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestCSV(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "\n", "\r\n", "a", "a\n", "a\nb", "a\r\nb\r\n", "a,b\n1,2\n3,4\n", "a\n\n\nb\n\n", "\n\n\na\n\nb\nc\n", "a\n\"b\nc\"\nd",
		"a\n\"b\nc\"", "a\n\"b\"\"c\"\n\"\"\"\"\n\"\"\n", "\"a\nb\",c\n1,\"2\n\n\n\"\n\"3\n\",4\n", "\ufeffa,b\n1,2\n", "\ufeff\"a\",b\n1,2\n", "\ufeff",
		"a\n\"x\r\ny\"\r\nz\r\n", "a\rb\nc\rd\n", "a\nb\r", "a\n\r", "a\n\"\n\n\n\n\n\n\n\"", "a,b\n,\n\"\",\"\"\n", "a\n\"\"\n\n\"\"\n", "ä,ö\nü,ß\n",
	} {
		random := rand.New(rand.NewPCG(1, uint64(len(text))))
		for _, o := range []storage.CSVOptions{{}, {NoHeader: true}, {Comma: ';', NoHeader: true}} {
			checkCSV(t, text, o, sizes([]byte(text), random))
		}
		if !strings.Contains(text, "\"") {
			checkCSV(t, text, storage.CSVOptions{SingleLine: true}, sizes([]byte(text), random))
		}
	}
}

// TestCSVDrawn draws tables whose quoted fields hold anything.
func TestCSVDrawn(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(7, 7))
	for range 20 {
		var text strings.Builder
		columns, end := 1+random.IntN(3), []string{"\n", "\r\n"}[random.IntN(2)]
		for range random.IntN(12) {
			for i := range columns {
				if i > 0 {
					text.WriteByte(',')
				}
				switch field := string(draw(random, []string{"a", "ö", "\n", "\r\n", ",", `""`, "xyz"})); random.IntN(3) {
				case 0:
					text.WriteString(`"` + field + `"`)
				case 1:
					text.WriteString("plain")
				}
			}
			text.WriteString(end)
			if random.IntN(6) == 0 {
				text.WriteString(end)
			}
		}
		whole := text.String()
		if random.IntN(2) == 0 {
			whole = strings.TrimSuffix(whole, end)
		}
		checkCSV(t, whole, storage.CSVOptions{NoHeader: random.IntN(2) == 0}, sizes([]byte(whole), random))
	}
}

// TestCSVSingleLine needs no quotes counted.
func TestCSVSingleLine(t *testing.T) {
	t.Parallel()
	text := "a,b\n\"1,\"\"\",2\n3,\"\"\"4\"\n"
	random := rand.New(rand.NewPCG(7, 8))
	checkCSV(t, text, storage.CSVOptions{SingleLine: true}, sizes([]byte(text), random))
}

func TestRowGet(t *testing.T) {
	t.Parallel()
	r := storage.Row{Header: []string{"a", "b", "a", "c"}, Fields: []string{"1", "2", "3"}}
	for name, want := range map[string]string{"a": "1", "b": "2"} {
		if got, ok := r.Get(name); got != want || !ok {
			t.Errorf("Get(%s) is %q, %v", name, got, ok)
		}
	}
	for _, name := range []string{"c", "A", ""} {
		if got, ok := r.Get(name); got != "" || ok {
			t.Errorf("Get(%s) is %q, %v", name, got, ok)
		}
	}
	if _, ok := (storage.Row{Fields: []string{"1"}}).Get(""); ok {
		t.Error("a field without a header has a name")
	}
}

func TestSetQuotes(t *testing.T) {
	t.Parallel()
	a, b := storage.Split{Key: "a", Len: 5, Size: 10}, storage.Split{Key: "b", Len: 3, Size: 3}
	a2 := storage.Split{Key: "a", Off: 5, Len: 5, Size: 10}
	set, err := storage.SetQuotes([]storage.Split{a, a2, b, a, a2}, []int64{3, 1, 1, 2, 0})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []storage.Quotes{storage.QuotesEven, storage.QuotesOdd, storage.QuotesEven, storage.QuotesEven, storage.QuotesEven} {
		if set[i].Quotes != want {
			t.Errorf("split %d: %d, want %d", i, set[i].Quotes, want)
		}
	}
	for _, c := range []struct {
		splits []storage.Split
		counts []int64
	}{
		{[]storage.Split{a}, nil},
		{[]storage.Split{a2}, []int64{1}},
		{[]storage.Split{b, a2}, []int64{1, 1}},
		{[]storage.Split{a, a}, []int64{-1, 1}},
		{[]storage.Split{a, a2, a2}, []int64{1, 1, 1}},
	} {
		if _, err := storage.SetQuotes(c.splits, c.counts); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("SetQuotes of %+v: %v", c.splits, err)
		}
	}
	packed := splitsOf(t, put(t, packed(t, []byte(`"`))["gzip"]), 0)
	if n, err := storage.CountQuotes(t.Context(), packed[0]); n != 0 || err != nil {
		t.Errorf("a compressed object: %d, %v", n, err)
	}
}

func FuzzCSV(f *testing.F) {
	f.Add("a,b\n1,\"2\n3\"\n", uint8(1), uint8(0), true, false)
	f.Add("\ufeffa\r\n\"x\"\"y\r\n\"\r\n\r\nz", uint8(0), uint8(3), false, false)
	f.Add("a\nb\"c\n\"d\ne\"\n", uint8(2), uint8(0), true, true)
	f.Add("\n0\"0", uint8(0), uint8(0), true, true)
	f.Add("a\n\"b", uint8(2), uint8(0), true, true)
	f.Fuzz(func(t *testing.T, text string, size, buffer uint8, noHeader, semicolon bool) {
		if len(text) > longest {
			return
		}
		o := storage.CSVOptions{NoHeader: noHeader}
		if semicolon {
			o.Comma = ';'
		}
		checkCSV(t, text, o, few(size, buffer))
	})
}
