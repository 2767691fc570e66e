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
	for i, want := range []int{8, 11, 13, 14, 15, 16, 16, 16} { // by half of what is missing to the 16 that were refused, and so on
		for range int(m.flow.limit) {
			b := must(t, m, now)
			if b.Tasks[0].Attempt != 0 {
				t.Fatal("throttling was counted as an attempt")
			}
			settle(t, b)
			m.End(b, Outcome{Ran: 1}, now)
		}
		if n := int(m.flow.limit); n < want-1 || n > want+1 {
			t.Errorf("the limit is %d after %d rounds that ended well, not %d", n, i+1, want)
		}
	}
}

// TestThrottleRecovers: how much a backend takes is found again in few rounds, whatever it refused before, and neither too
// much nor too little is asked of it.
func TestThrottleRecovers(t *testing.T) {
	const most, takes = 10_000, 3_000
	for name, outage := range map[string]func(i int) bool{ // whether it refuses, in the first minute
		"none":     nil,
		"all":      func(int) bool { return true },
		"most":     func(i int) bool { return i%10 != 0 },
		"some":     func(i int) bool { return i%10 == 0 },
		"beyond 9": func(i int) bool { return i >= 9 },
	} {
		f := newFlow(most)
		now := start
		rounds, refused, done := 0, 0, 0
		for range 200 {
			now = now.Add(time.Second)
			n := int(f.limit)
			for range n {
				f.begin()
			}
			out := outage != nil && now.Sub(start) < time.Minute
			over := now.Add(200 * time.Millisecond)
			if f.until.After(now) {
				over = f.until
			}
			for i := range n {
				if i >= takes || out && outage(i) {
					f.throttled(over, 0)
					if !out {
						refused++
					}
					continue
				}
				f.ended()
				if !out {
					done++
				}
			}
			if !out {
				rounds++
			}
		}
		t.Logf("%s: %d done, %d refused of %d", name, done, refused, rounds*takes)
		if share := float64(done) / float64(rounds*takes); share < 0.7 {
			t.Errorf("%s: %.2f of what the backend takes are used in %d rounds", name, share, rounds)
		}
		if share := float64(refused) / float64(rounds*takes); share > 0.3 {
			t.Errorf("%s: %.2f of what the backend takes are refused", name, share)
		}
	}
}

// TestThrottlePatience: what another job has under way, or was refused long ago, does not end a job.
func TestThrottlePatience(t *testing.T) {
	f := NewFlow(8)
	policy := Policy{Concurrency: 8, BatchSize: 1, Flow: f}
	one := filled(policy, 20, 1)
	one.End(must(t, one, start), Outcome{Err: errBusy}, start)
	one.Stop(errLost)
	now := start.Add(time.Hour)
	two := filled(policy, 20, 1)
	two.End(must(t, two, now), Outcome{Err: errBusy}, now)
	if two.Err() != nil {
		t.Errorf("a job ends by its first refusal, since another one ended an hour before: %v", two.Err())
	}
	now = now.Add(time.Minute)
	long := filled(policy, 1, 1)
	taken := must(t, long, now)
	for end := now.Add(time.Hour); now.Before(end) && two.Err() == nil; {
		b, again := two.Next(now)
		if b == nil {
			now = again
			continue
		}
		two.End(b, Outcome{Err: errBusy}, now)
	}
	if two.Err() != nil {
		t.Errorf("a job ends though the backend has taken what another has under way: %v", two.Err())
	}
	settle(t, taken)
	long.End(taken, Outcome{Ran: 1}, now)
	addUp(t, two, 20)
}

// TestThrottleFair: of jobs that a backend takes too little for, none is left behind.
func TestThrottleFair(t *testing.T) {
	const takes = 10
	f := NewFlow(100)
	type flight struct {
		m    *Machine
		b    *Batch
		ends time.Time
	}
	var jobs []*Machine
	for range 3 {
		jobs = append(jobs, filled(Policy{Concurrency: 100, BatchSize: 1, Flow: f}, 10_000, 1))
	}
	var under []flight
	asks := make([]time.Time, len(jobs))
	for now := start; now.Sub(start) < 2*time.Minute; now = now.Add(10 * time.Millisecond) {
		for i := 0; i < len(under); i++ {
			if x := under[i]; !x.ends.After(now) {
				settle(t, x.b)
				x.m.End(x.b, Outcome{Ran: 1, Busy: time.Second}, now)
				under = append(under[:i], under[i+1:]...)
				i--
				for k, m := range jobs {
					if m == x.m {
						asks[k] = now // whose invocation is over asks at once
					}
				}
			}
		}
		for k, m := range jobs {
			for !asks[k].IsZero() && !asks[k].After(now) || asks[k].IsZero() {
				b, again := m.Next(now)
				if b == nil {
					if asks[k] = again; again.IsZero() {
						asks[k] = now.Add(time.Hour)
					}
					break
				}
				if len(under) >= takes {
					m.End(b, Outcome{Err: errBusy}, now)
					continue
				}
				under = append(under, flight{m, b, now.Add(time.Second)})
			}
		}
	}
	var all, least int64
	for _, m := range jobs {
		n := m.Counts().Settled
		if all += n; least == 0 || n < least {
			least = n
		}
	}
	t.Logf("%d tasks of %d, %d by the least", all, 120*takes, least)
	if all < 120*takes*6/10 || least < all/3*7/10 {
		t.Errorf("%d tasks done in 120 s where %d were possible, %d of them by the job that has fewest", all, 120*takes, least)
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
