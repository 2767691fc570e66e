package main

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// table reads a table with a header.
func table(t *testing.T, text []byte) [][]string {
	t.Helper()
	all, err := csv.NewReader(bytes.NewReader(text)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return all[1:]
}

// reference joins tables by their first columns with two loops, and sorts what comes of it by the key.
func reference(left, right [][]string, kind string) [][]string {
	var rows [][]string
	paired := map[string]bool{}
	for _, r := range right {
		lone := true
		for _, l := range left {
			if l[0] == r[0] {
				rows = append(rows, slices.Concat(l, r[1:]))
				lone, paired[l[0]] = false, true
			}
		}
		if lone && kind == "full" {
			rows = append(rows, []string{r[0], "", r[1]})
		}
	}
	for _, l := range left {
		if !paired[l[0]] && kind != "inner" {
			rows = append(rows, append(slices.Clone(l), ""))
		}
	}
	slices.SortStableFunc(rows, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	return rows
}

// TestJoin compares with the reference, on tables with keys that are often alike and easily got wrong, in splits down to a
// few bytes. Some fields hold ends of lines.
func TestJoin(t *testing.T) {
	t.Setenv("GOWREN_BACKEND", "inproc")
	t.Setenv("GOWREN_STORAGE", "file://"+t.TempDir())
	for seed := range uint64(12) {
		r := rand.New(rand.NewPCG(seed, 7))
		sides := make([][][]string, 2)
		files := make([]string, 2)
		for i := range sides {
			for range r.IntN(40) {
				key := []string{"", "a", "b", "a b", "ä", "\"", ",", "new\nline"}[r.IntN(8)] + fmt.Sprint(r.IntN(1+int(seed)))
				sides[i] = append(sides[i], []string{key, fmt.Sprint(i, " ", len(sides[i]))})
			}
			files[i] = filepath.Join(t.TempDir(), "table.csv")
			var text bytes.Buffer
			w := csv.NewWriter(&text)
			if err := w.WriteAll(append([][]string{{"key", fmt.Sprint("side ", i)}}, sides[i]...)); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(files[i], text.Bytes(), 0o666); err != nil {
				t.Fatal(err)
			}
		}
		for _, kind := range []string{"inner", "left", "full"} {
			var out bytes.Buffer
			if err := run(t.Context(), &out, files, "key", kind, []int64{5, 33, 0}[r.IntN(3)]); err != nil {
				t.Fatal(err)
			}
			got, want := table(t, out.Bytes()), reference(sides[0], sides[1], kind)
			if !slices.EqualFunc(got, want, slices.Equal) {
				t.Errorf("seed %d, %s: %.500q, want %.500q", seed, kind, fmt.Sprint(got), fmt.Sprint(want))
			}
		}
	}
}

// TestTables checks the tables that the program brings along: their sums, and that the seats follow from the populations by
// the method of equal proportions, which the law prescribes.
func TestTables(t *testing.T) {
	t.Parallel()
	people, seats := map[string]int{}, map[string]int{}
	sum, all := 0, 0
	for _, r := range table(t, census) {
		n, err := strconv.Atoi(r[1])
		if err != nil {
			t.Fatal(err)
		}
		s, err := strconv.Atoi(r[2])
		if err != nil {
			t.Fatal(err)
		}
		if r[0] != "PR" {
			sum += n
		}
		if all += s; s > 0 {
			people[r[0]], seats[r[0]] = n, s
		}
	}
	if sum != 331_449_281 || all != 435 || len(seats) != 50 {
		t.Errorf("%d people, %d seats of %d states", sum, all, len(seats))
	}
	given := map[string]int{}
	for state := range seats {
		given[state] = 1
	}
	for range 435 - 50 { // the next seat goes to the highest quotient
		best, most := "", 0.0
		for state, n := range given {
			if q := float64(people[state]) / math.Sqrt(float64(n*(n+1))); q > most {
				best, most = state, q
			}
		}
		given[best]++
	}
	last, admitted := 0, 0
	for _, r := range table(t, states) {
		if r[3] == "" {
			continue
		}
		year, err := strconv.Atoi(r[3])
		if err != nil || year < last || given[r[0]] != seats[r[0]] || seats[r[0]] == 0 {
			t.Errorf("%q: %v; %d seats, and not %d", r, err, seats[r[0]], given[r[0]])
		}
		last, admitted = year, admitted+1
	}
	if admitted != 50 {
		t.Errorf("%d states", admitted)
	}
}
