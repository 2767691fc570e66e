package preprocess

import (
	"encoding/binary"
	"fmt"
	"io/fs"
	"math"
	"math/bits"
	"slices"
)

// distinct counts how many different values there were: exactly while those are few, of which it keeps all hashes, and beyond by
// HyperLogLog: of hashes that begin alike, it keeps the longest run of zeros that followed, with a standard error of 1.6 %. The
// runs are those of all hashes, whenever there were too many to keep, so that it merges to the byte, in any order. It takes up to
// 16 KiB, and up to 8 KiB where it is sent.
type distinct struct {
	kept []uint64 // hashes in a table that is at most half full; 0 is a free place
	zero bool     // the hash that is 0 is one of them
	n    int      // how many are kept
	runs []byte   // nil while all are kept
}

const (
	distinctKept      = 1024
	distinctBits      = 12
	distinctRegisters = 1 << distinctBits
)

func newDistinct() *distinct { return &distinct{} }

// exact reports whether count is no estimate.
func (d *distinct) exact() bool { return d.runs == nil }

// hashes yields those that are kept, in no order.
func (d *distinct) hashes(yield func(uint64) bool) {
	if d.zero && !yield(0) {
		return
	}
	for _, hash := range d.kept {
		if hash != 0 && !yield(hash) {
			return
		}
	}
}

// What is sent begins with a byte that says what follows. It is nothing for what has seen nothing, for all tasks are told so.
const (
	sentHashes = 1 // in order
	sentRuns   = 2
)

// MarshalBinary writes the same for the same values, in whatever order they came.
func (d *distinct) MarshalBinary() ([]byte, error) {
	switch {
	case d.runs != nil:
		return append([]byte{sentRuns}, d.runs...), nil
	case d.n == 0:
		return nil, nil
	}
	data := []byte{sentHashes}
	for _, hash := range slices.Sorted(d.hashes) {
		data = binary.LittleEndian.AppendUint64(data, hash)
	}
	return data, nil
}

// UnmarshalBinary reads what MarshalBinary wrote.
func (d *distinct) UnmarshalBinary(data []byte) error {
	*d = distinct{}
	switch n := len(data) - 1; {
	case n < 0:
		return nil
	case data[0] == sentRuns && n == distinctRegisters:
		d.runs = slices.Clone(data[1:])
		return nil
	case data[0] == sentHashes && n > 0 && n%8 == 0 && n/8 <= distinctKept:
		for at := 1; at < len(data); at += 8 {
			d.add(binary.LittleEndian.Uint64(data[at:]))
		}
		if d.n == n/8 {
			return nil
		}
	}
	return fmt.Errorf("preprocess: a count of distinct values of %d bytes: %w", len(data), fs.ErrInvalid)
}

// add takes the hash of a value.
func (d *distinct) add(hash uint64) {
	if d.runs != nil {
		run := byte(runOf(hash))
		if at := hash >> (64 - distinctBits); run > d.runs[at] {
			d.runs[at] = run
		}
		return
	}
	if hash == 0 {
		if !d.zero {
			d.zero = true
			d.grow()
		}
		return
	}
	if len(d.kept) == 0 {
		d.kept = make([]uint64, 16)
	}
	at := d.place(hash)
	if d.kept[at] == hash {
		return
	}
	d.kept[at] = hash
	d.grow()
}

// place returns where in the table a hash is, or would be.
func (d *distinct) place(hash uint64) int {
	mask := len(d.kept) - 1
	at := int(hash) & mask
	for d.kept[at] != 0 && d.kept[at] != hash {
		at = (at + 1) & mask
	}
	return at
}

// grow is after there is one hash more.
func (d *distinct) grow() {
	if d.n++; d.n > distinctKept {
		d.estimate()
		return
	}
	if 2*d.n <= len(d.kept) {
		return
	}
	old := d.kept
	d.kept = make([]uint64, max(2*len(old), 16))
	for _, hash := range old {
		if hash != 0 {
			d.kept[d.place(hash)] = hash
		}
	}
}

// estimate goes over to runs.
func (d *distinct) estimate() {
	if d.runs != nil {
		return
	}
	all := *d
	*d = distinct{runs: make([]byte, distinctRegisters)}
	all.hashes(func(hash uint64) bool {
		d.add(hash)
		return true
	})
}

// addNumbers adds the hashes of numbers, and passes over NaN. The longer run is chosen and not jumped for, as an int: which one it
// is the processor would guess wrong, and bytes it cannot choose between.
func (d *distinct) addNumbers(values []float64) {
	for d.runs == nil {
		if len(values) == 0 {
			return
		}
		if x := values[0]; x == x {
			d.add(mix(math.Float64bits(x + 0)))
		}
		values = values[1:]
	}
	runs := (*[distinctRegisters]byte)(d.runs)
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

func (d *distinct) merge(o *distinct) error {
	if (d == nil) != (o == nil) {
		return errOther
	}
	if d == nil {
		return nil
	}
	if o.runs == nil {
		o.hashes(func(hash uint64) bool {
			d.add(hash)
			return true
		})
		return nil
	}
	d.estimate()
	for i, run := range o.runs {
		d.runs[i] = max(d.runs[i], run)
	}
	return nil
}

// count is of all where they are kept, or else the estimator of O. Ertl, "New cardinality estimation algorithms for HyperLogLog
// sketches" (2017), which is good from no values on.
func (d *distinct) count() float64 {
	if d.runs == nil {
		return float64(d.n)
	}
	const q, m = 64 - distinctBits, float64(distinctRegisters)
	var with [q + 2]float64 // registers by their run
	for _, run := range d.runs {
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
