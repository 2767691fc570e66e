package preprocess

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestYeoJohnsonFar: columns far from zero keep what tells their numbers apart, but for some neighbors.
func TestYeoJohnsonFar(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for name, of := range map[string]func(i int) float64{
		"timestamps":           func(i int) float64 { return 1.7e9 + float64(i)*1000 },
		"timestamps, negative": func(i int) float64 { return -1.7e9 - float64(i)*1000 },
		"around 1e10":          func(int) float64 { return 1e10 + random.NormFloat64() },
		"around -1e10":         func(int) float64 { return -1e10 + random.NormFloat64() },
		"skewed, far":          func(int) float64 { return 1e10 + 1e6*math.Exp(2*random.NormFloat64()) },
		"skewed, negative":     func(int) float64 { return -1e10 - 1e6*math.Exp(2*random.NormFloat64()) },
		"one far":              func(i int) float64 { return map[bool]float64{true: 1e300, false: 1}[i == 0] },
		"nanoseconds":          func(i int) float64 { return 1.7e18 + float64(i)*1024 },
		"both far":             func(i int) float64 { return 1e200 * float64(i%3-1) },
		"subnormal":            func(i int) float64 { return float64(i) * 5e-324 },
	} {
		values := make([]float64, 1000)
		for i := range values {
			values[i] = of(i)
		}
		slices.Sort(values)
		x := numbersTable("a", values)
		got := apply(t, fitOf(t, x, YeoJohnson{}), x)[0]
		kinds, had := slices.Compact(slices.Clone(got)), slices.Compact(slices.Clone(values))
		if len(kinds) < len(had)*98/100 || !slices.IsSorted(got) || slices.ContainsFunc(got, func(v float64) bool { return math.IsNaN(v) || math.IsInf(v, 0) }) {
			t.Errorf("%s: of %d numbers %d are left: %v", name, len(had), len(kinds), got[:3])
		}
	}
}

// TestYeoJohnsonNear: where nothing is lost, the power is that of the numbers' logarithms, which are normal.
func TestYeoJohnsonNear(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(3, 4))
	values := make([]float64, 20000)
	for i := range values {
		values[i] = 1e10 * math.Exp(random.NormFloat64())
	}
	slices.Sort(values)
	if lambda := yeoLambda(values); math.Abs(lambda) > .02 {
		t.Errorf("%v, and not about 0", lambda)
	}
	for i := range values {
		values[i] = -values[i]
	}
	slices.Reverse(values)
	if lambda := yeoLambda(values); math.Abs(lambda-2) > .02 {
		t.Errorf("%v, and not about 2", lambda)
	}
}
