package mapper_test

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"strings"
	"testing"

	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/mapper/mappertest"
	"github.com/gowren/gowren/storage"
)

// TestSplitCSV: rows whose fields span the borders of splits come out once and whole, and no split reads what is before it.
func TestSplitCSV(t *testing.T) {
	ex := mappertest.New(t)
	var text bytes.Buffer
	w := csv.NewWriter(&text)
	var want [][]string
	for i := range 200 {
		row := []string{fmt.Sprint(i), strings.Repeat("a line, and \"one\" more\n", i%7), "end"}
		if err := w.Write(row); err != nil {
			t.Fatal(err)
		}
		if i > 0 { // the first is the header
			want = append(want, row)
		}
	}
	w.Flush()
	data := storage.Prefix(ex.Bucket(), "data")
	for _, key := range []string{"a.csv", "b.csv"} {
		if err := data.Put(t.Context(), key, bytes.NewReader(text.Bytes())); err != nil {
			t.Fatal(err)
		}
	}
	want = append(want, want...)
	for _, size := range []int64{7, 100, 5000, 1 << 20} {
		splits, err := mapper.SplitCSV(t.Context(), ex, data.URL(), size)
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for _, s := range splits {
			if s.Quotes == storage.QuotesUnknown {
				t.Fatalf("splits of %d bytes: nothing is known of the one at %d", size, s.Off)
			}
			for row, err := range storage.CSV(t.Context(), s, storage.CSVOptions{}) {
				if err != nil {
					t.Fatal(err)
				}
				if n >= len(want) || fmt.Sprint(row.Fields) != fmt.Sprint(want[n]) {
					t.Fatalf("splits of %d bytes: row %d is %q", size, n, row.Fields)
				}
				n++
			}
		}
		if n != len(want) {
			t.Errorf("splits of %d bytes: %d rows, want %d", size, n, len(want))
		}
	}
	if _, err := mapper.SplitCSV(t.Context(), ex, "mem://nothing-is-here", 0); err == nil {
		t.Error("splitting nothing is no error")
	}
}
