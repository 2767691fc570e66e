package decimaltest

import (
	"strconv"
	"strings"
	"testing"
)

func TestFloat(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"0", "-0", "12", "-1.5", "0.0625", "1e3", "-2.5e-3", "123456789012345"} {
		want, err := strconv.ParseFloat(text, 64)
		if got, end := Float([]byte("x"+text+","), 1); got != want || err != nil || end != 1+len(text) {
			t.Errorf("%s: %g up to %d, %v", text, got, end, err)
		}
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	var s Stat
	s.Lines([]byte("1" + strings.Repeat(",2", 28) + "\n-3" + strings.Repeat(",4", 28) + "\n"))
	if s.Min[0] != -3 || s.Max[0] != 1 || s.Sum[0] != -2 || s.Squares[0] != 10 || s.Sum[28] != 6 || s.Squares[28] != 20 {
		t.Errorf("%+v", s)
	}
}
