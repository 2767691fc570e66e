package progress

import (
	"math"
	"testing"
	"time"
)

// play runs a job of n tasks, each of so long, on so many workers that take cold to start, and returns the rates that are
// measured every tenth of a second until the end.
func play(n, workers int64, cold, task time.Duration) (rates []float64) {
	m := meter{begin: time.Unix(0, 0)}
	for at := time.Duration(0); ; at += barPeriod {
		waves := int64(max(at-cold, 0) / task)
		done := min(waves*workers, n)
		if done == n {
			return rates
		}
		c := Counts{Done: done, Running: min(workers, n-done)}
		rates = append(rates, m.observe(m.begin.Add(at), c))
	}
}

func TestMeter(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		n, workers int64
		cold, task time.Duration
		within     float64 // of the true rate, over the second half of the job
	}{
		{"fast", 100_000, 100, 0, 20 * time.Millisecond, 0.01},
		{"fast after a cold start", 500_000, 100, 10 * time.Second, 10 * time.Millisecond, 0.05},
		{"in waves", 16 * 20, 16, 0, time.Minute, 0.5},
		{"in waves after a cold start", 16 * 20, 16, time.Minute, time.Minute, 0.5},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			rates := play(c.n, c.workers, c.cold, c.task)
			want := float64(c.workers) / c.task.Seconds()
			for i, got := range rates[len(rates)/2:] {
				if math.Abs(got-want) > c.within*want {
					t.Fatalf("rate %v at %v, want %v", got, time.Duration(len(rates)/2+i)*barPeriod, want)
				}
			}
		})
	}
}

func TestMeterFollowsTheLastSeconds(t *testing.T) {
	t.Parallel()
	m := meter{begin: time.Unix(0, 0)}
	var done int64
	var rate float64
	for i := range 1000 { // 100 s at 1,000/s, of which the last 20 s at 100/s
		if i < 800 {
			done += 100
		} else {
			done += 10
		}
		rate = m.observe(m.begin.Add(time.Duration(i+1)*barPeriod), Counts{Done: done, Running: 1})
	}
	if rate < 100 || rate > 120 {
		t.Errorf("rate %v, want about 100", rate)
	}
}

func TestMeterTakesAnything(t *testing.T) {
	t.Parallel()
	m := meter{begin: time.Unix(100, 0)}
	for i, c := range []Counts{
		{}, {Running: math.MaxInt64}, {Done: math.MaxInt64, Running: math.MaxInt64}, {Done: 5}, {}, {Done: math.MaxInt64},
	} {
		for _, at := range []time.Duration{0, 0, -time.Second, time.Second} {
			rate := m.observe(m.begin.Add(time.Duration(i)*time.Hour+at), c)
			if rate < 0 || math.IsNaN(rate) || math.IsInf(rate, 0) {
				t.Errorf("step %d: rate %v", i, rate)
			}
		}
	}
}
