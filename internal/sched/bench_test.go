package sched

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkMachine is all that a machine does for a task. The cost of one must not grow with their number.
func BenchmarkMachine(b *testing.B) {
	for _, tasks := range []int{1_000, 10_000, 100_000, 1_000_000} {
		b.Run(fmt.Sprintf("tasks=%d", tasks), func(b *testing.B) { benchmark(b, tasks, 100, nil) })
	}
	b.Run("tasks=100000/batch=1", func(b *testing.B) { benchmark(b, 100_000, 1, nil) })
	b.Run("tasks=100000/lost=1in3", func(b *testing.B) {
		n := 0
		benchmark(b, 100_000, 100, func() error {
			if n++; n%3 == 0 {
				return errLost
			}
			return nil
		})
	})
}

// queued is how many tasks wait at once, as in a job.
const queued = 64 << 10

func benchmark(b *testing.B, tasks, batch int, outcome func() error) {
	b.ReportAllocs()
	data := make([]byte, 8)
	for b.Loop() {
		m := NewMachine(Policy{Concurrency: 1000, CPUs: 4, BatchSize: batch, BatchBytes: 1 << 20, Retries: 1000})
		pushed := 0
		for now := start; !m.Finished(); now = now.Add(time.Microsecond) {
			for ; pushed < tasks && m.pending() < queued; pushed++ {
				m.Push(Task{Index: int64(pushed), Data: data})
			}
			if pushed == tasks {
				m.Close()
			}
			x, again := m.Next(now)
			if x == nil {
				now = again
				continue
			}
			o := Outcome{Ran: len(x.Tasks), Busy: time.Millisecond}
			if outcome != nil {
				o.Err = outcome()
			}
			if o.Err == nil {
				settle(b, x)
			}
			m.End(x, o, now)
			if m.Counts().Queued > int64(tasks) {
				b.Fatal("counts")
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(tasks), "ns/task")
}
