package decimal

import (
	"errors"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"github.com/gowren/gowren/internal/decimal/decimaltest"
)

// want is what strconv makes of a decimal number.
func want(s string) (float64, bool) {
	if s == "" || strings.ContainsAny(s, "_xXnNiIpP") {
		return 0, false
	}
	x, err := strconv.ParseFloat(s, 64)
	return x, err == nil || errors.Is(err, strconv.ErrRange)
}

func check(t *testing.T, s string) {
	t.Helper()
	got, ok := Parse([]byte(s))
	x, fine := want(s)
	if ok != fine || ok && math.Float64bits(got) != math.Float64bits(x) {
		t.Fatalf("%q: %v %v, want %v %v", s, got, ok, x, fine)
	}
	for _, after := range []string{",", ",1,2,3,4,5,6", "\t123456789", " ", "x", "e", "e+", "-", "\xff\xff\xff\xff\xff\xff\xff\xff"} {
		longest := 0
		for n := range len(s) + len(after) + 1 {
			if _, ok := want((s + after)[:n]); ok {
				longest = n
			}
		}
		x, _ := want((s + after)[:longest])
		if got, n := Prefix([]byte(s + after)); n != longest || n > 0 && math.Float64bits(got) != math.Float64bits(x) {
			t.Fatalf("%q: %v of %d bytes, want %v of %d", s+after, got, n, x, longest)
		}
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, s := range []string{
		"", "0", "-0", "+0", "1", "-1", "+1", ".", "+", "-", "-.", ".5", "5.", "-.5e", "1e", "1e+", "1e5", "1E5", "1e+05", "1e-5", "e5", ".e5",
		"1.5", "12345678", "123456789.12345678", "0.1", "0.12345678", "0.123456789", "0.1234567890123456", "0.12345678901234567890",
		"9007199254740992", "9007199254740993", "9007199254740992e22", "1e22", "1e23", "1e-22", "1e-23", "1.7976931348623157e308",
		"1.7976931348623159e308", "1e309", "-1e309", "1e99999999999999999999", "1e-99999999999999999999", "0e99999999999999", "5e-324", "2e-324",
		"2.2250738585072011e-308", "18446744073709551616", "184467440737095516160000000", "0.000000000000000000000000000001",
		"00000000000000000000000000001", "1..2", "1.2.3", "--1", "1-", "inf", "Inf", "nan", "NaN", "infinity", "0x1p4", "1_000", " 1", "1 ", "1,2", "é",
		"1.00000000000000011102230246251565", "1.00000000000000011102230246251566", "10000000000000000000000000000000000000000e-40",
	} {
		check(t, s)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 30000 {
		var s string
		switch random.IntN(5) {
		case 0:
			s = strconv.FormatFloat(random.NormFloat64(), 'g', -1, 32)
		case 1:
			s = strconv.FormatFloat(math.Float64frombits(random.Uint64()), 'g', random.IntN(25)-1, 64)
		case 2:
			s = strconv.FormatFloat(random.NormFloat64()*1e6, 'f', random.IntN(20), 64)
		case 3:
			for range random.IntN(30) {
				s += string("0123456789.e-+"[random.IntN(14)])
			}
		case 4:
			s = strconv.FormatUint(random.Uint64()>>random.IntN(64), 10) + "e" + strconv.Itoa(random.IntN(60)-30)
		}
		if !strings.ContainsAny(s, "NI") {
			check(t, s)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"-1.5e-3", "0.123456789012", "12345678901234567890.1", "1e400"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) < 200 {
			check(t, s)
		}
	})
}

// BenchmarkParse reads numbers of 7 digits, beside strconv and the bare loop of digits.
func BenchmarkParse(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	var text []byte
	for range 200000 { // more than a processor learns by heart
		text = strconv.AppendFloat(text, float64(float32(random.NormFloat64())), 'g', -1, 32)
		text = append(text, ',')
	}
	text = append(text, "12345678"...)
	run := func(name string, read func(b []byte, i int) (float64, int)) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(text)))
			var sum float64
			for b.Loop() {
				for i := 0; i < len(text)-8; i++ {
					x, next := read(text, i)
					sum += x
					i = next
				}
			}
			if sum == 0 {
				b.Fatal("nothing was read")
			}
		})
	}
	run("prefix", func(b []byte, i int) (float64, int) {
		x, n := Prefix(b[i:])
		return x, i + n
	})
	run("floor", decimaltest.Float)
	run("strconv", func(b []byte, i int) (float64, int) {
		end := i
		for b[end] != ',' {
			end++
		}
		x, err := strconv.ParseFloat(string(b[i:end]), 64)
		if err != nil {
			panic(err)
		}
		return x, end
	})
}
