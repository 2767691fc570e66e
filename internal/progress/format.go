package progress

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// commas writes n with a comma between thousands.
func commas(n int64) string {
	s := strconv.FormatInt(n, 10)
	digits := len(s)
	if n < 0 {
		digits--
	}
	var b strings.Builder
	for i := range len(s) {
		if left := len(s) - i; left < digits && left%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// plural writes "1 task", "2 tasks".
func plural(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return commas(n) + " " + noun + "s"
}

// perTime writes a rate, given per second, in the unit in which it is at least one: a task may take milliseconds or hours.
func perTime(rate float64) string {
	switch {
	case rate >= 1 || rate <= 0:
		return threeDigits(rate) + "/s"
	case rate*60 >= 1:
		return threeDigits(rate*60) + "/min"
	default:
		return threeDigits(rate*3600) + "/h"
	}
}

// threeDigits writes x, which is not negative, with three significant digits: the others would only flicker.
func threeDigits(x float64) string {
	if x < 100 {
		decimals := 2
		if x >= 10 {
			decimals = 1
		}
		s := strconv.FormatFloat(x, 'f', decimals, 64)
		return strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	x = min(x, 1e18)
	unit := math.Pow(10, math.Floor(math.Log10(x))-2)
	return commas(int64(math.Round(x/unit) * unit))
}

// took writes how long a job has taken: 820ms, 1.2s, 42s, 4m10s, 3h25m, 2d4h.
func took(d time.Duration) string {
	switch {
	case d < time.Second:
		return strconv.FormatInt(d.Milliseconds(), 10) + "ms"
	case d < 10*time.Second:
		tenths := d.Milliseconds() / 100
		return strings.TrimSuffix(strconv.FormatFloat(float64(tenths)/10, 'f', 1, 64), ".0") + "s"
	default:
		return twoUnits(int64(d / time.Second))
	}
}

// timeLeft writes how long a job will yet take, as exactly as such a guess deserves, or nothing if it is hopeless.
func timeLeft(seconds float64) string {
	const longest = 99 * 24 * 3600
	if !(seconds <= longest) { // NaN too
		return ""
	}
	s := max(math.Round(seconds), 1)
	if s >= 60 {
		s = math.Round(s/10) * 10
	}
	if s >= 600 {
		s = math.Round(s/60) * 60
	}
	return twoUnits(int64(s))
}

// twoUnits writes seconds in the largest unit that fits, and the next one below it.
func twoUnits(seconds int64) string {
	units := []struct {
		name string
		size int64
	}{{"d", 24 * 3600}, {"h", 3600}, {"m", 60}, {"s", 1}}
	for i, u := range units {
		if seconds < u.size {
			continue
		}
		s := strconv.FormatInt(seconds/u.size, 10) + u.name
		if i+1 < len(units) {
			if below := seconds % u.size / units[i+1].size; below > 0 {
				s += strconv.FormatInt(below, 10) + units[i+1].name
			}
		}
		return s
	}
	return "0s"
}
