package preprocess

import (
	"encoding/binary"
	"math"
	"slices"

	"github.com/gowren/gowren/mlops/dataset"
)

// sum is a row of a sparse vector while it is added up.
type sum struct {
	keys   []uint64  // the place, and which of the values is added there
	values []float64 // 1, -1, and others that were added
	sorted []uint64  // room
	totals []float64 // room
	mask   uint32    // of places
	shift  uint      // of keys, for buckets
}

// buckets part places, by their upper 8 bits.
const buckets = 256

func newSum(bits int) *sum {
	return &sum{values: []float64{1, -1}, mask: 1<<bits - 1, shift: uint(32 + max(0, bits-8))}
}

// add adds a number at a place.
func (s *sum) add(place uint32, x float64) {
	s.keys = append(s.keys, uint64(place)<<32|uint64(len(s.values)))
	s.values = append(s.values, x)
}

// count adds 1, or -1, where a hash tells. The place is the hash's absolute value as a signed number, and that of the lowest
// one, which has none, is 0. So does scikit-learn.
func (s *sum) count(hash, sign uint32) {
	negative := uint32(int32(hash) >> 31) // all bits, or none
	place := (hash ^ negative) - negative
	s.keys = append(s.keys, uint64(place&s.mask)<<32|uint64(negative&sign))
}

// signMask is which bit of a sign counts.
func signMask(unsigned bool) uint32 {
	if unsigned {
		return 0
	}
	return 1
}

// sort brings the keys into their order. Up to 255 are put into buckets first, after which hardly any has to move.
func (s *sum) sort() {
	keys := s.keys
	switch n := len(keys); {
	case n > math.MaxUint8:
		slices.Sort(keys)
		return
	case n > 12:
		var begins [buckets]byte
		shift := s.shift & 63
		for _, k := range keys {
			begins[uint8(k>>shift)]++
		}
		running(&begins)
		sorted := slices.Grow(s.sorted[:0], n)[:n]
		for _, k := range keys {
			b := uint8(k >> shift)
			sorted[begins[b]] = k
			begins[b]++
		}
		s.keys, s.sorted = sorted, keys
		keys = sorted
	}
	last := uint64(0)
	for i, k := range keys {
		if k >= last {
			last = k
			continue
		}
		j := i
		for ; j > 0 && keys[j-1] > k; j-- {
			keys[j] = keys[j-1]
		}
		keys[j] = k
	}
}

// running makes of counts, of 255 at most together, the sums of those before each: eight at a time, which a product adds up.
func running(counts *[buckets]byte) {
	const ones = 0x0101010101010101
	before := uint64(0)
	for i := 0; i < buckets; i += 8 {
		c := binary.LittleEndian.Uint64(counts[i:])
		sums := c * ones
		binary.LittleEndian.PutUint64(counts[i:], sums-c+before*ones)
		before += sums >> 56
	}
}

// store adds the row to vectors, and begins another.
func (s *sum) store(v *dataset.Vectors, norm Norm) {
	s.sort()
	keys, values, at := s.keys, s.values, len(v.Idx)
	idx, val := slices.Grow(v.Idx, len(keys))[:at+len(keys)], slices.Grow(v.Val, len(keys))[:at+len(keys)]
	totals, n := slices.Grow(s.totals[:0], len(keys))[:len(keys)], 0
	for i := 0; i < len(keys); {
		place, total := uint32(keys[i]>>32), values[uint32(keys[i])]
		for i++; i < len(keys) && uint32(keys[i]>>32) == place; i++ {
			total += values[uint32(keys[i])]
		}
		if total != 0 {
			idx[at+n], val[at+n], totals[n] = place, float32(total), total
			n++
		}
	}
	v.Idx, v.Val, v.Ptr = idx[:at+n], val[:at+n], append(v.Ptr, at+n)
	if norm != Unnormed {
		by := norm.of(totals[:n])
		for i, x := range totals[:n] {
			val[at+i] = float32(x / by)
		}
	}
	s.keys, s.values, s.totals = keys[:0], values[:2], totals
}
