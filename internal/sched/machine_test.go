package sched

import (
	"errors"
	"fmt"
	"math/bits"
	"testing"
	"time"

	"github.com/gowren/gowren/backends"
)

var errLost = errors.New("the worker is gone")

// start is when all machines of these tests begin.
var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// filled has so many tasks of so many bytes, and no more to come.
func filled(p Policy, tasks, size int) *Machine {
	m := NewMachine(p)
	for i := range tasks {
		m.Push(Task{Index: int64(i), Data: make([]byte, size)})
	}
	m.Close()
	return m
}

// settle gives results for all of a batch.
func settle(t testing.TB, b *Batch) {
	t.Helper()
	for i := range b.Tasks {
		if first, err := b.Settle(i); !first || err != nil {
			t.Fatal(first, err)
		}
	}
}

// must is Next where a batch is due.
func must(t *testing.T, m *Machine, now time.Time) *Batch {
	t.Helper()
	b, again := m.Next(now)
	if b == nil {
		t.Fatalf("no batch; ask again in %v", again.Sub(now))
	}
	return b
}

// addUp checks that no task is lost or counted twice.
func addUp(t *testing.T, m *Machine, pushed int) {
	t.Helper()
	if c := m.Counts(); c.Queued+c.Running+c.Settled != int64(pushed) || c.Queued < 0 || c.Running < 0 {
		t.Fatalf("%+v does not add up to %d", c, pushed)
	}
}

func TestBatchSizes(t *testing.T) {
	m := filled(Policy{Concurrency: 4, CPUs: 2}, 100_000, 1)
	now, last := start, 0
	for i := range 6 { // tasks of 100 µs, 1 ms beside them: aimed at 100 ms on 2 CPUs, which is 2,000 tasks
		b := must(t, m, now)
		n := len(b.Tasks)
		if i == 0 && n != 2 {
			t.Errorf("the first batch has %d tasks; one for each CPU is enough to learn from", n)
		}
		if i > 0 && n > growth*last {
			t.Errorf("a batch of %d follows one of %d", n, last)
		}
		last = n
		settle(t, b)
		busy := time.Duration(n) * 100 * time.Microsecond
		now = now.Add(busy/2 + time.Millisecond)
		m.End(b, Outcome{Ran: n, Busy: busy}, now)
	}
	if last < 1900 || last > 2100 {
		t.Errorf("batches have come to %d tasks", last)
	}
	for !m.Finished() { // toward the end they shrink, so that all workers end together
		waiting := m.queue.len()
		b := must(t, m, now)
		if share := (waiting + 7) / 8; len(b.Tasks) > max(share, 2) {
			t.Fatalf("a batch of %d of %d waiting tasks", len(b.Tasks), waiting)
		}
		settle(t, b)
		m.End(b, Outcome{Ran: len(b.Tasks), Busy: time.Duration(len(b.Tasks)) * 100 * time.Microsecond}, now.Add(time.Millisecond))
	}
	addUp(t, m, 100_000)
}

func TestBatchBounds(t *testing.T) {
	for name, c := range map[string]struct {
		p     Policy
		size  int
		tasks int
		want  []int
	}{
		"fixed size":              {Policy{BatchSize: 4}, 1, 10, []int{4, 4, 2}},
		"bytes":                   {Policy{BatchSize: 100, BatchBytes: 10}, 4, 5, []int{2, 2, 1}},
		"bytes, to the last":      {Policy{BatchSize: 100, BatchBytes: 8}, 4, 4, []int{2, 2}},
		"one task over the limit": {Policy{BatchSize: 100, BatchBytes: 10}, 11, 2, []int{1, 1}},
		"nothing is a limit of 1": {Policy{}, 1, 2, []int{1, 1}},
		"fewer tasks than CPUs":   {Policy{CPUs: 8}, 1, 3, []int{3}},
	} {
		m := filled(c.p, c.tasks, c.size)
		for _, want := range c.want {
			b := must(t, m, start)
			if len(b.Tasks) != want {
				t.Errorf("%s: %d tasks, not %d", name, len(b.Tasks), want)
			}
			settle(t, b)
			m.End(b, Outcome{}, start)
		}
		if !m.Finished() || m.Bytes() != 0 {
			t.Errorf("%s: tasks are left", name)
		}
	}
}

