package progress

import (
	"math"
	"testing"
	"time"
)

func TestCommas(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{
		0: "0", 7: "7", 999: "999", 1000: "1,000", 12_345: "12,345", 123_456: "123,456", 1_234_567: "1,234,567",
		-1: "-1", -999: "-999", -1000: "-1,000", -123_456: "-123,456",
		math.MaxInt64: "9,223,372,036,854,775,807", math.MinInt64: "-9,223,372,036,854,775,808",
	} {
		if got := commas(n); got != want {
			t.Errorf("commas(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestPerTime(t *testing.T) {
	t.Parallel()
	for rate, want := range map[float64]string{
		0: "0/s", 1: "1/s", 1.234: "1.23/s", 9.999: "10/s", 10.04: "10/s", 12.34: "12.3/s", 99.96: "100/s", 123.4: "123/s",
		999.6: "1,000/s", 1234: "1,230/s", 812_345: "812,000/s", 1_234_567: "1,230,000/s",
		0.5: "30/min", 0.9999: "60/min", 1.0 / 60: "1/min", 0.01: "36/h", 1e-9: "0/h",
		math.MaxFloat64: "1,000,000,000,000,000,000/s", math.Inf(1): "1,000,000,000,000,000,000/s",
	} {
		if got := perTime(rate); got != want {
			t.Errorf("perTime(%v) = %q, want %q", rate, got, want)
		}
	}
}

func TestTook(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0ms", 820 * time.Millisecond: "820ms", 999_999 * time.Microsecond: "999ms", time.Second: "1s",
		1290 * time.Millisecond: "1.2s", 9999 * time.Millisecond: "9.9s", 10 * time.Second: "10s",
		59_999 * time.Millisecond: "59s", time.Minute: "1m", 250 * time.Second: "4m10s", time.Hour: "1h",
		time.Hour + 5*time.Second: "1h", 205 * time.Minute: "3h25m", 24 * time.Hour: "1d", 52 * time.Hour: "2d4h",
	} {
		if got := took(d); got != want {
			t.Errorf("took(%v) = %q, want %q", d, got, want)
		}
	}
}

func TestTimeLeft(t *testing.T) {
	t.Parallel()
	for seconds, want := range map[float64]string{
		0: "1s", 0.2: "1s", 42.4: "42s", 59.6: "1m", 64: "1m", 66: "1m10s", 240.9: "4m", 597: "10m", 619: "10m",
		3600: "1h", 12_345: "3h26m", 86_400: "1d", 99 * 86_400: "99d", 100 * 86_400: "", math.Inf(1): "",
	} {
		if got := timeLeft(seconds); got != want {
			t.Errorf("timeLeft(%v) = %q, want %q", seconds, got, want)
		}
	}
	if got := timeLeft(math.NaN()); got != "" {
		t.Errorf("timeLeft(NaN) = %q, want none", got)
	}
}
