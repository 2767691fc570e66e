package exact

import (
	"bytes"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"github.com/gowren/gowren/serialize"
)

// draw returns numbers of one of several kinds.
func draw(random *rand.Rand, n int) []float64 {
	kind := random.IntN(8)
	all := make([]float64, n)
	for i := range all {
		x := random.NormFloat64()
		switch kind {
		case 0:
		case 1:
			x += 1e9
		case 2: // of any size
			x = math.Float64frombits(random.Uint64())
		case 3: // that cancel
			if i%2 == 1 {
				x = -all[i-1]
			} else {
				x = math.Ldexp(x, random.IntN(1000))
			}
		case 4:
			x = float64(random.IntN(7) - 3)
		case 5: // subnormal
			x = math.Float64frombits(random.Uint64() & (1<<53 - 1))
		case 6: // squares below and above all
			x = math.Ldexp(x, []int{-1060, -540, -500, 1000, 515, 500}[random.IntN(6)])
		case 7:
			x = math.Float64frombits(random.Uint64()>>63<<63 | uint64(1000+random.IntN(40))<<52)
		}
		if math.IsNaN(x) || math.IsInf(x, 0) {
			x = 1
		}
		all[i] = x
	}
	return all
}

// truth sums with rationals of any size.
func truth(values []float64) (sum, squares *big.Float) {
	sum, squares = new(big.Float).SetPrec(6000), new(big.Float).SetPrec(6000)
	for _, x := range values {
		f := new(big.Float).SetPrec(6000).SetFloat64(x)
		sum.Add(sum, f)
		squares.Add(squares, f.Mul(f, f))
	}
	return sum, squares
}

func nearest(f *big.Float) float64 {
	x, _ := f.Float64()
	return x + 0
}

func sameBits(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) }

// TestMoments compares with math/big, for any order, any division, and one at a time or many.
func TestMoments(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for round := range 400 {
		values := draw(random, 1+random.IntN(1+random.IntN(3000)))
		var all, one Moments
		all.AddAll(values)
		for _, x := range values {
			one.Add(x)
		}
		sum, squares := truth(values)
		if got, want := all.Sum.Float64(), nearest(sum); !sameBits(got, want) {
			t.Fatalf("round %d: the sum of %d is %v, want %v", round, len(values), got, want)
		}
		if got, want := all.Squares.Float64(), nearest(squares); !sameBits(got, want) {
			t.Fatalf("round %d: the squares of %d sum to %v, want %v", round, len(values), got, want)
		}
		n := new(big.Rat).SetInt64(int64(len(values)))
		s, _ := sum.Rat(nil)
		q, _ := squares.Rat(nil)
		mean, variance := new(big.Rat).Quo(s, n), new(big.Rat).Quo(q, n)
		if want, _ := mean.Float64(); !sameBits(all.Mean(), want+0) {
			t.Fatalf("round %d: the mean is %v, want %v", round, all.Mean(), want)
		}
		variance.Sub(variance, new(big.Rat).Mul(mean, mean))
		if want, _ := variance.Float64(); !sameBits(all.Variance(), want+0) {
			t.Fatalf("round %d: the variance is %v, want %v", round, all.Variance(), want)
		}
		random.Shuffle(len(values), func(i, j int) { values[i], values[j] = values[j], values[i] })
		parts := make([]Moments, 1+random.IntN(5))
		for len(values) > 0 {
			k := 1 + random.IntN(len(values))
			parts[random.IntN(len(parts))].AddAll(values[:k])
			values = values[k:]
		}
		var merged Moments
		for i := range parts {
			data, err := serialize.Marshal(&parts[i])
			if err != nil {
				t.Fatal(err)
			}
			var back Moments
			if err := serialize.Unmarshal(data, &back); err != nil {
				t.Fatal(err)
			}
			merged.Merge(&back)
		}
		want := encoded(t, &all)
		for name, m := range map[string]*Moments{"one at a time": &one, "in parts": &merged} {
			if !bytes.Equal(encoded(t, m), want) {
				t.Fatalf("round %d: %s: %v %v, want %v %v", round, name, m.Sum.Float64(), m.Squares.Float64(), all.Sum.Float64(), all.Squares.Float64())
			}
			if !sameBits(m.Min(), all.Min()) || !sameBits(m.Max(), all.Max()) {
				t.Fatalf("round %d: %s: from %v to %v, want %v to %v", round, name, m.Min(), m.Max(), all.Min(), all.Max())
			}
		}
	}
}

