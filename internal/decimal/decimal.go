// Package decimal reads decimal numbers out of text, as strconv.ParseFloat does, to the bit, and about as fast as a loop by hand.
package decimal

import (
	"encoding/binary"
	"math"
	"math/bits"
	"strconv"
)

// Parse returns the float64 nearest to the decimal number that b is, as strconv.ParseFloat does: "-1", "+.5", "1.", "1.5e-3".
// It is false for all else, also for what ParseFloat takes besides: infinities, NaN, hexadecimal numbers and underscores. What
// is too large is an infinity, and true.
func Parse(b []byte) (float64, bool) {
	x, n := Prefix(b)
	return x, n == len(b) && n > 0
}

// exact powers of ten: a float64 holds them all.
var powers = [23]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// integers are the powers of ten that digits are moved by.
var integers = [9]uint64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8}

// Prefix is [Parse] of the longest decimal number that b begins with, and its length; 0 where b begins with none.
func Prefix(b []byte) (float64, int) {
	if len(b) == 0 {
		return 0, 0
	}
	var neg uint64 // a number, and not a condition: signs come at random, and the processor would guess wrong
	if b[0] == '-' {
		neg = 1
	}
	i := int(neg)
	if b[0] == '+' {
		i = 1
	}
	var m uint64 // the digits, without the point: overflows where there are more than 19
	begin := i
	for i < len(b) && b[i]-'0' < 10 {
		m = m*10 + uint64(b[i]-'0')
		i++
	}
	count, exp := i-begin, 0
	if i < len(b) && b[i] == '.' {
		i++
		point := i
		for i+8 <= len(b) {
			x, n := eight(b[i : i+8])
			m = m*integers[n] + x
			if i += n; i == len(b) || b[i]-'0' >= 10 { // as to eight digits or fewer, the processor would guess wrong more often
				break
			}
		}
		for i < len(b) && b[i]-'0' < 10 { // near the end of b
			m = m*10 + uint64(b[i]-'0')
			i++
		}
		exp = point - i
		count -= exp
	}
	if count == 0 {
		return 0, 0
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		var e int
		if e, i = exponent(b, i); e != 0 {
			exp += e
		}
	}
	// As long as the digits and the power of ten are float64 numbers themselves, the one operation rounds as it must.
	if count > 19 || m > 1<<53 || exp > 22 || exp < -22 {
		x, _ := strconv.ParseFloat(string(b[:i]), 64) // an infinity, where it is out of range
		return x, i
	}
	x := float64(m)
	if exp < 0 {
		x /= powers[-exp]
	} else {
		x *= powers[exp]
	}
	return math.Float64frombits(math.Float64bits(x) ^ neg<<63), i
}

// eight reads the digits that 8 bytes begin with. It returns their value and how many they are.
func eight(b []byte) (uint64, int) {
	const (
		zeros = 0x3030303030303030
		above = 0x7676767676767676 // brings what is more than 9 to 128 or more
		high  = 0x8080808080808080
	)
	d := binary.LittleEndian.Uint64(b) ^ zeros
	n := bits.TrailingZeros64(((d+above)|d)&high) >> 3
	d <<= (64 - 8*uint(n)) & 127    // those behind the digits go, and zeros come before them
	d = d*10 + d>>8                 // in each second byte, two digits
	lower := d & 0x000000ff000000ff // the 1st and 2nd, 5th and 6th
	upper := d >> 16 & 0xff000000ff // the 3rd and 4th, 7th and 8th
	const p, q = 1e6<<32 + 100, 1e4<<32 + 1
	return (lower*p + upper*q) >> 32, n
}

// exponent reads what begins with an e at i. Without digits it is none, and the number ends before it.
func exponent(b []byte, i int) (e, end int) {
	at := i + 1
	neg := false
	if at < len(b) && (b[at] == '-' || b[at] == '+') {
		neg = b[at] == '-'
		at++
	}
	begin := at
	for ; at < len(b) && b[at]-'0' < 10; at++ {
		if e < 10000 { // beyond all that the digits can make up for: strconv decides
			e = e*10 + int(b[at]-'0')
		}
	}
	if at == begin {
		return 0, i
	}
	if neg {
		e = -e
	}
	return e, at
}
