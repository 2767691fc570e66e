package mapper_test

import (
	"context"
	"os"
	"runtime"
	"testing"

	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/mapper/mappertest"
)

var (
	memoryNumber = mapper.Func("memory-number", func(_ context.Context, x int) (int, error) { return x + 1, nil })
	memoryBlock  = mapper.Func("memory-block", func(_ context.Context, b []byte) ([]byte, error) { return b, nil })
)

// live is the heap that is in use.
func live() int {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc)
}

// TestStartMemory: memory in the driver is bounded whatever the number of tasks, also where their results are read more
// slowly than they come. It does not run beside other tests: their memory would count.
func TestStartMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("it runs a million tasks")
	}
	const n, most = 1_000_000, 60 << 20
	ex := open(t, "local://?workers=2")
	job, err := mapper.Start(t.Context(), ex, memoryNumber, mapper.Inputs(func(yield func(int) bool) {
		for i := 0; i < n && yield(i); i++ {
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	seen, peak := make([]uint64, n/64), 0
	got := 0
	for r, err := range job.Results() {
		if err != nil {
			t.Fatal(err)
		}
		if bit := uint64(1) << (r.Index % 64); r.Value != r.Index+1 || seen[r.Index/64]&bit != 0 {
			t.Fatalf("%+v is wrong, or came before", r)
		} else {
			seen[r.Index/64] |= bit
		}
		if got++; got%50_000 == 1 { // a pause of its own
			peak = max(peak, live())
		}
	}
	if got != n {
		t.Errorf("%d results of %d", got, n)
	}
	t.Logf("%.1f MB at most", float64(peak)/(1<<20))
	if peak > most {
		t.Errorf("%d bytes are in use, more than %d", peak, most)
	}
}

// TestStartMemoryLarge: large inputs and results go through a driver that holds a small part of it.
func TestStartMemoryLarge(t *testing.T) {
	if testing.Short() {
		t.Skip("it moves much data")
	}
	const n, size, most = 600, 256 << 10, 60 << 20
	block := make([]byte, size)
	job, err := mapper.Start(t.Context(), open(t, "local://?workers=2"), memoryBlock, mapper.Inputs(func(yield func([]byte) bool) {
		for i := 0; i < n && yield(block); i++ {
		}
	}))
	if err != nil {
		t.Fatal(err)
	}
	peak, got := 0, 0
	for r, err := range job.Results() {
		if err != nil || len(r.Value) != size {
			t.Fatal(len(r.Value), err)
		}
		if got++; got%100 == 1 {
			peak = max(peak, live())
		}
	}
	if got != n {
		t.Errorf("%d results of %d", got, n)
	}
	t.Logf("%.1f MB at most", float64(peak)/(1<<20))
	if peak > most {
		t.Errorf("%d bytes are in use, more than %d", peak, most)
	}
}

// TestCallsLeaveNothing: a thousand calls leave no memory, goroutines or open files behind.
func TestCallsLeaveNothing(t *testing.T) {
	for name, ex := range map[string]*mapper.Executor{"inproc": mappertest.New(t), "local": open(t, "local://?workers=2")} {
		call := func(n int) {
			for i := range n {
				if got, err := mapper.Call(t.Context(), ex, memoryNumber, i); got != i+1 || err != nil {
					t.Fatal(got, err)
				}
			}
		}
		call(100)
		memory, goroutines, files := live(), runtime.NumGoroutine(), openFiles()
		call(1000)
		if more := live() - memory; more > 256<<10 {
			t.Errorf("%s: %d bytes more are in use", name, more)
		}
		if more := runtime.NumGoroutine() - goroutines; more > 3 {
			t.Errorf("%s: %d goroutines more", name, more)
		}
		if more := openFiles() - files; more > 2 {
			t.Errorf("%s: %d open files more", name, more)
		}
	}
}

// openFiles is how many files this process has open, where the system tells.
func openFiles() int {
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return 0
	}
	return len(list)
}

// TestNoJob: an executor without a job starts nothing.
func TestNoJob(t *testing.T) {
	goroutines := runtime.NumGoroutine()
	for range 20 {
		for _, backend := range []string{"inproc", "local"} {
			ex, err := mapper.Open(t.Context(), mapper.Config{Backend: backend, Storage: "file:///nonexistent/gowren"})
			if err != nil {
				t.Fatal(err)
			}
			if err := ex.Close(); err != nil {
				t.Error(err)
			}
		}
	}
	if more := runtime.NumGoroutine() - goroutines; more > 2 {
		t.Errorf("%d goroutines more", more)
	}
}
