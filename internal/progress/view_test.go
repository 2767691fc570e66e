package progress

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// steady counts a job of so many tasks of which rate are done in a second, from now on.
func steady(total, rate int64) func() Counts {
	begin := time.Now()
	return func() Counts {
		done := min(total, int64(time.Since(begin).Seconds()*float64(rate)))
		running := min(total-done, 16)
		return Counts{Done: done, Running: running, Queued: total - done - running}
	}
}

func wantWrites(t *testing.T, got []string, want ...string) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
}

func TestShortJobIsSilent(t *testing.T) {
	t.Parallel()
	for name, delay := range map[string]time.Duration{"bar": barDelay, "plain": linePause} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				term := newTerminal(80)
				v := newView(term, term.width)
				if name == "plain" {
					v = newView(term, nil)
				}
				for range 3 {
					stop := v.Watch("square", func() Counts {
						t.Error("counted for nothing")
						return Counts{}
					})
					time.Sleep(delay - time.Nanosecond)
					stop()
				}
				wantWrites(t, term.take())
			})
		})
	}
}

func TestPlainLines(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out recorder
		v := newView(&out, nil)
		stop := v.Watch("square", steady(100_000, 4_100))
		time.Sleep(linePause - time.Nanosecond)
		wantWrites(t, out.take())
		time.Sleep(time.Nanosecond)
		synctest.Wait()
		wantWrites(t, out.take(), "square: 20,500 of 100,000 tasks (20%), 4,100/s, 19s left\n")
		v.Log("worker 3", "half way")
		wantWrites(t, out.take(), "[worker 3] half way\n")
		time.Sleep(linePause)
		synctest.Wait()
		wantWrites(t, out.take(), "square: 41,000 of 100,000 tasks (41%), 4,100/s, 14s left\n")
		time.Sleep(time.Second)
		stop()
		wantWrites(t, out.take(), "square: 45,100 of 100,000 tasks in 11s (4,100/s)\n")
		stop()
		wantWrites(t, out.take())
	})
}

func TestBarComesAndGoes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		term := newTerminal(60)
		v := newView(term, term.width)
		stop := v.Watch("square", steady(1_000, 500))
		time.Sleep(barDelay)
		synctest.Wait()
		wantWrites(t, term.take(), "\rsquare [=====>              ] 250/1,000 25%, 500/s, 2s left\x1b[K")
		time.Sleep(time.Second)
		synctest.Wait()
		if got := term.take(); len(got) != 10 {
			t.Errorf("%d draws in a second, want 10", len(got))
		}

		v.Log("worker 3", "half way")
		bar := "square [===============>    ] 750/1,000 75%, 500/s, 1s left"
		wantWrites(t, term.take(), "\r\x1b[K[worker 3] half way\n\r"+bar+"\x1b[K")

		time.Sleep(500 * time.Millisecond)
		synctest.Wait()
		term.take()
		stop()
		wantWrites(t, term.take(), "\r\x1b[Ksquare: 1,000 tasks in 2s (500/s)\n")
		v.Log("", "later\r\n")
		wantWrites(t, term.take(), "later\n")
	})
}

func TestNarrowedTerminal(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		term := newTerminal(60)
		v := newView(term, term.width)
		stop := v.Watch("square", fixed(Counts{Queued: 3, Done: 1}))
		time.Sleep(barDelay)
		synctest.Wait()
		term.take()
		term.columns.Store(20)
		v.Log("", "line")
		wantWrites(t, term.take(), "\r\x1b[Kline\n") // the old bar would not fit
		time.Sleep(barPeriod)
		synctest.Wait()
		wantWrites(t, term.take(), "\rsquare 25%, 2s left\x1b[K")
		term.columns.Store(0) // not known: 80
		time.Sleep(barPeriod)
		synctest.Wait()
		wantWrites(t, term.take(), "\rsquare [==========>                             ] 1/4 25%, 1.42/s, 2s left\x1b[K")
		stop()
	})
}

func TestSeveralJobs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		term := newTerminal(60)
		v := newView(term, term.width)
		see := func() string { return strings.Join(screenOf(t, term.take()), "|") }

		stopA := v.Watch("a", fixed(Counts{Running: 4}))
		time.Sleep(time.Second)
		stopB := v.Watch("b", fixed(Counts{Running: 8}))
		synctest.Wait()
		if got, want := see(), "a [                                        ] 0/4 0%"; got != want {
			t.Errorf("young b: screen %q, want %q", got, want)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if got, want := see(), "b [                                       ] 0/8 0% (+1 job)"; got != want {
			t.Errorf("a and b: screen %q, want %q", got, want)
		}
		stopA()
		if got, want := see(), "a: 0 of 4 tasks in 2s|b [                                       ] 0/8 0% (+1 job)"; got != want {
			t.Errorf("a stopped: screen %q, want %q", got, want)
		}
		time.Sleep(barPeriod)
		synctest.Wait()
		if got, want := see(), "b [                                        ] 0/8 0%"; got != want {
			t.Errorf("b alone: screen %q, want %q", got, want)
		}
		stopB()
		wantWrites(t, term.take(), "\r\x1b[Kb: 0 of 8 tasks in 1.1s\n")
	})
}

func TestManyPlainJobs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out recorder
		v := newView(&out, nil)
		var stops []func()
		for range mostLines + 2 {
			stops = append(stops, v.Watch("job", fixed(Counts{Done: 1, Running: 1})))
		}
		time.Sleep(linePause)
		synctest.Wait()
		line := "job: 1 of 2 tasks (50%), 12/min, 5s left"
		wantWrites(t, out.take(), strings.Repeat(line+"\n", mostLines-1)+line+" (+2 jobs)\n")
		for _, stop := range stops[:3] {
			stop()
		}
		wantWrites(t, out.take(), "job: 1 of 2 tasks in 5s (12/min)\n") // the two before it were never named
		for _, stop := range stops {
			stop()
		}
	})
}

func TestViewThatShowsNothing(t *testing.T) {
	t.Parallel()
	v := New(nil)
	stop := v.Watch("square", nil)
	v.Log("worker 1", "line")
	stop()
	stop()
}

// broken is a writer that fails after so many writes.
type broken struct {
	recorder
	good int
}

func (b *broken) Write(p []byte) (int, error) {
	if b.good--; b.good < 0 {
		_, _ = b.recorder.Write(p)
		return 0, errors.New("the terminal is gone")
	}
	return b.recorder.Write(p)
}

func TestFailedWriteSilencesTheView(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		out := &broken{good: 1}
		v := newView(out, func() (int, bool) { return 80, true })
		counted := 0
		stop := v.Watch("square", func() Counts { counted++; return Counts{Running: 1} })
		time.Sleep(barDelay)
		synctest.Wait()
		v.Log("", "the write that fails")
		before := counted
		time.Sleep(time.Minute)
		v.Log("", "no more")
		stop()
		if got := out.take(); len(got) != 2 {
			t.Errorf("%d writes, want the good one and the failed one: %q", len(got), got)
		}
		if counted != before {
			t.Errorf("counted %d times for a silent view", counted-before)
		}
	})
}
