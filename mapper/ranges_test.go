package mapper

import "testing"

// TestRangesOf: as many ranges as there are workers for, unless reading would cost more than it must.
func TestRangesOf(t *testing.T) {
	const mb, gb = 1 << 20, 1 << 30
	for _, c := range []struct{ total, runs, slots, want int64 }{
		{0, 0, 4, 1},
		{100_000, 3, 4, 1},
		{3 * mb, 2, 4, 3},
		{100 * mb, 4, 4, 4},
		{gb, 16, 2, 16},
		{100 * gb, 1600, 2, 128},    // 64 MB each: half a megabyte of each for each range
		{100 * gb, 6400, 1000, 32},  // small runs
		{100 * gb, 100, 1000, 1600}, // large ones
		{10 * mb, 10_000, 1000, 1},  // runs so small that one range is best
	} {
		if got := rangesOf(c.total, c.runs, c.slots); got != c.want {
			t.Errorf("%d bytes in %d runs for %d workers: %d ranges, want %d", c.total, c.runs, c.slots, got, c.want)
		}
	}
}
