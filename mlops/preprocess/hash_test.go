package preprocess

import (
	"errors"
	"io/fs"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/gowren/gowren/mlops/dataset"
)

// TestMurmur holds hashes against scikit-learn's, for each way to part them in what was taken before and the rest.
func TestMurmur(t *testing.T) {
	t.Parallel()
	for _, c := range wordsReference(t).Murmur {
		for cut := range len(c.Text) + 1 {
			m := murmurOf(c.Text[:cut])
			if got := m.sum([]byte(c.Text[cut:])); got != c.Hash {
				t.Errorf("%q, cut at %d: %d, want %d", c.Text, cut, got, c.Hash)
			}
		}
	}
}

// TestCount holds places and signs at the borders of the numbers.
func TestCount(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		hash  uint32
		place uint32
		value float64
	}{{0, 0, 1}, {1, 1, 1}, {17, 1, 1}, {math.MaxUint32, 1, -1}, {1 << 31, 0, -1}, {1<<31 - 1, 15, 1}, {1<<31 + 1, 15, -1}} {
		s := newSum(4)
		s.count(c.hash, signMask(false))
		s.count(c.hash, signMask(true))
		for i, want := range []float64{c.value, 1} {
			if place, value := uint32(s.keys[i]>>32), s.values[uint32(s.keys[i])]; place != c.place || value != want {
				t.Errorf("%d: %g at %d", c.hash, value, place)
			}
		}
	}
}

// TestHashReference holds Hash against FeatureHasher.
func TestHashReference(t *testing.T) {
	t.Parallel()
	r := wordsReference(t)
	c := categoriesOf(r, "city", "a", "abc", "field", "n", "amount", "level")
	for bits, want := range r.Hash {
		n, err := strconv.Atoi(bits)
		if err != nil {
			t.Fatal(err)
		}
		sameSparse(t, bits+" bits", c.vectors(t, c.fit(t, Hash{Bits: n})), want)
	}
	sameSparse(t, "unsigned", c.vectors(t, c.fit(t, Hash{Bits: 4, Unsigned: true})), r.Unsigned)
}

// TestHashColumns holds what is hashed, what is left, and that missing values count nothing.
func TestHashColumns(t *testing.T) {
	t.Parallel()
	c := columnOf("s", "x", nil, "").add("n", dataset.Number, 2.0, nil, 0.0).add("left", dataset.Number, 5.0, 6.0, 7.0)
	f := c.fit(t, Hash{Columns: []string{"n", "s"}, Vector: "v", Unsigned: true, Bits: 20})
	if got := f.Out().Columns; len(got) != 2 || got[0].Name != "left" || got[1] != (dataset.Column{Name: "v", Kind: dataset.Vector, Width: 1 << 20}) {
		t.Fatalf("the columns are %v", got)
	}
	rows := c.vectors(t, f)
	for i, n := range []int{3, 1, 2} { // left; the word and the number; the empty word
		if len(rows[i].Idx) != n || rows[i].Val[0] != float64(5+i) {
			t.Errorf("row %d is %v", i, rows[i])
		}
	}
}

// TestHashRefuses holds the errors of settings.
func TestHashRefuses(t *testing.T) {
	t.Parallel()
	in := columnOf("s").add("n", dataset.Number).Schema
	for name, c := range map[string]struct {
		step Step
		want error
		says string
	}{
		"no such column":  {Hash{Columns: []string{"x"}}, fs.ErrNotExist, `"x"`},
		"twice":           {Hash{Columns: []string{"s", "s"}}, fs.ErrInvalid, "twice"},
		"bits":            {Hash{Bits: 31}, fs.ErrInvalid, "31 bits"},
		"negative bits":   {HashWords{Column: "s", Bits: -1}, fs.ErrInvalid, "-1 bits"},
		"a name taken":    {Hash{Columns: []string{"s"}, Vector: "n"}, fs.ErrInvalid, `"n"`},
		"words of number": {HashWords{Column: "n"}, fs.ErrInvalid, "number"},
		"norm":            {HashWords{Column: "s", Norm: "l3"}, fs.ErrInvalid, "l3"},
		"grams":           {HashWords{Column: "s", NGrams: 99}, fs.ErrInvalid, "99"},
	} {
		if _, err := c.step.Plan(in); !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSumSort holds that rows of all lengths are sorted, with equal places in the order in which they came.
func TestSumSort(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 1, 12, 13, 39, 256, 257, 1000} {
		for _, bits := range []int{1, 5, 6, 7, 20, 30} {
			s := newSum(bits)
			v := dataset.Vectors{Ptr: []int{0}}
			want := map[uint32]float64{}
			for i := range n {
				place := uint32(i*2654435761) & s.mask
				s.add(place, float64(i))
				want[place] += float64(i)
			}
			s.store(&v, Unnormed)
			for i, p := range v.Idx {
				if i > 0 && v.Idx[i-1] >= p || v.Val[i] != float32(want[p]) {
					t.Fatalf("%d values, %d bits: place %d has %g, want %g", n, bits, p, v.Val[i], want[p])
				}
				delete(want, p)
			}
			for p, x := range want {
				if x != 0 {
					t.Fatalf("%d values, %d bits: place %d is not there", n, bits, p)
				}
			}
		}
	}
}
