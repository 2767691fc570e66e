package preprocess

import (
	"math"
	"slices"

	"github.com/gowren/gowren/mlops/dataset"
)

// sum is a row of a sparse vector while it is added up.
type sum struct {
	keys   []uint64 // the place, and which of the values it is, so that they are added in the order in which they came
	values []float64
	sorted []uint64 // room
	mask   uint32   // of places
	shift  uint     // of the places, for buckets
}

// buckets part places that are even. A row of some ten values is sorted in a few steps for each of them.
const buckets = 64

func newSum(values, bits int) *sum {
	return &sum{
		mask: 1<<bits - 1,
		keys: make([]uint64, 0, values), values: make([]float64, 0, values), sorted: make([]uint64, values),
		shift: uint(32 + max(0, bits-6)),
	}
}

func (s *sum) add(place uint32, x float64) {
	s.keys = append(s.keys, uint64(place)<<32|uint64(len(s.values)))
	s.values = append(s.values, x)
}

// count adds 1, or -1, where a hash tells.
func (s *sum) count(hash uint32, unsigned bool) {
	place, negative := signed(hash, s.mask)
	x := 1.0
	if negative && !unsigned {
		x = -1
	}
	s.add(place, x)
}

// sort brings the keys into their order.
func (s *sum) sort() {
	n := len(s.keys)
	switch {
	case n > 4*buckets:
		slices.Sort(s.keys)
		return
	case n > 12:
		var ends [buckets + 1]uint16
		for _, k := range s.keys {
			ends[1+k>>(s.shift&63)&(buckets-1)]++
		}
		for i := 1; i <= buckets; i++ {
			ends[i] += ends[i-1]
		}
		s.sorted = slices.Grow(s.sorted[:0], n)[:n]
		for _, k := range s.keys {
			at := &ends[k>>(s.shift&63)&(buckets-1)]
			s.sorted[*at] = k
			*at++
		}
		s.keys, s.sorted = s.sorted, s.keys
	}
	keys := s.keys
	for i := 1; i < len(keys); i++ {
		k, j := keys[i], i
		for ; j > 0 && keys[j-1] > k; j-- {
			keys[j] = keys[j-1]
		}
		keys[j] = k
	}
}

// store adds the row to vectors, and begins another.
func (s *sum) store(v *dataset.Vectors, norm Norm) {
	s.sort()
	n := 0
	for i := 0; i < len(s.keys); {
		place, total := s.keys[i]>>32, 0.0
		for ; i < len(s.keys) && s.keys[i]>>32 == place; i++ {
			total += s.values[uint32(s.keys[i])]
		}
		if total == 0 {
			continue
		}
		v.Idx, s.keys[n] = append(v.Idx, uint32(place)), math.Float64bits(total)
		n++
	}
	by := norm.of(n, func(i int) float64 { return math.Float64frombits(s.keys[i]) })
	for _, k := range s.keys[:n] {
		v.Val = append(v.Val, float32(math.Float64frombits(k)/by))
	}
	v.Ptr = append(v.Ptr, len(v.Idx))
	s.keys, s.values = s.keys[:0], s.values[:0]
}