// TestSizesAfterLies: what a worker claims must not turn into sizes that are no sizes.
func TestSizesAfterLies(t *testing.T) {
	for _, o := range []Outcome{{Ran: 1 << 62, Busy: 1}, {Ran: 1, Busy: 1 << 62}, {Ran: 1 << 62, Busy: 1 << 62}, {Ran: -1}, {Ran: 1}} {
		m := filled(Policy{Concurrency: 2, CPUs: 4}, 1000, 1)
		for range 5 {
			b := must(t, m, start)
			if len(b.Tasks) == 0 || len(b.Tasks) > 500 {
				t.Fatalf("%+v: a batch of %d", o, len(b.Tasks))
			}
			settle(t, b)
			m.End(b, o, start)
		}
	}
}

func TestRetries(t *testing.T) {
	m := filled(Policy{Retries: 3}, 1, 1)
	now := start
	for attempt := 1; ; attempt++ {
		b := must(t, m, now)
		if int(b.Tasks[0].Attempt) != attempt-1 {
			t.Fatalf("attempt %d is counted as %d", attempt, b.Tasks[0].Attempt)
		}
		settle(t, b)
		n, final := m.Failed(b.Tasks[0], true, now)
		m.End(b, Outcome{Ran: 1}, now)
		addUp(t, m, 1)
		if n != attempt || final != (attempt == 4) {
			t.Fatalf("attempt %d: %d, %v", attempt, n, final)
		}
		if final {
			break
		}
		wait := 20 * time.Millisecond << (attempt - 1)
		if b, again := m.Next(now.Add(wait - 1)); b != nil || !again.Equal(now.Add(wait)) {
			t.Fatalf("attempt %d is not put off by %v", attempt+1, wait)
		}
		now = now.Add(wait)
	}
	if c := m.Counts(); !m.Finished() || c.Failed != 1 || c.Retried != 3 || c.Settled != 1 {
		t.Errorf("%+v", c)
	}
	// What another attempt would not help is final at once.
	m = filled(Policy{Retries: 3}, 1, 1)
	b := must(t, m, start)
	settle(t, b)
	if n, final := m.Failed(b.Tasks[0], false, start); n != 1 || !final {
		t.Error(n, final)
	}
}

func TestDelayBounds(t *testing.T) {
	for _, random := range []float64{0, 0.5, 0.999} {
		m := NewMachine(Policy{Random: func() float64 { return random }})
		for attempt := 1; attempt < 100; attempt++ {
			full := 5 * time.Second
			if attempt < 9 {
				full = 20 * time.Millisecond << (attempt - 1)
			}
			if d := m.delay(attempt); d > full || d < full/2 {
				t.Fatalf("attempt %d waits %v", attempt, d)
			}
		}
	}
}

// TestRetriesBatched: tasks to be tried again go together, within the batch's bytes; those that killed a worker alone.
func TestRetriesBatched(t *testing.T) {
	m := filled(Policy{BatchSize: 8, BatchBytes: 40, Retries: 1}, 8, 10)
	m.policy.BatchBytes = 0
	b := must(t, m, start)
	settle(t, b)
	for i := range b.Tasks {
		m.failed(b.Tasks[i], true, i == 4, start)
		m.counts.Settled--
	}
	m.End(b, Outcome{Ran: 8}, start)
	addUp(t, m, 8)
	m.policy.BatchBytes = 40
	left, now := 8, start.Add(time.Second)
	for left > 0 {
		b := must(t, m, now)
		for _, task := range b.Tasks {
			if len(b.Tasks) > 4 || task.Index == 4 && len(b.Tasks) > 1 {
				t.Fatalf("%d tasks with task %d", len(b.Tasks), task.Index)
			}
		}
		left -= len(b.Tasks)
		settle(t, b)
		m.End(b, Outcome{}, now)
	}
}

