package dataset

import (
	"math"
	"slices"
	"testing"
)

// TestRandomStays holds the numbers that orders are made of: who goes on after a crash may do so with a later build.
func TestRandomStays(t *testing.T) {
	t.Parallel()
	items := []uint32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	randomOf(7, 3, 0).shuffle(items)
	if want := []uint32{2, 7, 4, 3, 1, 6, 8, 5, 0, 9}; !slices.Equal(items, want) {
		t.Errorf("%v, want %v", items, want)
	}
	if scatter(golden) != 0xe220a8397b1dcdaf { // the first number of splitmix64 from seed 0
		t.Errorf("%x", scatter(golden))
	}
}

// TestShuffleEven has each item in each place about as often.
func TestShuffleEven(t *testing.T) {
	t.Parallel()
	const n, rounds = 12, 24_000
	var seen [n][n]float64
	for seed := range uint64(rounds / 2) {
		for epoch := range uint64(2) {
			items := make([]uint32, n)
			for i := range items {
				items[i] = uint32(i)
			}
			randomOf(seed, epoch, 1).shuffle(items)
			for place, item := range items {
				seen[place][item]++
			}
		}
	}
	square, each := 0.0, float64(rounds/n)
	for _, row := range seen {
		for _, times := range row {
			square += (times - each) * (times - each) / each
		}
	}
	free := float64((n - 1) * (n - 1))
	if math.Abs(square-free) > 5*math.Sqrt(2*free) {
		t.Errorf("chi square of %.0f with %.0f degrees of freedom", square, free)
	}
}

// TestShare has no row twice and none left out, and equal shares.
func TestShare(t *testing.T) {
	t.Parallel()
	for _, n := range []int64{0, 1, 2, 7, 100, math.MaxInt64 / 2} {
		for _, world := range []int{1, 2, 3, 7, 101} {
			next := int64(0)
			for rank := range world {
				rows, before := share(n, rank, world)
				if before != next || rows < n/int64(world) || rows > n/int64(world)+1 {
					t.Fatalf("rank %d of %d has %d of %d rows from %d on", rank, world, rows, n, before)
				}
				next += rows
			}
			if next != n {
				t.Fatalf("%d ranks have %d of %d rows", world, next, n)
			}
		}
	}
}
