package preprocess

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/klauspost/compress/gzip"

	"github.com/gowren/gowren/mapper/mappertest"
	"github.com/gowren/gowren/mlops/dataset"
)

// TestEmits: what is emitted of a block is a pair for each value, and not for each row.
func TestEmits(t *testing.T) {
	t.Parallel()
	x := numbersTable("a", []float64{1, 2, 1, 1, nan, 2})
	x.words = []string{"u", "v", "u", "", "u", "v"}
	plan, err := Impute{With: MostFrequent}.Plan(x.schema())
	if err != nil {
		t.Fatal(err)
	}
	for want, c := range map[int]Counter{4: plan.Fitter.(Counter), 2: newFrequency(x.schema())} {
		for range 2 { // nothing is left of a block before
			emits, rows := 0, int64(0)
			for b, err := range x.blocks(len(x.words)) {
				if err != nil {
					t.Fatal(err)
				}
				if err := c.Count(x.schema(), b, func(_ string, _ []byte, n, _ int64) { emits, rows = emits+1, rows+n }); err != nil {
					t.Fatal(err)
				}
			}
			if emits != want || rows != int64(5*want/2) {
				t.Errorf("%T emits %d times, of %d rows, want %d", c, emits, rows, want)
			}
		}
	}
}

// TestRowsOf guesses the rows of objects that are packed, too.
func TestRowsOf(t *testing.T) {
	t.Parallel()
	ex := mappertest.New(t)
	var text strings.Builder
	for i := range 200_000 {
		fmt.Fprintf(&text, "%d,%d\n", i, i*i%9973)
	}
	pack := func(text string) []byte {
		var out bytes.Buffer
		w := gzip.NewWriter(&out)
		if _, err := w.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	for name, c := range map[string]struct {
		text      []byte
		format    string
		low, high int64
	}{
		"plain":     {[]byte(text.String()), dataset.CSV, 150_000, 260_000},
		"packed":    {pack(text.String()), dataset.CSV, 150_000, 260_000},
		"small":     {pack("1,2\n3,4\n"), dataset.CSV, 2, 2},
		"no lines":  {[]byte(text.String()), dataset.IDX, 0, 0},
		"truncated": {pack(text.String())[:100_000], dataset.CSV, 15_000, 100_000},
	} {
		src := putTable(t, ex, name, c.text, dataset.Schema{}, dataset.Format{Name: dataset.CSV})
		parts, err := src.Parts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		src.Format.Name = c.format
		if got, err := rowsOf(t.Context(), src.Format, parts); err != nil || got < c.low || got > c.high {
			t.Errorf("%s: %d, %v", name, got, err)
		}
	}
}
