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
	for _, n := range []int{0, 1, 10_000} {
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
		if err := serialize.Unmarshal(data, &got); err != nil || !bytes.Equal(got.Distinct, sent.Distinct) {
			t.Errorf("of %d values: %v", n, err)
		}
	}
	data, err := serialize.Marshal(&columnState{})
	if err != nil {
		t.Fatal(err)
	}
	var none columnState
	if err := serialize.Unmarshal(data, &none); err != nil || none.Distinct != nil {
		t.Errorf("that of a column without one has %d bytes (%v)", len(none.Distinct), err)
	}
	for _, size := range []int{1, distinctRegisters - 1, distinctRegisters + 1} {
		var d distinct
		if err := d.UnmarshalBinary(make([]byte, size)); !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("%d bytes: %v", size, err)
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
	if !bytes.Equal(got, want) {
		t.Errorf("%g, and one by one %g", got.count(), want.count())
	}
}
