package dataset

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"

	"github.com/gowren/gowren/serialize"
	"github.com/gowren/gowren/storage/memstore"
)

// bucket stores objects under their names.
func bucket(t testing.TB, objects map[string]string) string {
	t.Helper()
	b := memstore.New()
	t.Cleanup(func() { memstore.Delete(b.Name()) })
	for key, data := range objects {
		if err := b.Put(t.Context(), key, strings.NewReader(data)); err != nil {
			t.Fatal(err)
		}
	}
	return b.URL()
}

func packed(t testing.TB, data string) string {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write([]byte(data)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// show writes a row's values: missing ones as ~, and sparse vectors with their places.
func show(s Schema, b *Block, row int) string {
	var all []string
	for i, c := range s.Columns {
		d := &b.Columns[i]
		var v string
		switch c.Kind {
		case Number:
			if v = fmt.Sprint(d.Numbers[row]); math.IsNaN(d.Numbers[row]) {
				v = "~"
			}
		case String:
			if v = string(d.Strings.At(row)); d.Strings.IsMissing(row) {
				v = "~" + v
			}
		case Vector:
			if d.Vectors.Ptr == nil {
				v = fmt.Sprint(d.Vectors.Val[row*c.Width : (row+1)*c.Width])
				break
			}
			for at := d.Vectors.Ptr[row]; at < d.Vectors.Ptr[row+1]; at++ {
				v += fmt.Sprintf("%d:%v ", d.Vectors.Idx[at], d.Vectors.Val[at])
			}
		}
		all = append(all, v)
	}
	return strings.Join(all, "|")
}

// rows reads all of a source, and checks what any block promises. It returns the rows and their IDs.
func rows(t testing.TB, s Source) (all []string, ids []uint64, skipped Skipped, _ error) {
	t.Helper()
	parts, err := s.Parts(t.Context())
	if err != nil {
		return nil, nil, nil, err
	}
	for _, p := range parts {
		data, err := serialize.Marshal(&struct {
			Source Source
			Part   Part
		}{s, p})
		if err != nil {
			t.Fatal(err)
		}
		var sent struct { // to a worker
			Source Source
			Part   Part
		}
		if err := serialize.Unmarshal(data, &sent); err != nil {
			t.Fatal(err)
		}
		r := sent.Source.Read(sent.Part)
		for b, err := range r.Blocks(t.Context()) {
			if err != nil {
				return all, ids, skipped, err
			}
			if b.Rows < 1 || b.Rows > BlockRows || len(b.IDs) != b.Rows || len(b.Columns) != len(s.Schema.Columns) {
				t.Fatalf("a block of %d rows, %d IDs, %d columns", b.Rows, len(b.IDs), len(b.Columns))
			}
			for i, c := range s.Schema.Columns {
				d := &b.Columns[i]
				switch {
				case c.Kind == Number && len(d.Numbers) != b.Rows,
					c.Kind == String && (len(d.Strings.Ends) != b.Rows || d.Strings.Missing != nil && len(d.Strings.Missing) != b.Rows),
					c.Kind == Vector && d.Vectors.Ptr != nil && (len(d.Vectors.Ptr) != b.Rows+1 || len(d.Vectors.Val) != d.Vectors.Ptr[b.Rows] || len(d.Vectors.Idx) != len(d.Vectors.Val)),
					c.Kind == Vector && d.Vectors.Ptr == nil && len(d.Vectors.Val) != b.Rows*c.Width:
					t.Fatalf("column %q is not of %d rows", c.Name, b.Rows)
				}
			}
			for i := range b.Rows {
				all = append(all, show(s.Schema, b, i))
			}
			ids = append(ids, b.IDs...)
		}
		skipped = skipped.Merge(r.Skipped())
	}
	return all, ids, skipped, nil
}

// sameRows holds that a source's rows are those that are wanted, with the same IDs, in splits of any size.
func sameRows(t *testing.T, s Source, want []string, splits ...int64) {
	t.Helper()
	var first []uint64
	if len(splits) == 0 {
		splits = []int64{0, 1, 2, 3, 5, 7, 11, 16, 23, 64}
	}
	for _, s.Split = range splits {
		got, ids, _, err := rows(t, s)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Fatalf("splits of %d bytes: %v (-want +got):\n%s", s.Split, err, diff)
		}
		if first == nil {
			first = ids
		}
		if !slices.Equal(ids, first) {
			t.Fatalf("splits of %d bytes: other IDs", s.Split)
		}
	}
	slices.Sort(first)
	if len(slices.Compact(first)) != len(want) {
		t.Fatalf("two rows have one ID")
	}
}

// bad is a row that cannot be read.
type bad struct {
	text   string
	format Format
	schema Schema
	reason string
	err    string // that it has
}

// checkBad holds that the row after a good one is an error that tells the object and the line, or is counted where it is skipped,
// and the next one is read.
func checkBad(t *testing.T, before, after string, cases []bad) {
	t.Helper()
	for _, c := range cases {
		text := before + c.text + "\n" + after
		for name, data := range map[string]string{"plain": text, "gzip": packed(t, text)} {
			url := bucket(t, map[string]string{"k": data})
			for _, split := range []int64{0, 4, 1000} {
				s := Source{URLs: []string{url}, Format: c.format, Schema: c.schema, Split: split}
				_, _, _, err := rows(t, s)
				line := fmt.Sprintf("line %d", strings.Count(before, "\n")+1)
				if err == nil || !strings.Contains(err.Error(), `"k"`) || !strings.Contains(err.Error(), line) || !strings.Contains(err.Error(), c.err) {
					t.Errorf("%s, %q in splits of %d bytes: %v, want %q in %s", name, c.text, split, err, c.err, line)
				}
				if row := (*RowError)(nil); errors.As(err, &row) && row.Reason != c.reason || row == nil && !c.format.MultiLine {
					t.Errorf("%q: %v, want the reason %s", c.text, err, c.reason)
				}
				s.Format.Bad = Skip
				got, _, skipped, err := rows(t, s)
				if err != nil || len(got) != 2 || len(skipped) != 1 || skipped[c.reason] != 1 {
					t.Errorf("%s, %q in splits of %d bytes: %d rows, skipped %v, %v; want %s", name, c.text, split, len(got), skipped, err, c.reason)
				}
			}
		}
	}
}

// columns makes a schema of names with kinds: "a n", "b s", "c v3".
func columns(list ...string) Schema {
	var s Schema
	for _, c := range list {
		name, kind, _ := strings.Cut(c, " ")
		column := Column{Name: name, Kind: map[byte]Kind{'n': Number, 's': String, 'v': Vector}[kind[0]]}
		if column.Kind == Vector {
			if _, err := fmt.Sscan(kind[1:], &column.Width); err != nil {
				panic(err)
			}
		}
		s.Columns = append(s.Columns, column)
	}
	return s
}

func describe(s Schema) string {
	var all []string
	for _, c := range s.Columns {
		text := c.Name + " " + string(c.Kind)
		if c.Role != Feature {
			text += " " + string(c.Role)
		}
		if c.Width != 0 {
			text += fmt.Sprint(" ", c.Width)
		}
		all = append(all, text)
	}
	return strings.Join(all, ", ")
}
