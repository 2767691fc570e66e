package exact

import (
	"math"
	"math/bits"
	"sync"
)

// table adds numbers up by their exponents: as integers, which the exponent scales. An entry holds the sum of 1,024 numbers.
// There are two of each, in turns, for a processor begins to add to one while it has not yet stored the other.
type table struct {
	by [2048][2]entry
}

type entry struct {
	sum    int64  // of 53 bits and the sign each
	lo, hi uint64 // the sum of the squares, of 106 bits each
	_      uint64
}

const tableRows = 1024

// tables are for AddAll. One is all zeros between uses.
var tables = sync.Pool{New: func() any { return new(table) }}

// AddAll adds numbers, and passes over NaN.
func (m *Moments) AddAll(values []float64) {
	t := tables.Get().(*table)
	defer tables.Put(t)
	for len(values) > 0 {
		n := min(len(values), tableRows)
		t.add(m, values[:n])
		values = values[n:]
	}
}

// add adds up to 1,024 numbers.
func (t *table) add(m *Moments, values []float64) {
	least, most := math.Inf(1), math.Inf(-1)
	low, high := 2047, 0 // the exponents that were met, but for 0
	others := 0          // NaN
	lane := 0
	for _, x := range values {
		b := math.Float64bits(x)
		e := int(b >> 52 & 0x7ff)
		f := b & (1<<52 - 1)
		if uint(e-1) < 0x7fe {
			f |= 1 << 52
			low, high = min(low, e), max(high, e)
		} else if e == 0x7ff {
			if f != 0 {
				others++
				continue
			}
			m.Sum.met |= specialOf(x)
			m.Squares.met |= metInf
			least, most = min(least, x), max(most, x)
			continue
		}
		if x < least {
			least = x
		}
		if x > most {
			most = x
		}
		at := &t.by[e][lane]
		lane ^= 1
		sign := int64(b) >> 63
		at.sum += (int64(f) ^ sign) - sign
		hi, lo := bits.Mul64(f, f)
		var c uint64
		at.lo, c = bits.Add64(at.lo, lo, 0)
		at.hi += hi + c
	}
	if n := len(values) - others; n > 0 {
		m.extend(least, most)
		m.Count += int64(n)
	}
	t.flush(m, 0, 0)
	t.flush(m, low, high)
}

// flush empties the entries of some exponents.
func (t *table) flush(m *Moments, low, high int) {
	for e := low; e <= high; e++ {
		a, b := &t.by[e][0], &t.by[e][1]
		if a.lo|a.hi|b.lo|b.hi == 0 {
			continue
		}
		lo, c := bits.Add64(a.lo, b.lo, 0)
		hi, sum := a.hi+b.hi+c, a.sum+b.sum
		scale := max(e, 1) // subnormal numbers have the scale of the smallest normal ones
		neg := sum < 0
		size := uint64(sum)
		if neg {
			size = -size
		}
		m.Sum.add(0, size, scale-1075-lowest, neg)
		m.Squares.add(hi, lo, 2*scale-2150-lowest, false)
		*a, *b = entry{}, entry{}
	}
}