func encoded(t *testing.T, m *Moments) []byte {
	t.Helper()
	data, err := m.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestProduct(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 3))
	for range 300 {
		a, b := draw(random, 50), draw(random, 50)
		var s Sum
		want := new(big.Float).SetPrec(6000)
		for i := range a {
			s.AddProduct(a[i], b[i])
			x := new(big.Float).SetPrec(6000).SetFloat64(a[i])
			want.Add(want, x.Mul(x, big.NewFloat(b[i])))
		}
		if got := s.Float64(); !sameBits(got, nearest(want)) {
			t.Fatalf("%v, want %v", got, want)
		}
	}
}

// TestCancellation has a large mean and a small deviation.
func TestCancellation(t *testing.T) {
	t.Parallel()
	var m Moments
	for range 1000 {
		m.AddAll([]float64{1e9 - 1, 1e9 + 1})
	}
	if m.Mean() != 1e9 || m.Variance() != 1 || m.Deviation() != 1 {
		t.Error(m.Mean(), m.Variance())
	}
	m = Moments{}
	m.AddAll([]float64{math.MaxFloat64, math.MaxFloat64, -math.MaxFloat64})
	if m.Mean() != math.MaxFloat64/3 || !math.IsInf(m.Variance(), 1) || m.Sum.Float64() != math.MaxFloat64 {
		t.Error(m.Mean(), m.Variance(), m.Sum.Float64())
	}
}

func TestSpecial(t *testing.T) {
	t.Parallel()
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		values                  []float64
		count                   int64
		sum, mean, least, large float64
	}{
		{nil, 0, 0, nan, nan, nan},
		{[]float64{nan, nan}, 0, 0, nan, nan, nan},
		{[]float64{nan, 2}, 1, 2, 2, 2, 2},
		{[]float64{math.Copysign(0, -1)}, 1, 0, 0, 0, 0},
		{[]float64{inf, 1}, 2, inf, inf, 1, inf},
		{[]float64{-inf, 1}, 2, -inf, -inf, -inf, 1},
		{[]float64{-inf, inf}, 2, nan, nan, -inf, inf},
	} {
		var all, one, merged Moments
		all.AddAll(c.values)
		for _, x := range c.values {
			var m Moments
			m.AddAll([]float64{x})
			merged.Merge(&m)
			one.Add(x)
		}
		for _, m := range []*Moments{&all, &one, &merged} {
			for i, got := range []float64{m.Sum.Float64(), m.Mean(), m.Min(), m.Max()} {
				want := []float64{c.sum, c.mean, c.least, c.large}[i]
				if !sameBits(got, want) && !(got != got && want != want) || m.Count != c.count {
					t.Errorf("%v: %d numbers, value %d is %v, want %v", c.values, m.Count, i, got, want)
				}
			}
			if !bytes.Equal(encoded(t, m), encoded(t, &all)) {
				t.Errorf("%v: the encodings differ", c.values)
			}
		}
	}
	var s Sum
	s.AddProduct(inf, 0)
	s.Add(nan)
	if s.Float64() == s.Float64() {
		t.Error(s.Float64())
	}
	var m Moments
	m.AddZeros(3)
	m.Add(3)
	m.AddZeros(0)
	if m.Count != 4 || m.Mean() != 0.75 || m.Min() != 0 {
		t.Error(m)
	}
}

// TestNoNegativeZero: zeros have no sign, whichever came first, nor have what is rounded to zero and what is taken away.
func TestNoNegativeZero(t *testing.T) {
	t.Parallel()
	zero, least := math.Copysign(0, -1), -math.SmallestNonzeroFloat64
	for _, values := range [][]float64{
		{zero}, {zero, zero}, {zero, 0}, {0, zero}, {1, -1}, {-1, 1}, {-1, zero, 1},
		{least, 0, 0, zero}, {zero, 0, 0, least}, {least, zero, least, 0, 0, 0, 0, 0}, // means that are nearest to zero
	} {
		var all, one, merged Moments
		all.AddAll(values)
		for _, x := range values {
			var m Moments
			m.Add(x)
			merged.Merge(&m)
			one.Add(x)
		}
		for _, m := range []*Moments{&all, &one, &merged} {
			if !sameBits(m.Mean(), 0) {
				t.Errorf("the mean of %v is %v", values, m.Mean())
			}
			for what, x := range map[string]float64{"sum": m.Sum.Float64(), "least": m.Min(), "most": m.Max(), "variance": m.Variance()} {
				if x == 0 && !sameBits(x, 0) {
					t.Errorf("the %s of %v is %v", what, values, x)
				}
			}
			if !bytes.Equal(encoded(t, m), encoded(t, &all)) {
				t.Errorf("%v: the encodings differ", values)
			}
		}
	}
	var s Sum
	s.AddProduct(least, 0.25) // which no float64 is
	if !sameBits(s.Float64(), 0) {
		t.Errorf("the sum of a small product is %v", s.Float64())
	}
}

