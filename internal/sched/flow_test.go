package sched

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/gowren/gowren/backends"
)

var errBusy = fmt.Errorf("slow down: %w", backends.ErrThrottled)

// TestThrottle: it counts as no attempt; the number of invocations halves and grows again.
func TestThrottle(t *testing.T) {
	m := filled(Policy{Concurrency: 16, BatchSize: 1, Random: func() float64 { return 0 }}, 200, 1)
	now, pause := start, 50*time.Millisecond
	for want := 8; want >= 1; want /= 2 {
		var under []*Batch
		for {
			b, _ := m.Next(now)
			if b == nil {
				break
			}
			under = append(under, b)
		}
		if len(under) != 2*want {
			t.Fatalf("%d under way, not %d", len(under), 2*want)
		}
		for _, b := range under { // all are the same news
			m.End(b, Outcome{Err: errBusy}, now)
		}
		addUp(t, m, 200)
		if _, again := m.Next(now); again.Sub(now) != pause {
			t.Fatalf("a pause of %v, not %v", again.Sub(now), pause)
		}
		now, pause = now.Add(pause), 2*pause
	}
	for range 150 { // it grows by one for each round that ends well
		b := must(t, m, now)
		if b.Tasks[0].Attempt != 0 {
			t.Fatal("throttling was counted as an attempt")
		}
		settle(t, b)
		m.End(b, Outcome{Ran: 1}, now)
	}
	if n := m.flow.limit(); n < 14 || n > 16 {
		t.Errorf("the limit has grown to %d of 16", n)
	}
}

func TestThrottleGivesUp(t *testing.T) {
	// relief is what happens in the middle, after which the patience is whole again.
	for name, relief := range map[string]error{"": errBusy, "a result": nil, "a lost worker": errLost} {
		m := filled(Policy{BatchSize: 1, Retries: 1}, 2, 1)
		now := start
		eased := start
		for m.Err() == nil && now.Sub(start) < time.Hour {
			b, again := m.Next(now)
			if b == nil {
				now = again
				continue
			}
			err := errBusy
			if name != "" && eased.Equal(start) && now.Sub(start) > 4*time.Minute {
				eased, err = now, relief
				if relief == nil {
					settle(t, b)
				}
			}
			m.End(b, Outcome{Err: err}, now)
		}
		if took := now.Sub(eased); !errors.Is(m.Err(), backends.ErrThrottled) || took < patience || took > patience+30*time.Second {
			t.Errorf("%q: gave up after %v: %v", name, took, m.Err())
		}
		addUp(t, m, 2)
	}
}

// TestBarren: workers that hand everything back for ever end the job; some that do so, as when a platform replaces all
// of its workers at once, or throttles now and then, do not.
func TestBarren(t *testing.T) {
	for _, throttle := range []bool{false, true} {
		m := filled(Policy{Concurrency: 10, BatchSize: 5}, 50, 1)
		now := start
		for i := 0; !m.Finished() && i < 1000; i++ {
			b, again := m.Next(now)
			if b == nil {
				now = again
				continue
			}
			var err error
			if throttle && i%3 == 0 {
				err = errBusy
			}
			m.End(b, Outcome{Err: err}, now)
			addUp(t, m, 50)
		}
		if !errors.Is(m.Err(), errBarren) {
			t.Errorf("%+v, %v", m.Counts(), m.Err())
		}
	}
	m := filled(Policy{Concurrency: 100, BatchSize: 5}, 500, 1)
	var under []*Batch
	for range 100 {
		under = append(under, must(t, m, start))
	}
	for _, b := range under {
		m.End(b, Outcome{}, start)
	}
	for !m.Finished() {
		b := must(t, m, start)
		_, _ = b.Settle(0)
		m.End(b, Outcome{Ran: 1}, start)
	}
	if c := m.Counts(); m.Err() != nil || c.Settled != 500 || c.Retried != 0 {
		t.Errorf("%+v, %v", c, m.Err())
	}
}

func TestFatal(t *testing.T) {
	for _, err := range []error{backends.ErrRefused, backends.ErrInvalid, &refusedError{"no such function"}} {
		m := filled(Policy{Concurrency: 2, BatchSize: 2}, 10, 1)
		a, b := must(t, m, start), must(t, m, start)
		m.End(a, Outcome{Err: fmt.Errorf("it says: %w", err)}, start)
		if x, again := m.Next(start); x != nil || !again.IsZero() || m.Finished() {
			t.Errorf("%v: a batch follows, or none was under way", err)
		}
		m.End(b, Outcome{Err: errLost}, start)
		if !m.Finished() || !errors.Is(m.Err(), err) || m.queue.len() != 0 || m.Bytes() != 0 {
			t.Errorf("%v: %v", err, m.Err())
		}
		addUp(t, m, 10)
		m.Stop(errLost)
		if errors.Is(m.Err(), errLost) {
			t.Error("a later reason replaced the first")
		}
	}
}
