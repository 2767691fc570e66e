package dataset

import (
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"math"
	"slices"
	"strings"
	"testing"
)

// partSchema has a column of each kind.
var partSchema = Schema{Columns: []Column{
	{Name: "n", Kind: Number}, {Name: "s", Kind: String}, {Name: "dense", Kind: Vector, Width: 2}, {Name: "sparse", Kind: Vector, Width: 9},
}}

// partBlocks yields rows in blocks of a size. Values tell the row.
func partBlocks(rows, size int) iter.Seq2[*Block, error] {
	return func(yield func(*Block, error) bool) {
		for at := 0; at < rows; at += size {
			b := &Block{Columns: make([]Data, 4)}
			b.Columns[3].Vectors.Ptr = []int{0}
			for row := at; row < min(at+size, rows); row++ {
				b.Rows++
				b.IDs = append(b.IDs, uint64(row)) // as bad as IDs can be
				b.Columns[0].Numbers = append(b.Columns[0].Numbers, float64(row%50))
				if row%7 == 0 {
					b.Columns[1].Strings.AddMissing()
				} else {
					b.Columns[1].Strings.Add([]byte(strings.Repeat("x", row%5)))
				}
				b.Columns[2].Vectors.Val = append(b.Columns[2].Vectors.Val, float32(row), -1)
				v := &b.Columns[3].Vectors
				for k := range row % 4 {
					v.Idx, v.Val = append(v.Idx, uint32(2*k)), append(v.Val, float32(row+k))
				}
				v.Ptr = append(v.Ptr, len(v.Val))
			}
			if !yield(b, nil) {
				return
			}
		}
	}
}

// lines are rows as text.
func lines(t *testing.T, blocks iter.Seq2[*Block, error]) []string {
	t.Helper()
	var all []string
	for b, err := range blocks {
		if err != nil {
			t.Fatal(err)
		}
		if b.Rows == 0 {
			t.Fatal("a block without rows")
		}
		for row := range b.Rows {
			line := fmt.Sprint(b.IDs[row], b.Columns[0].Numbers[row], b.Columns[1].Strings.IsMissing(row), string(b.Columns[1].Strings.At(row)))
			for i, width := range []int{2, 9} {
				idx, val := b.Columns[2+i].Vectors.row(row, width)
				line += fmt.Sprint(idx, val)
			}
			all = append(all, line)
		}
	}
	return all
}

// TestSplitRows holds that parts have all rows, each once, whole and in their order, however they come in blocks.
func TestSplitRows(t *testing.T) {
	t.Parallel()
	const rows = 2000
	all := lines(t, partBlocks(rows, 100))
	for _, by := range []string{"", "n", "s"} {
		var merged []string
		for _, part := range []SplitRows{{To: 0.7}, {From: 0.7, To: 0.9}, {From: 0.9, To: 1}} {
			part.Seed, part.By = 5, by
			got := lines(t, part.Blocks(partSchema, partBlocks(rows, 1024)))
			if other := lines(t, part.Blocks(partSchema, partBlocks(rows, 33))); !slices.Equal(got, other) {
				t.Errorf("by %q: other blocks, other rows", by)
			}
			if want := (part.To - part.From) * rows; by == "" && math.Abs(float64(len(got))-want) > 4*math.Sqrt(want) {
				t.Errorf("%v has %d rows", part, len(got))
			}
			merged = append(merged, got...)
		}
		slices.Sort(merged)
		sorted := slices.Sorted(slices.Values(all))
		if !slices.Equal(merged, sorted) {
			t.Errorf("by %q: the parts have %d rows, or others", by, len(merged))
		}
	}
}

// TestSplitRowsBy holds that rows of one value are in one part, but for those without one.
func TestSplitRowsBy(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	missing := 0
	for b, err := range (SplitRows{To: 0.5, Seed: 3, By: "s"}).Blocks(partSchema, partBlocks(2000, 100)) {
		if err != nil {
			t.Fatal(err)
		}
		for row := range b.Rows {
			if s := &b.Columns[1].Strings; s.IsMissing(row) {
				missing++
			} else {
				seen[string(s.At(row))] = true
			}
		}
	}
	for b, err := range (SplitRows{From: 0.5, To: 1, Seed: 3, By: "s"}).Blocks(partSchema, partBlocks(2000, 100)) {
		if err != nil {
			t.Fatal(err)
		}
		for row := range b.Rows {
			if s := &b.Columns[1].Strings; !s.IsMissing(row) && seen[string(s.At(row))] {
				t.Fatalf("%q is in both parts", s.At(row))
			}
		}
	}
	if missing < 100 || missing > 186 {
		t.Errorf("%d of 286 rows without a value are in a half", missing)
	}
	zero, negative := Block{IDs: []uint64{1}, Columns: []Data{{Numbers: []float64{0}}}}, Block{IDs: []uint64{2}, Columns: []Data{{Numbers: []float64{math.Copysign(0, -1)}}}}
	if s := (SplitRows{}); s.share(partSchema, &zero, 0, 0) != s.share(partSchema, &negative, 0, 0) {
		t.Error("there are two zeros")
	}
}