func TestLostAlone(t *testing.T) {
	m := filled(Policy{Retries: 2}, 1, 1)
	now := start
	for attempt := 1; attempt <= 3; attempt++ {
		b := must(t, m, now)
		blamed := m.End(b, Outcome{Err: errLost}, now)
		addUp(t, m, 1)
		if (len(blamed) == 1) != (attempt == 3) {
			t.Fatalf("attempt %d: %v", attempt, blamed)
		}
		if len(blamed) > 0 && (blamed[0].Attempts != 3 || blamed[0].Task.Index != 0) {
			t.Fatal(blamed)
		}
		now = now.Add(time.Second)
	}
	if c := m.Counts(); !m.Finished() || c.Lost != 3 || c.Failed != 1 || c.Settled != 1 {
		t.Errorf("%+v", c)
	}
}

// TestCulprits: tasks that kill their workers are found and named; those with them lose no attempt. Each loss of more
// than one task halves its batch, and a half without a culprit ends well: for each of k culprits that is a path of
// ⌈log2 n⌉ losses and at most as many good halves, and then its attempts.
func TestCulprits(t *testing.T) {
	for _, n := range []int{1, 2, 3, 7, 64, 1000} {
		for _, culprits := range [][]int{{0}, {n - 1}, {n / 2}, {0, n - 1}, {n / 3, n / 3 * 2, n / 2}} {
			for _, throttle := range []int{0, 3} { // each third invocation is throttled: suspects must stay apart
				t.Run(fmt.Sprintf("%d/%v/%d", n, culprits, throttle), func(t *testing.T) { testCulprits(t, n, culprits, throttle) })
			}
		}
	}
}

func testCulprits(t *testing.T, n int, culprits []int, throttle int) {
	const retries = 2
	m := filled(Policy{Concurrency: 3, BatchSize: n, Retries: retries}, n, 1)
	bad, left := map[int64]int{}, map[int64]bool{}
	for _, c := range culprits {
		bad[int64(c)] = 0
		left[int64(c)] = true
	}
	now := start
	for i := 1; !m.Finished(); i++ {
		b, again := m.Next(now)
		if b == nil {
			now = again
			continue
		}
		if throttle > 0 && i%throttle == 0 {
			m.End(b, Outcome{Err: backends.ErrThrottled}, now)
			now = now.Add(10 * time.Second)
			addUp(t, m, n)
			continue
		}
		var err error
		for _, task := range b.Tasks {
			if _, kills := bad[task.Index]; kills {
				err = errLost
			} else if task.Attempt != 0 {
				t.Fatalf("task %d has lost an attempt", task.Index)
			}
		}
		if err == nil {
			settle(t, b)
		}
		for _, x := range m.End(b, Outcome{Err: err}, now) {
			if !left[x.Task.Index] || x.Attempts != retries+1 {
				t.Fatalf("%+v", x)
			}
			delete(left, x.Task.Index)
		}
		addUp(t, m, n)
	}
	c := m.Counts()
	bound := int64(1 + len(bad)*(2*bits.Len(uint(n-1))+retries))
	if used := c.Invocations - c.Throttled; len(left) > 0 || used > bound || c.Failed != int64(len(bad)) {
		t.Errorf("%d invocations of at most %d; %d culprits are not found; %+v", used, bound, len(left), c)
	}
}

func TestSettle(t *testing.T) {
	m := filled(Policy{BatchSize: 3}, 3, 1)
	b := must(t, m, start)
	for _, position := range []int{-1, 3, 1 << 40} {
		if _, err := b.Settle(position); err == nil {
			t.Errorf("position %d of 3 is taken", position)
		}
	}
	for i, want := range []bool{true, false, false} {
		if first, err := b.Settle(1); first != want || err != nil {
			t.Errorf("the result number %d: %v, %v", i+1, first, err)
		}
	}
	m.End(b, Outcome{}, start)
	if b := must(t, m, start); len(b.Tasks) != 2 || b.Tasks[0].Index != 0 || b.Tasks[1].Index != 2 {
		t.Errorf("%v runs again", b.Tasks)
	}
	addUp(t, m, 3)
}
