package progress

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestManyAtOnce has jobs come and go while workers log, and then looks at the screen: every log line once and whole, in
// the order of its worker, a last line for each job whose bar was seen, and no rest of a bar.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	const jobs, workers, lines = 20, 20, 50
	synctest.Test(t, func(t *testing.T) {
		term := newTerminal(80)
		v := newView(term, term.width)
		var wg sync.WaitGroup
		for i := range jobs {
			wg.Go(func() {
				time.Sleep(time.Duration(i*37) * time.Millisecond)
				for k := range 3 {
					var over atomic.Bool
					stop := v.Watch("work", func() Counts {
						if over.Load() {
							t.Error("counted after stop")
						}
						v.Log("count", "x") // a job may log while it counts
						return Counts{Done: 1, Running: 1}
					})
					time.Sleep(time.Duration(i*211+k*100) * time.Millisecond)
					var both sync.WaitGroup
					both.Go(stop)
					stop()
					over.Store(true)
					both.Wait()
				}
			})
		}
		for i := range workers {
			wg.Go(func() {
				for k := range lines {
					time.Sleep(time.Duration(i+1) * 7 * time.Millisecond)
					v.Log(fmt.Sprint("worker ", i), fmt.Sprint("line ", k))
				}
			})
		}
		wg.Wait()

		seen := make([]int, workers)
		screen := screenOf(t, term.take())
		for _, line := range screen[:len(screen)-1] {
			var i, k int
			if n, _ := fmt.Sscanf(line, "[worker %d] line %d", &i, &k); n == 2 {
				if k != seen[i] {
					t.Errorf("line %d of worker %d, want %d", k, i, seen[i])
				}
				seen[i]++
				continue
			}
			var took, rate string
			if n, _ := fmt.Sscanf(line, "work: 1 of 2 tasks in %s %s", &took, &rate); n == 2 || line == "[count] x" {
				continue
			}
			t.Errorf("unexpected line %q", line)
		}
		if last := screen[len(screen)-1]; last != "" {
			t.Errorf("last line %q, want none", last)
		}
		for i, n := range seen {
			if n != lines {
				t.Errorf("%d lines of worker %d, want %d", n, i, lines)
			}
		}
	})
}

// TestOneGoroutine starts jobs as others end, in real time, for the race detector and the check for leaks.
func TestOneGoroutine(t *testing.T) {
	t.Parallel()
	var out recorder
	v := newView(&out, nil)
	v.delay, v.period = 0, 50*time.Microsecond
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for range 200 {
				stop := v.Watch(fmt.Sprint("job ", i), fixed(Counts{Done: 1}))
				v.Log("job", "runs")
				stop()
			}
		})
	}
	wg.Wait()
	v.mu.Lock()
	defer v.mu.Unlock()
	select {
	case <-v.done:
	default:
		t.Error("the goroutine has not ended")
	}
	if len(v.jobs) != 0 {
		t.Errorf("%d jobs are left", len(v.jobs))
	}
}
