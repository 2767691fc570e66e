package times

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestQuantiles holds them against sorted durations: none is off by more than a quarter.
func TestQuantiles(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 2, 10, 1000} {
		var h, one, other Histogram
		var all []time.Duration
		for i := range n {
			d := time.Duration(math.Exp(r.Float64() * 40))
			all = append(all, d)
			h.Add(d)
			if i%2 == 0 {
				one.Add(d)
			} else {
				other.Add(d)
			}
		}
		slices.Sort(all)
		one.Merge(&other)
		if one != h || h.N() != int64(n) {
			t.Errorf("%d: merged halves are not the whole", n)
		}
		for _, q := range []float64{0, 0.01, 0.5, 0.9, 0.99, 1} {
			want := all[max(int(math.Ceil(q*float64(n)))-1, 0)]
			if got := h.Quantile(q); got < want || float64(got) > 1.25*float64(want)+1 {
				t.Errorf("%d: quantile %v is %v, want %v", n, q, got, want)
			}
		}
		sum, last := int64(0), time.Duration(-1)
		for d, n := range h.All() {
			if d <= last {
				t.Errorf("%v follows %v", d, last)
			}
			sum, last = sum+n, d
		}
		if sum != int64(n) {
			t.Errorf("%d of %d are in buckets", sum, n)
		}
	}
}

func TestBuckets(t *testing.T) {
	t.Parallel()
	for _, d := range []time.Duration{math.MinInt64, -1, 0, 1, 2, 3, 4, 5, 7, 8, 9, 1023, 1024, 1 << 40, math.MaxInt64 - 1, math.MaxInt64} {
		b := bucket(d)
		if b < 0 || b >= buckets || most(b) < d || d > 0 && b > 0 && most(b-1) >= d {
			t.Errorf("%d is in bucket %d, up to %d", d, b, most(b))
		}
	}
	if (&Histogram{}).Quantile(0.5) != 0 {
		t.Error("an empty one has a median")
	}
}

// FuzzDecode: what is decoded is what is encoded again, and nothing else is taken.
func FuzzDecode(f *testing.F) {
	var h Histogram
	f.Add(h.Append(nil))
	for i := range 100 {
		h.Add(time.Duration(i * i * i))
	}
	f.Add(h.Append(nil))
	f.Add(append(h.Append(nil), 1, 2, 3))
	f.Add([]byte{255, 255, 255, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		var h, again Histogram
		rest, err := h.Decode(data)
		if err != nil {
			return
		}
		encoded := h.Append(nil)
		left, err := again.Decode(append(slices.Clone(encoded), rest...))
		if err != nil || again != h || !bytes.Equal(left, rest) {
			t.Errorf("%v, %d bytes of %d", err, len(left), len(rest))
		}
	})
}
