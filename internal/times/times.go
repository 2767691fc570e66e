// Package times counts durations by their size, in bounded memory.
package times

import (
	"encoding/binary"
	"errors"
	"iter"
	"math"
	"math/bits"
	"time"
)

// Histogram counts durations: each is known to a quarter of the power of two below it. The zero value is empty.
type Histogram struct {
	n       int64
	buckets [buckets]int64
}

const (
	steps   = 4 // buckets for each doubling
	buckets = 64 * steps
)

func bucket(d time.Duration) int {
	if d <= 0 {
		return 0
	}
	size := bits.Len64(uint64(d))
	if size < 3 { // exactly
		return int(d)
	}
	return size*steps + int(d>>(size-3))&(steps-1)
}

// most is the largest duration in a bucket.
func most(bucket int) time.Duration {
	if bucket < 3*steps {
		return time.Duration(min(bucket, 3))
	}
	size, sub := bucket/steps, bucket%steps
	return time.Duration(uint64(steps+sub+1)<<(size-3) - 1)
}

// Add counts a duration. One that is negative counts as none.
func (h *Histogram) Add(d time.Duration) {
	h.n++
	h.buckets[bucket(d)]++
}

// N returns how many were counted.
func (h *Histogram) N() int64 { return h.n }

// Merge counts what another has counted.
func (h *Histogram) Merge(other *Histogram) {
	h.n += other.n
	for i, n := range other.buckets {
		h.buckets[i] += n
	}
}

// Quantile returns a duration that a share q of all is not above, of which it is the next that is known; 0 where there is
// none.
func (h *Histogram) Quantile(q float64) time.Duration {
	left := max(int64(math.Ceil(q*float64(h.n))), 1)
	for i, n := range h.buckets {
		if left -= n; left <= 0 {
			return most(i)
		}
	}
	return 0
}

// All yields how many durations are above the one before and not above each, in order, for those that have any.
func (h *Histogram) All() iter.Seq2[time.Duration, int64] {
	return func(yield func(time.Duration, int64) bool) {
		for i, n := range h.buckets {
			if n > 0 && !yield(most(i), n) {
				return
			}
		}
	}
}

// Append appends an encoding: how many buckets are not empty, and for each the distance from the one before and its count.
func (h *Histogram) Append(dst []byte) []byte {
	filled := 0
	for _, n := range h.buckets {
		if n > 0 {
			filled++
		}
	}
	dst = binary.AppendUvarint(dst, uint64(filled))
	last := 0
	for i, n := range h.buckets {
		if n > 0 {
			dst = binary.AppendUvarint(dst, uint64(i-last))
			dst = binary.AppendUvarint(dst, uint64(n))
			last = i
		}
	}
	return dst
}

// ErrCorrupt is that of an encoding which Append did not make.
var ErrCorrupt = errors.New("times: a corrupt histogram")

// Decode takes an encoding off the front of data, in place of what h had counted, and returns the rest.
func (h *Histogram) Decode(data []byte) ([]byte, error) {
	*h = Histogram{}
	next := func() uint64 {
		v, n := binary.Uvarint(data)
		if n <= 0 {
			data = nil
			return math.MaxUint64
		}
		data = data[n:]
		return v
	}
	filled := next()
	if filled > buckets {
		return nil, ErrCorrupt
	}
	at := uint64(0)
	for i := range filled {
		step, n := next(), next()
		if at += step; step > buckets || at >= buckets || n == 0 || n > math.MaxInt64/buckets || i > 0 && step == 0 {
			return nil, ErrCorrupt
		}
		h.buckets[at] = int64(n)
		h.n += int64(n)
	}
	return data, nil
}
