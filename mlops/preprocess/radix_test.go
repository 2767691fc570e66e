package preprocess

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestSortIntegers(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(23, 24))
	var room []uint64
	for _, n := range []int{0, 1, 2, 511, 512, 513, 5000} {
		for _, mask := range []uint64{0, 0xff, 0xff00_0000_0000_00ff, 0x00ff_f000_0000_0000, 1<<64 - 1} {
			values := make([]uint64, n)
			for i := range values {
				values[i] = 3<<20 | random.Uint64()&mask
			}
			want := slices.Sorted(slices.Values(values))
			if values, room = sortIntegers(values, room); !slices.Equal(values, want) {
				t.Errorf("%d integers of %x are not sorted", n, mask)
			}
		}
	}
}
