package progress

import (
	"math"
	"math/bits"
)

// Counts is what a job has done so far.
type Counts struct {
	// Tasks. Each is queued, running or done; a task to be run again is queued again. Done includes Failed. Retried counts
	// the times that a task was queued again, and may exceed the number of tasks.
	Queued, Running, Done, Failed, Retried int64
	Resumed                                int64 // tasks among those done whose results an earlier run had kept

	More   bool    // inputs are still coming, so the total is not known
	Lost   int64   // workers that were lost
	Cost   float64 // US dollars so far; 0 where nothing is known to cost
	Copied int64   // requests that were sent to a second worker, since the first was late
}

// sane returns c without negative numbers, so that a slip in somebody's counting shows no nonsense and costs no overflow.
func (c Counts) sane() Counts {
	for _, n := range []*int64{&c.Queued, &c.Running, &c.Done, &c.Failed, &c.Retried, &c.Lost, &c.Copied} {
		*n = max(*n, 0)
	}
	return c
}

// total is the number of tasks known of. It stays at the largest number rather than overflow.
func (c Counts) total() int64 {
	sum := c.Done
	for _, n := range []int64{c.Queued, c.Running} {
		if sum > math.MaxInt64-n {
			return math.MaxInt64
		}
		sum += n
	}
	return sum
}

// bounded reports whether there is a total to measure the job by.
func (c Counts) bounded() bool { return !c.More && c.total() > 0 }

// share returns how many of n parts of a bounded job are done, rounded down: all n only if everything is, however close it
// comes.
func (c Counts) share(n int) int {
	high, low := bits.Mul64(uint64(c.Done), uint64(n))
	parts, _ := bits.Div64(high, low, uint64(c.total()))
	return int(parts)
}
