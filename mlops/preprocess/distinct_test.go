package preprocess

import (
	"bytes"
	"errors"
	"io/fs"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gowren/gowren/serialize"
)

// TestDistinctTravels: an estimate of nothing takes no bytes, and others come as they were.
func TestDistinctTravels(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(25, 26))
	for _, n := range []int{0, 1, 17, distinctKept, distinctKept + 1, 10_000} {
		sent := columnState{Distinct: newDistinct()}
		for range n {
			sent.Distinct.add(random.Uint64())
		}
		data, err := serialize.Marshal(&sent)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 && len(data) > 300 {
			t.Errorf("nothing takes %d bytes", len(data))
		}
		var got columnState
		if err := serialize.Unmarshal(data, &got); err != nil || !bytes.Equal(sentAs(t, got.Distinct), sentAs(t, sent.Distinct)) || got.Distinct.count() != sent.Distinct.count() {
			t.Errorf("of %d values: %v", n, err)
		}
	}
	data, err := serialize.Marshal(&columnState{})
	if err != nil {
		t.Fatal(err)
	}
	var none columnState
	if err := serialize.Unmarshal(data, &none); err != nil || none.Distinct != nil {
		t.Errorf("a column without one has %v (%v)", none.Distinct, err)
	}
	twice := append(append([]byte{sentHashes}, "12345678"...), "12345678"...)
	for _, bad := range [][]byte{{0}, {sentHashes}, {sentRuns}, make([]byte, 9), make([]byte, 1+distinctRegisters), append([]byte{sentRuns}, make([]byte, distinctRegisters-1)...), append([]byte{sentHashes}, make([]byte, 7)...), append([]byte{sentHashes}, make([]byte, 8*(distinctKept+1))...), twice} {
		var d distinct
		if err := d.UnmarshalBinary(bad); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%d bytes: %v", len(bad), err)
		}
	}
}

func sentAs(t *testing.T, d *distinct) []byte {
	t.Helper()
	data, err := d.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestDistinctMerges: parts in any order and of any size come to the same bytes as all at once, on both sides of where the count is
// exact.
func TestDistinctMerges(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(29, 30))
	for _, n := range []int{1, 100, distinctKept - 1, distinctKept, distinctKept + 1, 3 * distinctKept} {
		hashes := []uint64{0}
		for len(hashes) < n {
			hashes = append(hashes, random.Uint64())
		}
		all := newDistinct()
		for _, h := range hashes {
			all.add(h)
		}
		if all.exact() != (n <= distinctKept) || all.exact() && all.count() != float64(n) {
			t.Errorf("%d values: %g, exact %t", n, all.count(), all.exact())
		}
		for range 10 {
			parts := make([]*distinct, 1+random.IntN(5))
			for i := range parts {
				parts[i] = newDistinct()
			}
			for range 3 { // each value several times
				for _, i := range random.Perm(n) {
					parts[random.IntN(1+random.IntN(len(parts)))].add(hashes[i])
				}
			}
			for _, p := range parts[1:] {
				if err := parts[0].merge(p); err != nil {
					t.Fatal(err)
				}
			}
			if !bytes.Equal(sentAs(t, parts[0]), sentAs(t, all)) {
				t.Errorf("%d values in %d parts: %g, and at once %g", n, len(parts), parts[0].count(), all.count())
			}
		}
	}
}

// TestDistinctNumbers: many numbers at once are what each of them by itself is; zeros are one, and NaN none.
func TestDistinctNumbers(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(27, 28))
	values := []float64{0, math.Copysign(0, -1), math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64}
	for range 50_000 {
		values = append(values, random.NormFloat64())
	}
	got, want := newDistinct(), newDistinct()
	got.addNumbers(values)
	for _, x := range values {
		if x == x {
			want.add(mix(math.Float64bits(x + 0)))
		}
	}
	if !bytes.Equal(sentAs(t, got), sentAs(t, want)) {
		t.Errorf("%g, and one by one %g", got.count(), want.count())
	}
}