// TestSplitRowsErrors holds the errors of settings and of what comes.
func TestSplitRowsErrors(t *testing.T) {
	t.Parallel()
	failed := errors.New("failed")
	for name, c := range map[string]struct {
		part SplitRows
		want error
	}{
		"empty": {SplitRows{}, fs.ErrInvalid}, "turned": {SplitRows{From: 0.5, To: 0.2}, fs.ErrInvalid}, "beyond": {SplitRows{To: 1.1}, fs.ErrInvalid},
		"NaN": {SplitRows{To: math.NaN()}, fs.ErrInvalid}, "column": {SplitRows{To: 1, By: "x"}, fs.ErrNotExist}, "vector": {SplitRows{To: 1, By: "dense"}, fs.ErrInvalid},
		"input": {SplitRows{To: 1}, failed},
	} {
		for b, err := range c.part.Blocks(partSchema, func(yield func(*Block, error) bool) { yield(nil, failed) }) {
			if b != nil || !errors.Is(err, c.want) {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// TestSplitRowsEnd: what is left out as the end is 1, where there is a beginning.
func TestSplitRowsEnd(t *testing.T) {
	t.Parallel()
	want := lines(t, SplitRows{From: 0.7, To: 1}.Blocks(partSchema, partBlocks(2000, 100)))
	if got := lines(t, SplitRows{From: 0.7}.Blocks(partSchema, partBlocks(2000, 100))); len(got) == 0 || !slices.Equal(got, want) {
		t.Errorf("%d rows, and not %d", len(got), len(want))
	}
}

// TestSplitRowsParts: a driver is told what no worker could do.
func TestSplitRowsParts(t *testing.T) {
	t.Parallel()
	src := Source{URLs: []string{bucket(t, map[string]string{"k": "a,b\n1,x\n"})}, Format: Format{Name: CSV}}
	known := src
	known.Schema = columns("a n", "b s")
	for name, c := range map[string]struct {
		src  Source
		rows SplitRows
		want error
	}{
		"range":              {src, SplitRows{From: 0.5, To: 0.2}, fs.ErrInvalid},
		"column":             {known, SplitRows{To: 0.5, By: "x"}, fs.ErrNotExist},
		"column, not known":  {src, SplitRows{To: 0.5, By: "x"}, nil},
		"column, no range":   {known, SplitRows{By: "a"}, fs.ErrInvalid},
		"column, no end":     {known, SplitRows{From: 0.5, By: "a"}, nil},
		"nothing to part by": {known, SplitRows{}, nil},
	} {
		c.src.Rows = c.rows
		if _, err := c.src.Parts(t.Context()); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, and not %v", name, err, c.want)
		}
	}
	known.Schema, known.Rows = columns("z n"), SplitRows{To: 0.99, By: "b"} // it is not used
	if found, err := Infer(t.Context(), known); err != nil || len(found.Columns) != 2 {
		t.Error(found, err)
	}
}

// TestSplitRowsEmpty says why a part is empty, and nothing where rows are not parted.
func TestSplitRowsEmpty(t *testing.T) {
	t.Parallel()
	for want, s := range map[string]SplitRows{"from 0.8 to 1: column \"c\" has too few": {From: 0.8, By: "c"}, "from 0 to 0.1: the input has none": {To: 0.1}} {
		if err := s.Empty(); !errors.Is(err, fs.ErrInvalid) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, not %s", err, want)
		}
	}
	if err := (SplitRows{}).Empty(); err != nil {
		t.Error(err)
	}
}

// TestEvenShares holds that shares are even and other for each seed.
func TestEvenShares(t *testing.T) {
	t.Parallel()
	var counts [10][10]int
	for id := range uint64(100_000) {
		counts[int(10*Share(1, id))][int(10*Share(2, id))]++
	}
	for i := range counts {
		for j, n := range counts[i] {
			if n < 850 || n > 1150 {
				t.Errorf("%d of 100,000 rows have the shares 0.%d and 0.%d", n, i, j)
			}
		}
	}
}

// TestSourceRows holds that the parts of a source have all of its rows, in splits of any size, and that a reader says what is
// wrong with a part.
func TestSourceRows(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	text.WriteString("n,s\n")
	for i := range 3000 {
		fmt.Fprintf(&text, "%d,%s\n", i, strings.Repeat("x", i%5))
	}
	url := bucket(t, map[string]string{"in.csv": text.String()})
	src := Source{URLs: []string{url + "/in.csv"}, Format: Format{Name: CSV}, Schema: Schema{Columns: partSchema.Columns[:2]}}
	all, _, _, err := rows(t, src)
	if err != nil || len(all) != 3000 {
		t.Fatal(len(all), err)
	}
	var merged []string
	for _, part := range []SplitRows{{To: 0.75, Seed: 1}, {From: 0.75, To: 1, Seed: 1}} {
		src.Rows = part
		got, _, _, err := rows(t, src)
		if err != nil || math.Abs(float64(len(got))-3000*(part.To-part.From)) > 120 {
			t.Fatal(part, len(got), err)
		}
		sameRows(t, src, got, 100, 5000)
		merged = append(merged, got...)
	}
	slices.Sort(all)
	if slices.Sort(merged); !slices.Equal(merged, all) {
		t.Errorf("the parts have %d rows, or others", len(merged))
	}
	src.Rows = SplitRows{To: 1, By: "x"}
	if _, _, _, err := rows(t, src); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("by no column: %v", err)
	}
}

// TestOwnBlocks holds that who replaces columns of a part's blocks changes nothing for the next one.
func TestOwnBlocks(t *testing.T) {
	t.Parallel()
	part := SplitRows{To: 0.5, Seed: 9}
	want := lines(t, part.Blocks(partSchema, partBlocks(2000, 100)))
	var got []string
	for b, err := range part.Blocks(partSchema, partBlocks(2000, 100)) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, lines(t, func(yield func(*Block, error) bool) { yield(b, nil) })...)
		b.Columns[0], b.Columns = Data{Vectors: Vectors{Ptr: []int{0, 1}}}, b.Columns[:1]
	}
	if !slices.Equal(got, want) {
		t.Error("other rows came")
	}
}
