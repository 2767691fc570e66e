package synth

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gowren/gowren/mlops/dataset"
)

func tables(seed uint64) map[string]Table {
	comma := NewCriteo(seed)
	comma.Comma = ','
	return map[string]Table{"higgs": NewHiggs(seed), "rcv1": NewRCV1(seed), "criteo": comma}
}

// rows are rows as text, by the values of blocks.
func rows(t *testing.T, table Table, from, to int64) []string {
	t.Helper()
	var all []string
	for b, err := range Blocks(table, from, to) {
		if err != nil {
			t.Fatal(err)
		}
		for row := range b.Rows {
			line := fmt.Sprint(b.IDs[row])
			for i, c := range table.Schema().Columns {
				d := &b.Columns[i]
				switch c.Kind {
				case dataset.Number:
					line += fmt.Sprint(" ", d.Numbers[row])
				case dataset.String:
					line += " " + string(d.Strings.At(row))
				default:
					v := &d.Vectors
					line += fmt.Sprint(v.Idx[v.Ptr[row]:v.Ptr[row+1]], v.Val[v.Ptr[row]:v.Ptr[row+1]])
				}
			}
			all = append(all, line)
		}
	}
	return all
}

// TestAnyShare holds that rows do not depend on who makes them, and differ from one another and from those of another seed.
func TestAnyShare(t *testing.T) {
	t.Parallel()
	for name, table := range tables(7) {
		whole := rows(t, table, 0, 1300)
		if len(whole) != 1300 {
			t.Fatalf("%s: %d rows", name, len(whole))
		}
		other := tables(7)[name]
		parts := slices.Concat(rows(t, other, 0, 1), rows(t, other, 1, 1150), rows(t, other, 1150, 1300))
		if !slices.Equal(parts, whole) {
			t.Errorf("%s: other shares, other rows", name)
		}
		if alone := rows(t, other, 1234, 1235); alone[0] != whole[1234] {
			t.Errorf("%s: a row alone is another one", name)
		}
		values := map[string]bool{}
		for _, line := range slices.Concat(whole, rows(t, tables(8)[name], 0, 1300)) {
			_, rest, _ := strings.Cut(line, " ")
			values[rest] = true
		}
		if len(values) != 2600 {
			t.Errorf("%s: %d rows of 2600 differ", name, len(values))
		}
		var text, again bytes.Buffer
		if err := Write(&text, table, 0, 1200); err != nil {
			t.Fatal(err)
		}
		for _, part := range [][2]int64{{0, 700}, {700, 700}, {700, 1200}} {
			if err := Write(&again, other, part[0], part[1]); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(text.Bytes(), again.Bytes()) || bytes.Count(text.Bytes(), []byte("\n")) != 1200 {
			t.Errorf("%s: other shares, another text", name)
		}
	}
}

// TestText holds that text and blocks have the same rows.
func TestText(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"higgs", "criteo"} {
		table := tables(3)[name]
		var text bytes.Buffer
		if err := Write(&text, table, 10, 500); err != nil {
			t.Fatal(err)
		}
		fields, err := csv.NewReader(&text).ReadAll()
		if err != nil || len(fields) != 490 {
			t.Fatalf("%s: %d rows, %v", name, len(fields), err)
		}
		for i, line := range rows(t, table, 10, 500) {
			for k, f := range strings.Fields(line)[1:] {
				if f == "NaN" {
					f = ""
				}
				if name == "criteo" && fields[i][k] != f {
					t.Fatalf("%s: row %d: %q, and %q", name, i, fields[i][k], f)
				}
				if name == "higgs" {
					var x, y float64
					if _, err := fmt.Sscan(fields[i][k]+" "+f, &x, &y); err != nil || float32(x) != float32(y) {
						t.Fatalf("%s: row %d: %q, and %q", name, i, fields[i][k], f)
					}
				}
			}
		}
	}
	rcv1 := NewRCV1(3)
	line := string(rcv1.Append(nil, 5))
	fields := strings.Fields(line)
	if !slices.Contains([]string{"+1", "-1"}, fields[0]) || len(fields)-1 != len(rcv1.words) || fields[1] != fmt.Sprintf("%d:%v", rcv1.words[0]+1, rcv1.values[0]) {
		t.Errorf("a row is %q", line)
	}
}

// TestForm holds what the tables are meant to be like: how many labels are 1, how well they can be told, how many values are
// missing or not zero.
func TestForm(t *testing.T) {
	t.Parallel()
	const n = 8_000
	for name, want := range map[string]struct{ positive, area float64 }{"higgs": {0.5, 0.9}, "rcv1": {0.5, 0.98}, "criteo": {0.25, 0.87}} {
		table := tables(1)[name]
		positive := 0.0
		var odds []float64
		for i := range int64(n) {
			p := table.Odds(i)
			positive += p / n
			odds = append(odds, p)
		}
		t.Logf("%s: %.3f of the labels are 1, and at best an area of %.4f is reached", name, positive, area(odds))
		if math.Abs(positive-want.positive) > 0.12 || math.Abs(area(odds)-want.area) > 0.03 {
			t.Errorf("%s: %.3f of the labels are 1, and at best an area of %.3f is reached", name, positive, area(odds))
		}
	}
	missing, values := 0, map[string]bool{}
	nonZero, squares := 0, 0.0
	for b, err := range Blocks(NewCriteo(1), 0, n) {
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range b.Columns[13].Numbers {
			if math.IsNaN(x) {
				missing++
			}
		}
		for row := range b.Rows {
			values[string(b.Columns[14+2].Strings.At(row))] = true
		}
	}
	for b, err := range Blocks(NewRCV1(1), 0, n) {
		if err != nil {
			t.Fatal(err)
		}
		v := &b.Columns[1].Vectors
		nonZero += len(v.Val)
		for _, x := range v.Val {
			squares += float64(x) * float64(x)
		}
	}
	if share := float64(missing) / n; math.Abs(share-0.36) > 0.02 {
		t.Errorf("%.3f of I13 is missing", share)
	}
	if len(values) < 1000 || len(values) > n/2 {
		t.Errorf("C3 has %d values in %d rows", len(values), n)
	}
	if mean := float64(nonZero) / n; math.Abs(mean-75) > 8 {
		t.Errorf("%.1f values are not zero", mean)
	}
	if mean := squares / n; math.Abs(mean-1) > 1e-3 {
		t.Errorf("rows have a mean length of %g", mean)
	}
}

// area is what the area under the curve is, in the mean, where labels are as likely as told.
func area(odds []float64) float64 {
	slices.Sort(odds)
	var ones, zeros, pairs float64
	for _, p := range odds {
		pairs += p * (zeros + (1-p)/2)
		ones, zeros = ones+p, zeros+1-p
	}
	return pairs / (ones * zeros)
}