// TestDecode refuses what are no moments of any numbers.
func TestDecode(t *testing.T) {
	t.Parallel()
	of := func(values ...float64) Moments {
		var m Moments
		m.AddAll(values)
		return m
	}
	inf, nan := math.Inf(1), math.NaN()
	for name, change := range map[string]func(m *Moments){
		"negative squares":             func(m *Moments) { m.Squares = of(-1).Sum },
		"squares without a sum":        func(m *Moments) { m.Sum, m.least, m.most = Sum{}, 0, 0 },
		"a sum without squares":        func(m *Moments) { m.Squares = Sum{} },
		"no number, and a sum":         func(m *Moments) { m.Count = 0 },
		"no number, and a least":       func(m *Moments) { *m = Moments{least: 1} },
		"no number, and a most":        func(m *Moments) { *m = Moments{most: 1} },
		"no number, and an infinity":   func(m *Moments) { *m = Moments{Sum: Sum{met: metInf}} },
		"infinite squares":             func(m *Moments) { m.Squares.met = metInf },
		"squares that are no numbers":  func(m *Moments) { m.Sum.met, m.Squares.met = metInf, metNaN },
		"an infinite sum":              func(m *Moments) { m.Sum.met = metInf },
		"a sum that met NaN":           func(m *Moments) { m.Sum.met, m.Squares.met = metNaN, metInf },
		"a least that is NaN":          func(m *Moments) { m.least = nan },
		"a most that is NaN":           func(m *Moments) { m.most = nan },
		"a least above the most":       func(m *Moments) { m.least, m.most = m.most, m.least },
		"a least that is negative 0":   func(m *Moments) { *m = of(0, 1); m.least = math.Copysign(0, -1) },
		"a most that is negative 0":    func(m *Moments) { *m = of(0, -1); m.most = math.Copysign(0, -1) },
		"an infinity that was not met": func(m *Moments) { m.most = inf },
		"one that is not the most":     func(m *Moments) { *m = of(inf, 1); m.most = 1 },
		"one that is not the least":    func(m *Moments) { *m = of(-inf, 1); m.least = 1 },
	} {
		m := of(-1, 1, 2)
		change(&m)
		data, err := m.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		if err := m.UnmarshalBinary(data); err == nil {
			t.Errorf("%s: decoded", name)
		}
	}
	m := of(1)
	data := encoded(t, &m)
	if err := m.UnmarshalBinary(append([]byte{0x81, 0}, data[1:]...)); err == nil {
		t.Error("a count in more bytes than it takes")
	}
}

// TestOverflow: more numbers than Count can tell are an error where they are encoded, and have no mean.
func TestOverflow(t *testing.T) {
	t.Parallel()
	half := func() *Moments {
		var m Moments
		m.Add(1)
		m.AddZeros(1<<62 - 1)
		return &m
	}
	for name, m := range map[string]func(m *Moments){
		"merge":           func(m *Moments) { m.Merge(half()) },
		"merge into none": func(m *Moments) { m.Merge(half()); all := *m; *m = Moments{}; m.Merge(&all) },
		"zeros":           func(m *Moments) { m.AddZeros(1 << 62) },
		"one":             func(m *Moments) { m.AddZeros(1<<62 - 1); m.Add(2) },
		"many":            func(m *Moments) { m.AddZeros(1<<62 - 1); m.AddAll([]float64{2}) },
		"twice":           func(m *Moments) { m.Merge(half()); all := *m; m.Merge(&all); m.Merge(&all) },
		"on and on":       func(m *Moments) { m.Merge(half()); m.AddZeros(math.MaxInt64); m.AddZeros(math.MaxInt64); m.Add(1) },
	} {
		all := half()
		m(all)
		if data, err := all.MarshalBinary(); err == nil {
			t.Errorf("%s: %d numbers are encoded as %x", name, all.Count, data)
		}
		for i, x := range []float64{all.Mean(), all.Variance(), all.Deviation()} {
			if x == x {
				t.Errorf("%s: of %d numbers, value %d is %v", name, all.Count, i, x)
			}
		}
	}
}

// TestCarries goes on where a chunk's room would end.
func TestCarries(t *testing.T) {
	t.Parallel()
	var s, twice Sum
	s.Add(-1)
	s.Add(math.MaxFloat64)
	for range 200 { // doubles each time
		twice = Sum{}
		twice.Merge(&s)
		s.Merge(&twice)
	}
	data, err := s.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	if !math.IsInf(s.Float64(), 1) || len(data) > 3+4*chunks {
		t.Error(s.Float64(), len(data))
	}
	s = Sum{}
	for range 100 {
		s.added = most - 1 // as if so many had been added
		s.Add(-1e-300)
		s.Add(1 - 1.0/(1<<53))
	}
	want := new(big.Float).SetPrec(6000)
	for range 100 {
		want.Add(want, big.NewFloat(-1e-300))
		want.Add(want, big.NewFloat(1-1.0/(1<<53)))
	}
	if got := s.Float64(); got != nearest(want) {
		t.Error(got, want)
	}
}

