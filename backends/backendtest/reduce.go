package backendtest

import (
	"context"
	"fmt"
	"iter"
	"math"
	"testing"

	"github.com/gowren/gowren/mapper"
)

// reduceCases: a reduction sees every result once, in order, and is the same for every batching and on every backend.
var reduceCases = []testCase{
	{name: "reduce/in order", run: func(t *testing.T, h *harness) {
		for _, n := range []int{1, 2, 17, 700} {
			for _, size := range []int{1, 30, 1000} {
				if size == 1 && n > 17 {
					continue
				}
				got, err := mapper.MapReduce(t.Context(), h.executor(t, mapper.Options{BatchSize: size}), echo, inOrder, ints(n))
				if err != nil || got != n {
					t.Errorf("%d inputs in batches of %d: %d, %v", n, size, got, err)
				}
			}
		}
		h.wantEmpty(t)
	}},
	{name: "reduce/large values", run: func(t *testing.T, h *harness) {
		sizes := []int{0, 2 << 20, 10, 3 << 20, 1 << 20, 5}
		sum := 0
		for _, n := range sizes {
			sum += n
		}
		ex := h.executor(t, mapper.Options{BatchSize: 2})
		got, err := mapper.MapReduce(t.Context(), ex, blob, blobSizes, sizes)
		if err != nil || got != sum {
			t.Errorf("reduced to %d, %v, want %d", got, err, sum)
		}
		all, err := mapper.MapReduce(t.Context(), ex, blob, blobJoin, sizes)
		if err != nil || len(all) != sum {
			t.Errorf("combined to %d bytes, %v, want %d", len(all), err, sum)
		}
		h.wantEmpty(t)
	}},
	{name: "reduce/same to the bit", run: func(t *testing.T, h *harness) {
		want := foldFloats(1000)
		for _, size := range []int{0, 1, 7, 1000} {
			got, err := mapper.MapReduce(t.Context(), h.executor(t, mapper.Options{BatchSize: size}), float, floatSum, ints(1000))
			if err != nil || math.Float64bits(got) != math.Float64bits(want) {
				t.Errorf("batches of %d: %x, %v, want %x", size, math.Float64bits(got), err, math.Float64bits(want))
			}
		}
	}},
	{name: "reduce/failure", run: func(t *testing.T, h *harness) {
		_, err := mapper.MapReduce(t.Context(), h.executor(t, mapper.Options{ContinueOnError: true}), echo, inOrder, []int{0, 1, 5})
		if err == nil {
			t.Error("a reduction that fails is no error")
		}
		if _, err = mapper.MapReduce(t.Context(), h.executor(t, mapper.Options{}), echo, inOrder, nil); err == nil {
			t.Error("a reduction of nothing is no error")
		}
	}},
}

// foldFloats folds as the tree that mapper.Combine documents: runs of 16 neighbours, then their results likewise.
func foldFloats(n int) float64 {
	values := make([]float64, n)
	for i := range values {
		values[i] = floatOf(i)
	}
	for len(values) > 1 {
		var next []float64
		for i := 0; i < len(values); i += 16 {
			sum := values[i]
			for _, v := range values[i+1 : min(i+16, len(values))] {
				sum += v
			}
			next = append(next, sum)
		}
		values = next
	}
	return values[0]
}

func floatOf(i int) float64 { return math.Sin(float64(i)) * math.Pow(10, float64(i%30)) }

var (
	inOrder = mapper.Reduce("backendtest/in order", func(_ context.Context, values iter.Seq[int]) (int, error) {
		n := 0
		for v := range values {
			if v != n {
				return 0, fmt.Errorf("value %d is %d", n, v)
			}
			n++
		}
		return n, nil
	})
	blob      = mapper.Func("backendtest/blob", func(_ context.Context, n int) ([]byte, error) { return pattern(n), nil })
	blobSizes = mapper.Reduce("backendtest/blob sizes", func(_ context.Context, values iter.Seq[[]byte]) (int, error) {
		sum := 0
		for v := range values {
			sum += len(v)
		}
		return sum, nil
	})
	blobJoin = mapper.Combine("backendtest/blob join", func(_ context.Context, a, b []byte) ([]byte, error) { return append(a, b...), nil })
	float    = mapper.Func("backendtest/float", func(_ context.Context, i int) (float64, error) { return floatOf(i), nil })
	floatSum = mapper.Combine("backendtest/float sum", func(_ context.Context, a, b float64) (float64, error) { return a + b, nil })
)
