package sched

import "math"

// spread is a histogram of positive numbers by their size, in bounded memory: a number is known to a ninth of it.
type spread struct {
	n       int
	buckets [spreadBuckets]int32
}

const (
	spreadSteps   = 6                // buckets for each doubling
	spreadLeast   = -20              // the power of two of the first one
	spreadBuckets = 48 * spreadSteps // up to 2^28
)

func (s *spread) add(x float64) {
	i := 0
	if x > 0 {
		i = int((math.Log2(x) - spreadLeast) * spreadSteps)
	}
	s.buckets[min(max(i, 0), spreadBuckets-1)]++
	s.n++
}

// quantile returns a number that a share q of the others is not above; 0 where there is none.
func (s *spread) quantile(q float64) float64 {
	if s.n == 0 {
		return 0
	}
	left := int(math.Ceil(q * float64(s.n)))
	for i, n := range s.buckets {
		if left -= int(n); left <= 0 {
			return math.Exp2(float64(i+1)/spreadSteps + spreadLeast)
		}
	}
	return math.Exp2(spreadBuckets/spreadSteps + spreadLeast)
}
