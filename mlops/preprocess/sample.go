package preprocess

import (
	"cmp"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"sort"

	"github.com/gowren/gowren/serialize"
)

// sample is the rows whose IDs have the smallest hashes, up to Most of them: the same ones whatever the order of the rows and
// of merges. As hashes have nothing to do with values, it is a uniform one without replacement; of no more rows than Most,
// it is all.
//
// By the inequality of Dvoretzky, Kiefer and Wolfowitz, with Massart's constant, the ranks of all quantiles of a column are
// off by at most √(ln(2/p)/2k) with probability 1 − p, where k of its sampled values are not missing: by 1.1 % of the rows
// for k of 65,536 and p of one in a million.
type sample struct {
	Most   int    // rows; it holds up to twice as many
	Width  int    // numbers a row
	Below  uint64 // rows with hashes from there on are passed over; 0: none. See rowsOf
	Hashes []uint64
	Values []float64 // of each hash's row, Width each

	above uint64 // rows with larger hashes are out; 0: it is not known
}

// sampleRows and sampleBytes bound samples.
const (
	sampleRows  = 1 << 16
	sampleBytes = 16 << 20
)

// newSample returns a sample of rows with so many numbers: 65,536 rows, or fewer where they would take more than 16 MiB.
func newSample(width int) sample {
	return sample{Most: min(sampleRows, max(sampleBytes/(8*(width+1)), 1)), Width: width}
}

// see takes rows, column by column.
func (s *sample) see(ids []uint64, columns [][]float64) error {
	for _, c := range columns {
		if len(c) != len(ids) {
			return fmt.Errorf("a block with %d IDs and %d numbers in a column: %w", len(ids), len(c), fs.ErrInvalid)
		}
	}
	above := min(cmp.Or(s.above, math.MaxUint64), s.Below-1) // of 0, it is the largest there is
	for i, id := range ids {
		h := mix(id)
		if h > above {
			continue
		}
		s.Hashes = append(s.Hashes, h)
		n := len(s.Values)
		if n+s.Width > cap(s.Values) { // by append, it would be copied several times
			s.Values = slices.Grow(s.Values, n+s.Width)
		}
		s.Values = s.Values[:n+s.Width]
		for j, c := range columns {
			s.Values[n+j] = c[i]
		}
		if len(s.Hashes) >= 2*s.Most {
			s.trim()
			above = min(above, s.above)
		}
	}
	return nil
}

func (s *sample) merge(o *sample) error {
	if s.Width != o.Width || s.Most != o.Most || s.Below != o.Below {
		return errOther
	}
	if n := len(s.Hashes) + len(o.Hashes); n > cap(s.Hashes) && n < 2*s.Most {
		n = min(2*n, 2*s.Most) // by append, it would be copied with each merge
		s.Hashes, s.Values = slices.Grow(s.Hashes, n-len(s.Hashes)), slices.Grow(s.Values, n*s.Width-len(s.Values))
	}
	s.Hashes, s.Values = append(s.Hashes, o.Hashes...), append(s.Values, o.Values...)
	if len(s.Hashes) >= 2*s.Most {
		s.trim()
	}
	return nil
}

// trim leaves Most rows. Of rows with the largest hash among them, the values decide.
func (s *sample) trim() {
	if len(s.Hashes) < s.Most {
		return
	}
	order, _ := sortIntegers(slices.Clone(s.Hashes), nil)
	s.above = order[s.Most-1]
	room := s.Most - sort.Search(s.Most, func(i int) bool { return order[i] >= s.above })
	var last [][]float64
	n := 0
	for i, h := range s.Hashes {
		switch {
		case h < s.above:
			s.Hashes[n] = h
			copy(s.row(n), s.row(i))
			n++
		case h == s.above:
			last = append(last, slices.Clone(s.row(i)))
		}
	}
	slices.SortFunc(last, func(a, b []float64) int {
		return slices.CompareFunc(a, b, func(x, y float64) int { return cmp.Compare(math.Float64bits(x), math.Float64bits(y)) })
	})
	for _, row := range last[:room] {
		s.Hashes[n] = s.above
		copy(s.row(n), row)
		n++
	}
	s.Hashes, s.Values = s.Hashes[:n], s.Values[:n*s.Width]
}

func (s *sample) row(i int) []float64 { return s.Values[i*s.Width : (i+1)*s.Width] }

// settle leaves out what is not of the sample. Until more is seen, column is then safe for concurrent use.
func (s *sample) settle() {
	if len(s.Hashes) > s.Most {
		s.trim()
	}
}

// column returns the sampled values of a column that are not missing, sorted.
func (s *sample) column(j int) []float64 {
	s.settle()
	// As integers, which are sorted faster.
	order := make([]uint64, 0, len(s.Hashes))
	for i := range s.Hashes {
		if x := s.row(i)[j]; x == x {
			order = append(order, orderOf(x))
		}
	}
	order, _ = sortIntegers(order, nil)
	values := make([]float64, len(order))
	for i, o := range order {
		values[i] = numberOf(o)
	}
	return values
}

// sent is a sample on its way.
type sent struct {
	Most, Width int
	Below       uint64
	Hashes      []uint64
	Values      []float64
}

// MarshalBinary writes what is the sample, and not what is about to be left out.
func (s *sample) MarshalBinary() ([]byte, error) {
	s.settle()
	return serialize.Marshal(&sent{s.Most, s.Width, s.Below, s.Hashes, s.Values})
}

// UnmarshalBinary reads what MarshalBinary has written.
func (s *sample) UnmarshalBinary(data []byte) error {
	var got sent
	if err := serialize.Unmarshal(data, &got); err != nil {
		return err
	}
	n := len(got.Hashes)
	if got.Most < 1 || got.Width < 0 || n > got.Most || len(got.Values)%max(n, 1) != 0 || len(got.Values)/max(n, 1) != got.Width && n > 0 || n == 0 && len(got.Values) > 0 {
		return fmt.Errorf("preprocess: a sample of %d rows with %d numbers, of %d with %d each: %w", n, len(got.Values), got.Most, got.Width, fs.ErrInvalid)
	}
	*s = sample{Most: got.Most, Width: got.Width, Below: got.Below, Hashes: got.Hashes, Values: got.Values}
	return nil
}

// mix spreads IDs, so that a sample of rows that were chosen by their IDs is one of them all: the last step of splitmix64.
func mix(x uint64) uint64 {
	x ^= 0x6a09e667f3bcc909
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// quantile returns the value at q, between 0 and 1, of sorted values: between two of them, the point on the line.
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	at := q * float64(len(sorted)-1)
	i := min(int(at), len(sorted)-1)
	a, b := sorted[i], sorted[min(i+1, len(sorted)-1)]
	if a == b {
		return a // infinities, too
	}
	t := at - float64(i)
	if t == 0 {
		return a
	}
	return min(max(a*(1-t)+b*t, a), b) // never b−a, which may be too large
}
