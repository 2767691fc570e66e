package preprocess

import (
	"math"
	"slices"
	"testing"
)

// TestYeoJohnsonAfar: numbers of one sign far from zero keep their order and their differences, whatever power they get.
func TestYeoJohnsonAfar(t *testing.T) {
	t.Parallel()
	for name, at := range map[string]func(i int) float64{
		"times":          func(i int) float64 { return 1.7e9 + float64(i)*1000 },
		"skewed":         func(i int) float64 { return 1e10 + math.Exp(float64(i)/100)*1e6 },
		"below":          func(i int) float64 { return -1e10 - math.Exp(float64(i)/100)*1e6 },
		"nearly equal":   func(i int) float64 { return 1e15 + float64(i%3) },
		"beyond squares": func(i int) float64 { return float64(i+1) * 1e200 },
	} {
		values := make([]float64, 1000)
		for i := range values {
			values[i] = at(i)
		}
		sorted := sortedCopy(values)
		lambda := yeoLambda(sorted)
		first, last := yeoJohnson(sorted[0], lambda), yeoJohnson(sorted[len(sorted)-1], lambda)
		if !(last > first) || math.IsInf(last-first, 0) || lambda < -8 || lambda > 8 {
			t.Errorf("%s: the power is %v, and makes %v and %v of the least and the largest", name, lambda, first, last)
		}
	}
	// For a straight line any power bends it: the best is nearly none.
	line := make([]float64, 1001)
	for i := range line {
		line[i] = 1.7e9 + float64(i)*1e6
	}
	if lambda := yeoLambda(line); math.Abs(lambda-1) > 0.5 {
		t.Errorf("of a line far from zero the power is %v", lambda)
	}
}

func sortedCopy(values []float64) []float64 {
	c := slices.Clone(values)
	slices.Sort(c)
	return c
}
