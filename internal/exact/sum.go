package exact

import (
	"math"
	"math/bits"
)

// A sum is a multiple of 2^lowest, the lowest bit of the square of the smallest number.
const lowest = -2148

// most is how many values may be added to chunks before carries must move: each adds less than 2^32.
const most = 1 << 30

// Sum is an exact sum of float64 numbers and of products of two. The zero value is an empty sum.
//
// A copy by value shares memory with what it was copied from, so that only one of the two may be used from then on; a copy that
// is used beside it is an empty sum that has [Sum.Merge]d it. One goroutine uses a sum at a time, also to read it, for that moves
// carries.
type Sum struct {
	chunks []int64 // of 32 bits and their carries, the lowest first
	first  int32   // which chunk chunks[0] is: it counts multiples of 2^(lowest+32*first)
	added  uint32  // additions since carries moved
	met    special
}

// special are what cannot be summed up, and were met.
type special uint8

const (
	metNaN special = 1 << iota
	metInf
	metNegInf
)

func (s special) value() (float64, bool) {
	switch s {
	case 0:
		return 0, false
	case metInf:
		return math.Inf(1), true
	case metNegInf:
		return math.Inf(-1), true
	}
	return math.NaN(), true // infinities of both signs, too
}

func specialOf(x float64) special {
	switch {
	case x > math.MaxFloat64:
		return metInf
	case x < -math.MaxFloat64:
		return metNegInf
	}
	return metNaN
}

// split returns a number as ±m·2^(e-1075), e at least 1. It is false for NaN and infinities.
func split(x float64) (m uint64, e int, neg, ok bool) {
	b := math.Float64bits(x)
	m, e = b&(1<<52-1), int(b>>52&0x7ff)
	switch e {
	case 0x7ff:
		return 0, 0, false, false
	case 0:
		e = 1
	default:
		m |= 1 << 52
	}
	return m, e, b>>63 != 0, true
}

// Add adds a number. NaN and infinities make of the sum what they make of any sum.
func (s *Sum) Add(x float64) {
	m, e, neg, ok := split(x)
	if !ok {
		s.met |= specialOf(x)
		return
	}
	s.add(0, m, e-1075-lowest, neg)
}

// AddSquare adds x·x, all of its bits.
func (s *Sum) AddSquare(x float64) { s.AddProduct(x, x) }

// AddProduct adds x·y, all of its bits.
func (s *Sum) AddProduct(x, y float64) {
	m, e, neg, ok := split(x)
	n, f, minus, fine := split(y)
	if !ok || !fine {
		s.met |= specialOf(x * y)
		return
	}
	hi, lo := bits.Mul64(m, n)
	s.add(hi, lo, e+f-2150-lowest, neg != minus)
}

// add adds or subtracts the integer hi, lo at bit pos.
func (s *Sum) add(hi, lo uint64, pos int, neg bool) {
	if hi|lo == 0 {
		return
	}
	if s.added++; s.added >= most {
		s.carry()
	}
	// The integer is moved by up to 31 bits, to the beginning of a chunk.
	at, by := pos>>5, uint(pos&31)
	top := hi >> (64 - by) // 0 where by is 0
	hi = hi<<by | lo>>(64-by)
	lo <<= by
	sign := int64(1)
	if neg {
		sign = -1
	}
	switch {
	case hi|top == 0:
		c := s.room(at, 2)
		c[0] += sign * int64(lo&0xffffffff)
		c[1] += sign * int64(lo>>32)
	case top == 0:
		c := s.room(at, 4)
		c[0] += sign * int64(lo&0xffffffff)
		c[1] += sign * int64(lo>>32)
		c[2] += sign * int64(hi&0xffffffff)
		c[3] += sign * int64(hi>>32)
	default:
		c := s.room(at, 5)
		c[0] += sign * int64(lo&0xffffffff)
		c[1] += sign * int64(lo>>32)
		c[2] += sign * int64(hi&0xffffffff)
		c[3] += sign * int64(hi>>32)
		c[4] += sign * int64(top)
	}
}

// room returns n chunks from one on.
func (s *Sum) room(at, n int) []int64 {
	from := at - int(s.first)
	if from >= 0 && from+n <= len(s.chunks) {
		return s.chunks[from : from+n]
	}
	return s.grow(at, n)
}

