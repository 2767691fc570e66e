package preprocess

import (
	"fmt"
	"io/fs"
	"math"
	"math/bits"
)

// distinct estimates how many different values there were, by HyperLogLog: of hashes that begin alike, it keeps the longest
// run of zeros that followed. It merges to the byte, in any order, and is 4 KiB whatever it has seen: a library that begins
// sparse would depend on when it became dense. The standard error is 1.6 %.
type distinct []byte

const (
	distinctBits      = 12
	distinctRegisters = 1 << distinctBits
)

func newDistinct() distinct { return make(distinct, distinctRegisters) }

// MarshalBinary writes nothing for what has seen nothing: all tasks are told so.
func (d distinct) MarshalBinary() ([]byte, error) {
	for _, run := range d {
		if run != 0 {
			return d, nil
		}
	}
	return nil, nil
}

// UnmarshalBinary reads what MarshalBinary wrote.
func (d *distinct) UnmarshalBinary(data []byte) error {
	*d = newDistinct()
	if n := copy(*d, data); n != len(data) || n != 0 && n != distinctRegisters {
		return fmt.Errorf("preprocess: an estimate of distinct values of %d bytes: %w", len(data), fs.ErrInvalid)
	}
	return nil
}

// add takes the hash of a value.
func (d distinct) add(hash uint64) {
	run := byte(runOf(hash))
	if at := hash >> (64 - distinctBits); run > d[at] {
		d[at] = run
	}
}

// addNumbers adds the hashes of numbers, and passes over NaN. The longer run is chosen and not jumped for, as an int: which one it
// is the processor would guess wrong, and bytes it cannot choose between.
func (d distinct) addNumbers(values []float64) {
	runs := (*[distinctRegisters]byte)(d)
	for _, x := range values {
		if x != x {
			continue
		}
		hash := mix(math.Float64bits(x + 0)) // zeros have no sign
		at := hash >> (64 - distinctBits)
		run := int(runs[at])
		if r := runOf(hash); r > run {
			run = r
		}
		runs[at] = byte(run)
	}
}

// runOf returns the length of the run of zeros in a hash, and of the one that ends it.
func runOf(hash uint64) int { return bits.LeadingZeros64(hash<<distinctBits|1<<(distinctBits-1)) + 1 }

func (d distinct) merge(o distinct) error {
	if len(d) != len(o) {
		return errOther
	}
	for i, run := range o {
		d[i] = max(d[i], run)
	}
	return nil
}

// count is the estimator of O. Ertl, "New cardinality estimation algorithms for HyperLogLog sketches" (2017), which is good
// from no values on.
func (d distinct) count() float64 {
	const q, m = 64 - distinctBits, float64(distinctRegisters)
	var with [q + 2]float64 // registers by their run
	for _, run := range d {
		with[min(run, q+1)]++
	}
	z := m * ertlTau(1-with[q+1]/m)
	for k := q; k >= 1; k-- {
		z = .5 * (z + with[k])
	}
	z += m * ertlSigma(with[0]/m)
	return m * m / (2 * math.Ln2 * z)
}

func ertlSigma(x float64) float64 {
	if x == 1 {
		return math.Inf(1)
	}
	y, z := 1., x
	for last := -1.; z != last; y += y {
		x *= x
		last, z = z, z+x*y
	}
	return z
}

func ertlTau(x float64) float64 {
	if x == 0 || x == 1 {
		return 0
	}
	y, z := 1., 1-x
	for last := -1.; z != last; {
		x = math.Sqrt(x)
		y *= .5
		last, z = z, z-(1-x)*(1-x)*y
	}
	return z / 3
}
