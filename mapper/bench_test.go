package mapper_test

import (
	"context"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/gowren/gowren/mapper"
)

var increment = mapper.Func("bench-increment", func(_ context.Context, x int) (int, error) { return x + 1, nil })

// spin is a task of about 10 µs.
var spin = mapper.Func("bench-spin", func(_ context.Context, x int) (int, error) {
	y := uint32(x) | 1
	for range 4_000 {
		y ^= y << 13
		y ^= y >> 17
		y ^= y << 5
	}
	return int(y), nil
})

func openBench(b *testing.B, backend string) *mapper.Executor {
	b.Helper()
	ex, err := mapper.Open(b.Context(), mapper.Config{Backend: backend, Storage: "file://" + b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := ex.Close(); err != nil {
			b.Error(err)
		}
	})
	return ex
}

var benchBackends = map[string]string{"inproc": "inproc://?workers=2", "local": "local://?workers=2"}

// BenchmarkMap runs a million tasks that do nothing. The floor is the same numbers through two processes' pipes, sixty-four
// under way in each, without any of what makes them tasks.
func BenchmarkMap(b *testing.B) {
	const tasks = 1_000_000
	inputs := make([]int, tasks)
	for i := range inputs {
		inputs[i] = i
	}
	for name, url := range benchBackends {
		b.Run(name, func(b *testing.B) {
			ex := openBench(b, url)
			for b.Loop() {
				out, err := mapper.Map(b.Context(), ex, increment, inputs)
				if err != nil || out[tasks-1] != tasks {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(tasks*b.N)/b.Elapsed().Seconds(), "tasks/s")
		})
	}
	b.Run("floor-pipes", func(b *testing.B) {
		echoes := []*echo{startEcho(b), startEcho(b)}
		for b.Loop() {
			done := make(chan error)
			for _, e := range echoes {
				go func() { done <- e.exchange(tasks/2, 64) }()
			}
			for range echoes {
				if err := <-done; err != nil {
					b.Fatal(err)
				}
			}
		}
		b.ReportMetric(float64(tasks*b.N)/b.Elapsed().Seconds(), "tasks/s")
	})
	b.Run("driver-memory", func(b *testing.B) {
		peak := 0.0
		for b.Loop() {
			peak = max(peak, driverPeakMB(b, tasks))
		}
		b.ReportMetric(peak, "peak-MB")
	})
}

// BenchmarkTasks is what a task costs by how many there are: tasks that do nothing, and tasks of 10 µs.
func BenchmarkTasks(b *testing.B) {
	ex := openBench(b, benchBackends["local"])
	for name, f := range map[string]mapper.Function[int, int]{"nothing": increment, "10µs": spin} {
		for _, tasks := range []int{1_000, 10_000, 100_000, 1_000_000} {
			if name != "nothing" && tasks > 100_000 {
				continue
			}
			b.Run(fmt.Sprintf("%s/%d", name, tasks), func(b *testing.B) {
				inputs := make([]int, tasks)
				least := time.Duration(math.MaxInt64)
				for b.Loop() {
					began := time.Now()
					if _, err := mapper.Map(b.Context(), ex, f, inputs); err != nil {
						b.Fatal(err)
					}
					least = min(least, time.Since(began))
				}
				b.ReportMetric(float64(least.Nanoseconds())/float64(tasks), "least-ns/task")
			})
		}
	}
}

// BenchmarkStart is BenchmarkMap over an iterator, its results read as they come.
func BenchmarkStart(b *testing.B) {
	const tasks = 1_000_000
	ex := openBench(b, benchBackends["local"])
	for b.Loop() {
		job, err := mapper.Start(b.Context(), ex, increment, mapper.Inputs(func(yield func(int) bool) {
			for i := range tasks {
				if !yield(i) {
					return
				}
			}
		}))
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for _, err := range job.Results() {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != tasks {
			b.Fatalf("%d results", n)
		}
	}
	b.ReportMetric(float64(tasks*b.N)/b.Elapsed().Seconds(), "tasks/s")
}

// BenchmarkCall is one task on a warm worker. The floor is eight bytes there and back between two processes.
func BenchmarkCall(b *testing.B) {
	for name, url := range benchBackends {
		b.Run(name, func(b *testing.B) {
			ex := openBench(b, url)
			b.ReportAllocs()
			for b.Loop() {
				if out, err := mapper.Call(b.Context(), ex, increment, 1); err != nil || out != 2 {
					b.Fatal(out, err)
				}
			}
		})
	}
	b.Run("floor-pipe", func(b *testing.B) {
		e := startEcho(b)
		for b.Loop() {
			if err := e.exchange(1, 1); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkCold is the time from Map to the first result where no worker runs yet. The floor is to start the same program
// again and wait for one byte of it.
func BenchmarkCold(b *testing.B) {
	b.Run("local", func(b *testing.B) {
		var took time.Duration
		for b.Loop() {
			ex, err := mapper.Open(b.Context(), mapper.Config{Backend: "local://?workers=2", Storage: "file://" + b.TempDir()})
			if err != nil {
				b.Fatal(err)
			}
			begun := time.Now()
			if _, err := mapper.Map(b.Context(), ex, increment, []int{1}); err != nil {
				b.Fatal(err)
			}
			took += time.Since(begun)
			if err := ex.Close(); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(took.Microseconds())/1000/float64(b.N), "first-result-ms")
	})
	b.Run("floor-exec", func(b *testing.B) {
		var took time.Duration
		for b.Loop() {
			begun := time.Now()
			e := newEcho(b)
			if err := e.exchange(1, 1); err != nil {
				b.Fatal(err)
			}
			took += time.Since(begun)
			e.stop(b)
		}
		b.ReportMetric(float64(took.Microseconds())/1000/float64(b.N), "first-result-ms")
	})
}
