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
	for i, want := range []int{2, 3, 4, 5, 6, 7, 8, 8, 8, 8, 8, 8, 8, 8, 8, 9} { // it doubles in a round, to 8, then grows by one
		b := must(t, m, now)
		if b.Tasks[0].Attempt != 0 {
			t.Fatal("throttling was counted as an attempt")
		}
		settle(t, b)
		m.End(b, Outcome{Ran: 1}, now)
		if n := int(m.flow.limit); n != want {
			t.Errorf("the limit is %d after %d that ended well, not %d", n, i+1, want)
		}
	}
}

// TestThrottleRecovers: what was too many is found again in rounds whose number does not follow the backend's size, and the
// limit never grows beyond it.
func TestThrottleRecovers(t *testing.T) {
	for _, outage := range []time.Duration{0, time.Minute} {
		const most, takes = 10_000, 3_000
		f := NewFlow(most)
		now, refused, rounds := start, 0, 0
		for range 50 {
			now = now.Add(time.Minute)
			n := int(f.limit)
			for range n {
				f.begin()
			}
			busy := n > takes || now.Sub(start) <= outage
			for i := range n {
				f.over()
				if busy && (i >= takes || outage > 0) {
					refused++
					f.throttled(now, 0)
				} else {
					f.ended()
				}
			}
			if rounds++; rounds > 30 && n < takes/3 {
				t.Errorf("after %d rounds %d of %d are under way", rounds, n, takes)
			}
		}
		if f.limit > most || refused == 0 {
			t.Errorf("a limit of %v, %d refused", f.limit, refused)
		}
	}
}

// TestThrottleShared: jobs on one backend hold back together, none of them for good, and each may have one under way.
func TestThrottleShared(t *testing.T) {
	f := NewFlow(8)
	one := filled(Policy{Concurrency: 8, BatchSize: 1, Flow: f}, 20, 1)
	two := filled(Policy{Concurrency: 8, BatchSize: 1, Flow: f}, 20, 1)
	var under []*Batch
	for range 8 {
		under = append(under, must(t, one, start))
	}
	one.End(under[0], Outcome{Err: errBusy}, start)
	if b, again := two.Next(start); b != nil || again.Sub(start) != 50*time.Millisecond {
		t.Fatalf("a job begins at once what another was refused; again in %v", again.Sub(start))
	}
	now := start.Add(time.Second)
	first := must(t, two, now)
	if b, again := two.Next(now); b != nil || again.Sub(now) != elsewhere {
		t.Errorf("a second one begins beside the other's seven, of four; again in %v", again.Sub(now))
	}
	for _, b := range under[1:6] {
		settle(t, b)
		one.End(b, Outcome{Ran: 1}, now)
	}
	must(t, two, now)
	settle(t, first)
	two.End(first, Outcome{Ran: 1}, now)
	if f.flying != 3 {
		t.Errorf("%d under way, not 3", f.flying)
	}

	calm := NewFlow(1) // without throttling nobody waits for the other
	one, two = filled(Policy{Concurrency: 1, Flow: calm}, 20, 1), filled(Policy{Concurrency: 1, Flow: calm}, 20, 1)
	must(t, one, start)
	must(t, two, start)
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
