package mapper_test

import (
	"context"
	"iter"
	"slices"
	"testing"

	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/mapper/mappertest"
)

// keptEmit emits from one buffer, which it fills anew each time, and one value under two keys.
func keptEmit(_ context.Context, n int, emit func(string, []float64)) error {
	buf, one := make([]float64, 2, 10), []float64{1, 1}
	for i := range n {
		buf[0], buf[1] = 1, float64(i)
		emit("buffer", buf)
		emit("left", one)
		if i%2 == 0 {
			emit("right", one)
		}
	}
	return nil
}

// addTo changes its first argument, as a Combine may.
func addTo(a, b []float64) []float64 {
	for i := range b {
		a[i] += b[i]
	}
	return a
}

func keptReduce(_ context.Context, _ string, values iter.Seq[[]float64]) ([]float64, error) {
	all := slices.Collect(values) // they must not be one another's memory either
	sum := []float64{0, 0}
	for _, v := range all {
		sum = addTo(sum, v)
	}
	return sum, nil
}

var (
	keptEmitter = mapper.Emit("kept-emit", keptEmit)
	keptPlain   = mapper.ReduceByKey("kept-plain", keptReduce)
	keptFolded  = mapper.ReduceByKey("kept-folded", keptReduce).Combine(addTo)
)

// TestEmitKeepsNothing: who emits may use a value's memory again, with a Combine and without, though it changes values in
// place.
func TestEmitKeepsNothing(t *testing.T) {
	t.Parallel()
	for name, r := range map[string]mapper.Reducer[string, []float64, []float64]{"plain": keptPlain, "folded": keptFolded} {
		got, err := mapper.MapReduceByKey(t.Context(), mappertest.New(t), keptEmitter, r, []int{10, 0, 20})
		if err != nil {
			t.Fatal(err)
		}
		want := []mapper.Pair[string, []float64]{
			{Key: "buffer", Value: []float64{30, 45 + 190}}, {Key: "left", Value: []float64{30, 30}}, {Key: "right", Value: []float64{15, 15}},
		}
		t.Log(name)
		samePairs(t, got, want)
	}
}