func (s *Sum) grow(at, n int) []int64 {
	if len(s.chunks) == 0 {
		s.first = int32(at)
	}
	low := min(at, int(s.first))
	high := max(at+n, int(s.first)+len(s.chunks))
	if low < int(s.first) || cap(s.chunks) < high-low {
		chunks := make([]int64, high-low)
		copy(chunks[int(s.first)-low:], s.chunks)
		s.chunks, s.first = chunks, int32(low)
	} else {
		old := len(s.chunks)
		s.chunks = s.chunks[:high-low]
		clear(s.chunks[old:])
	}
	return s.chunks[at-low : at-low+n]
}

// carry leaves in each chunk 32 bits, and in the last one what is above them, with the sign.
func (s *Sum) carry() {
	s.added = 0
	if len(s.chunks) == 0 {
		return
	}
	last := len(s.chunks) - 1
	for i := range last {
		s.chunks[i+1] += s.chunks[i] >> 32
		s.chunks[i] &= 0xffffffff
	}
	if over := s.chunks[last] >> 32; over != 0 && over != -1 {
		s.chunks[last] &= 0xffffffff
		s.room(int(s.first)+last+1, 1)[0] = over
	}
}

// Merge adds another sum, which stays as it is.
func (s *Sum) Merge(o *Sum) {
	s.met |= o.met
	if len(o.chunks) == 0 {
		return
	}
	other := Sum{chunks: append([]int64(nil), o.chunks...), first: o.first}
	other.carry()
	s.carry()
	c := s.room(int(other.first), len(other.chunks))
	for i, x := range other.chunks {
		c[i] += x
	}
	s.added++
}

// Float64 returns the number nearest to the sum, the even one of two; an infinity where it is too large. A zero is +0: of an
// empty sum, of zeros of any sign, and of a sum that zero is nearest to.
func (s *Sum) Float64() float64 {
	if x, ok := s.met.value(); ok {
		return x
	}
	digits, first, neg := s.magnitude(nil)
	if len(digits) == 0 {
		return 0
	}
	var top [3]uint32 // the highest first
	n := len(digits)
	for i := range top {
		if i < n {
			top[i] = digits[n-1-i]
		}
	}
	z := uint(bits.LeadingZeros32(top[0]))
	hi := uint64(top[0])<<32 | uint64(top[1])
	x := hi<<z | uint64(top[2])<<z>>32
	rest := uint32(uint64(top[2]) << z)
	for i := 0; i < n-3 && rest == 0; i++ {
		rest = digits[i]
	}
	if rest != 0 {
		x |= 1
	}
	return round(neg, x, lowest+32*(first+n-2)-int(z))
}

// magnitude returns the sum without its sign, in digits of 32 bits, the lowest first, none of which is zero at either end. It
// appends them to buf.
func (s *Sum) magnitude(buf []uint32) (digits []uint32, first int, neg bool) {
	s.carry()
	first = int(s.first)
	if n := len(s.chunks); n > 0 && s.chunks[n-1] < 0 {
		neg = true
	}
	begin := len(buf)
	var over int64
	for _, c := range s.chunks {
		if neg {
			c = -c
		}
		c += over
		buf = append(buf, uint32(c))
		over = c >> 32
	}
	for ; over != 0; over >>= 32 {
		buf = append(buf, uint32(over))
	}
	for len(buf) > begin && buf[len(buf)-1] == 0 {
		buf = buf[:len(buf)-1]
	}
	skip := begin
	for skip < len(buf) && buf[skip] == 0 {
		skip++
	}
	first += skip - begin
	if skip == len(buf) {
		return buf[:begin], 0, false
	}
	return append(buf[:begin], buf[skip:]...), first, neg
}

// round returns the float64 nearest to ±x·2^e; a zero is +0. The highest bit of x is set, and its lowest stands for all bits below it, too.
func round(neg bool, x uint64, e int) float64 {
	drop := max(11, -1074-e) // the lower bits that a float64 of that size does not have
	if drop > 64 {
		x, drop = 0, 64
	}
	kept := x >> drop
	half, rest := uint64(1)<<63, x<<(64-drop)
	if rest > half || rest == half && kept&1 == 1 {
		kept++
	}
	f := math.Ldexp(float64(kept), e+drop)
	if neg && f != 0 {
		f = -f
	}
	return f
}
