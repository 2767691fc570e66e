// Package decimaltest is the floor of benchmarks that read numbers: a loop by hand that does as little as can be, and checks
// nothing.
package decimaltest

var powers = [23]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// Float reads the number that begins at i, which is one of up to 15 digits, with another byte behind it. It returns where it ends.
func Float(b []byte, i int) (float64, int) {
	neg := b[i] == '-'
	if neg {
		i++
	}
	var m uint64
	for b[i]-'0' < 10 {
		m = m*10 + uint64(b[i]-'0')
		i++
	}
	e := 0
	if b[i] == '.' {
		i++
		point := i
		for b[i]-'0' < 10 {
			m = m*10 + uint64(b[i]-'0')
			i++
		}
		e = point - i
	}
	if b[i] == 'e' {
		i++
		sign := 1
		if b[i] == '-' { // nobody writes a plus
			sign = -1
			i++
		}
		x := 0
		for b[i]-'0' < 10 {
			x = x*10 + int(b[i]-'0')
			i++
		}
		e += sign * x
	}
	v := float64(m)
	if e < 0 {
		v /= powers[-e]
	} else {
		v *= powers[e]
	}
	if neg {
		v = -v
	}
	return v, i
}

// Stat is as little as can be told of 29 columns.
type Stat struct{ Min, Max, Sum, Squares [29]float64 }

// Lines adds whole lines of CSV, of 29 numbers each.
func (s *Stat) Lines(data []byte) {
	c := 0
	for i := 0; i < len(data); i++ {
		var v float64
		v, i = Float(data, i)
		s.Min[c], s.Max[c] = min(s.Min[c], v), max(s.Max[c], v)
		s.Sum[c] += v
		s.Squares[c] += v * v
		if c++; data[i] == '\n' {
			c = 0
		}
	}
}
