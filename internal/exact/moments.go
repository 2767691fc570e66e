package exact

import (
	"math"
	"math/big"
	"math/bits"
)

// Moments are the exact moments of numbers. The zero value is that of no numbers. NaN is passed over; infinities make of sums
// and means what they do elsewhere. Copies and goroutines are as with [Sum].
type Moments struct {
	Count       int64 // negative where there are more than an int64 can tell; then there are no means, and it cannot be encoded
	Sum         Sum
	Squares     Sum // the sum of the squares
	least, most float64
}

// Add adds a number.
func (m *Moments) Add(x float64) {
	f, e, neg, ok := split(x)
	if !ok {
		if x != x {
			return
		}
		m.Sum.met |= specialOf(x)
		m.Squares.met |= metInf
	}
	m.extend(x, x)
	m.Count++
	hi, lo := bits.Mul64(f, f)
	m.Sum.add(0, f, e-1075-lowest, neg)
	m.Squares.add(hi, lo, 2*e-2150-lowest, false)
}

// AddZeros adds zeros, as many as a sparse column does not store.
func (m *Moments) AddZeros(n int64) {
	if n > 0 {
		m.extend(0, 0)
		m.more(n)
	}
}

// more lets Count grow, by any number: once it is negative it stays so.
func (m *Moments) more(n int64) {
	if sum := m.Count + n; m.Count < 0 || n < 0 || sum < 0 {
		m.Count = math.MinInt64
	} else {
		m.Count = sum
	}
}

// Merge adds other numbers, whose moments stay as they are.
func (m *Moments) Merge(o *Moments) {
	if o.Count == 0 {
		return
	}
	m.extend(o.least, o.most)
	m.more(o.Count)
	m.Sum.Merge(&o.Sum)
	m.Squares.Merge(&o.Squares)
}

// extend goes before Count grows. Zeros have no sign, whichever came first.
func (m *Moments) extend(least, most float64) {
	if m.Count == 0 {
		m.least, m.most = least, most
	} else {
		m.least, m.most = min(m.least, least), max(m.most, most)
	}
	if m.least == 0 {
		m.least = 0
	}
	if m.most == 0 {
		m.most = 0
	}
}

// Min returns the least number; NaN where there is none.
func (m *Moments) Min() float64 { return m.orNaN(m.least) }

// Max returns the largest number; NaN where there is none.
func (m *Moments) Max() float64 { return m.orNaN(m.most) }

func (m *Moments) orNaN(x float64) float64 {
	if m.Count == 0 {
		return math.NaN()
	}
	return x
}

// Mean returns the float64 nearest to the mean, of which a zero is +0; NaN of no numbers.
func (m *Moments) Mean() float64 {
	if m.Count <= 0 {
		return math.NaN()
	}
	if x, ok := m.Sum.met.value(); ok {
		return x
	}
	return quotient(m.Sum.big(), big.NewInt(m.Count), lowest)
}

// Variance returns the float64 nearest to the mean of the squared distances to the mean; NaN of no numbers.
func (m *Moments) Variance() float64 {
	if m.Count <= 0 || m.Sum.met != 0 || m.Squares.met != 0 {
		return math.NaN()
	}
	// (n·Σx² − (Σx)²)/n², with no rounding before the division.
	n, sum := big.NewInt(m.Count), m.Sum.big()
	squares := new(big.Int).Mul(n, m.Squares.big())
	sum.Mul(sum, sum)
	squares.Lsh(squares, -lowest) // (Σx)² counts multiples of 2^(2·lowest)
	return quotient(squares.Sub(squares, sum), n.Mul(n, n), 2*lowest)
}

// Deviation returns the square root of the variance.
func (m *Moments) Deviation() float64 { return math.Sqrt(m.Variance()) }

// big returns the sum in multiples of 2^lowest.
func (s *Sum) big() *big.Int {
	digits, first, neg := s.magnitude(nil)
	data := make([]byte, 4*len(digits))
	for i, d := range digits {
		at := len(data) - 4*i
		data[at-1], data[at-2], data[at-3], data[at-4] = byte(d), byte(d>>8), byte(d>>16), byte(d>>24)
	}
	x := new(big.Int).SetBytes(data)
	x.Lsh(x, uint(32*first))
	if neg {
		x.Neg(x)
	}
	return x
}

// quotient returns the float64 nearest to a·2^e/b. It changes a.
func quotient(a, b *big.Int, e int) float64 {
	neg := a.Sign() < 0
	a.Abs(a)
	if a.Sign() == 0 {
		return 0
	}
	if up := 66 + b.BitLen() - a.BitLen(); up > 0 { // the quotient has 65 bits at least
		a.Lsh(a, uint(up))
		e -= up
	}
	q, r := a.QuoRem(a, b, new(big.Int))
	down := q.BitLen() - 64
	sticky := r.Sign() != 0 || int(q.TrailingZeroBits()) < down
	x := q.Rsh(q, uint(down)).Uint64()
	if sticky {
		x |= 1
	}
	return round(neg, x, e+down)
}