func TestTooMany(t *testing.T) {
	t.Parallel()
	s := Sum{chunks: []int64{1}, first: chunks}
	if _, err := s.MarshalBinary(); err == nil {
		t.Error("a sum beyond all")
	}
	m := Moments{Count: 1, Sum: s}
	if _, err := m.MarshalBinary(); err == nil {
		t.Error("a sum beyond all")
	}
}

// TestSize holds that sums of usual numbers are small.
func TestSize(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	var m Moments
	for range 10000 {
		m.Add(random.NormFloat64())
	}
	if a, b := cap(m.Sum.chunks), cap(m.Squares.chunks); a > 8 || b > 12 {
		t.Errorf("%d and %d chunks", a, b)
	}
}

func FuzzMoments(f *testing.F) {
	var m Moments
	m.AddAll([]float64{1, -2.5, 1e300})
	data, err := m.MarshalBinary()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte{0, 1, 2})
	for _, values := range [][]float64{nil, {0}, {-1, 1}, {math.Inf(1), 2}, {math.Inf(-1), math.Inf(1)}, {math.SmallestNonzeroFloat64}} {
		m = Moments{}
		m.AddAll(values)
		if data, err = m.MarshalBinary(); err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var m Moments
		if m.UnmarshalBinary(data) != nil {
			return
		}
		if again := encoded(t, &m); !bytes.Equal(again, data) {
			t.Fatalf("%x is %x again", data, again)
		}
		m.Mean()
		m.Variance()
		m.Merge(&m)
		for _, s := range []*Sum{&m.Sum, &m.Squares} {
			one, err := s.MarshalBinary()
			if err != nil {
				continue
			}
			var back Sum
			if err := back.UnmarshalBinary(one); err != nil || !sameBits(back.Float64(), s.Float64()) {
				t.Fatalf("%x: %v", one, err)
			}
			if err := back.UnmarshalBinary(append(one, 0)); err == nil {
				t.Fatal("a byte too many")
			}
		}
	})
}

func FuzzSum(f *testing.F) {
	f.Add(uint64(1), uint64(2), uint64(3), uint64(4))
	f.Fuzz(func(t *testing.T, a, b, c, d uint64) {
		values := []float64{math.Float64frombits(a), math.Float64frombits(b), math.Float64frombits(c), math.Float64frombits(d)}
		for _, x := range values {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				return
			}
		}
		var m Moments
		m.AddAll(values)
		sum, squares := truth(values)
		if !sameBits(m.Sum.Float64(), nearest(sum)) || !sameBits(m.Squares.Float64(), nearest(squares)) {
			t.Fatalf("%v: %v %v, want %v %v", values, m.Sum.Float64(), m.Squares.Float64(), sum, squares)
		}
	})
}

// BenchmarkMoments adds columns of a block, beside the loop that rounds.
func BenchmarkMoments(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	columns := make([][]float64, 28)
	for i := range columns {
		columns[i] = make([]float64, tableRows)
		for j := range columns[i] {
			columns[i][j] = random.NormFloat64()
			if i%4 == 3 {
				columns[i][j] = float64(random.IntN(3)) * 1.0865
			}
		}
	}
	per := func(b *testing.B) {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/28/tableRows, "ns/value")
	}
	b.Run("exact", func(b *testing.B) {
		ms := make([]Moments, len(columns))
		for b.Loop() {
			for i, c := range columns {
				ms[i].AddAll(c)
			}
		}
		per(b)
	})
	b.Run("one", func(b *testing.B) {
		ms := make([]Moments, len(columns))
		for b.Loop() {
			for i, c := range columns {
				for _, x := range c {
					ms[i].Add(x)
				}
			}
		}
		per(b)
	})
	b.Run("floor", func(b *testing.B) {
		var sums, squares, least, most [28]float64
		for b.Loop() {
			for i, c := range columns {
				sum, square, lo, hi := sums[i], squares[i], least[i], most[i]
				for _, x := range c {
					if x != x {
						continue
					}
					sum += x
					square += x * x
					if x < lo {
						lo = x
					}
					if x > hi {
						hi = x
					}
				}
				sums[i], squares[i], least[i], most[i] = sum, square, lo, hi
			}
		}
		per(b)
	})
}
