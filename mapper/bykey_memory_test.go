package mapper_test

import (
	"context"
	"fmt"
	"iter"
	"sync/atomic"
	"testing"

	"github.com/gowren/gowren/mapper"
)

// What the tasks below have in their process's memory at most. They run one at a time.
var heapPeak atomic.Int64

func lookAtHeap() { heapPeak.Store(max(heapPeak.Load(), int64(live()))) }

const (
	heapRecords = 30_000
	heapSize    = 1000 // bytes of a value
	heapBuffer  = 3 << 20
)

var (
	// heapEmit emits ten times the buffer. Its input is the number of keys.
	heapEmit = mapper.Emit("heap-emit", func(_ context.Context, keys int, emit func(int, string)) error {
		for i := range heapRecords {
			emit(i%keys, fmt.Sprintf("%0*d", heapSize, i))
			if i%5000 == 4999 {
				lookAtHeap()
			}
		}
		return nil
	})
	heapReduce = mapper.ReduceByKey("heap-reduce", func(_ context.Context, _ int, values iter.Seq[string]) (int, error) {
		n := 0
		for v := range values {
			n += len(v)
			if heapSeen.Add(1)%5000 == 4999 {
				lookAtHeap()
			}
		}
		return n, nil
	})
	heapSeen atomic.Int64
	heapFold = mapper.ReduceByKey("heap-fold", func(_ context.Context, _ int, values iter.Seq[string]) (int, error) {
		n := 0
		for v := range values {
			n += len(v)
		}
		return n, nil
	}).Combine(func(a, b string) string { return a + b })
	heapSort = mapper.Emit("heap-sort", func(_ context.Context, keys int, emit func(int, []byte)) error {
		for i := range heapRecords {
			emit(i%keys, fmt.Appendf(nil, "%0*d", heapSize, i))
			if i%5000 == 4999 {
				lookAtHeap()
			}
		}
		return nil
	})
)

// TestByKeyMemory: memory is that of the buffer, where a map task emits ten times as much, and where a reduce task gets all
// of it, under many keys or a single one. It does not run beside other tests: their memory would count.
func TestByKeyMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("it moves much data")
	}
	ex := open(t, "inproc://?workers=1").With(mapper.Options{Buffer: heapBuffer, Partitions: 1})
	const most = 3 * heapBuffer // it holds records, what sorts them, and what is uploaded or merged
	for _, c := range []struct {
		name string
		keys int
		run  func(keys int) (int, error)
	}{
		{"one key", 1, heapJob(t, ex, heapReduce)},
		{"many keys", heapRecords, heapJob(t, ex, heapReduce)},
		{"with a Combine", heapRecords, heapJob(t, ex, heapFold)},
		{"sort", heapRecords, func(keys int) (int, error) {
			m, err := mapper.Sort(t.Context(), ex, heapSort, []int{keys}, "file://"+t.TempDir())
			n := 0
			for _, p := range m.Parts {
				n += int(p.Size)
			}
			return n, err
		}},
	} {
		base := live()
		heapPeak.Store(0)
		n, err := c.run(c.keys)
		if err != nil || n != heapRecords*heapSize {
			t.Fatalf("%s: %d bytes, %v", c.name, n, err)
		}
		peak := int(heapPeak.Load()) - base
		t.Logf("%s: %.1f MB, for a buffer of %.1f", c.name, float64(peak)/(1<<20), heapBuffer/float64(1<<20))
		if peak > most {
			t.Errorf("%s: %d bytes, more than %d", c.name, peak, most)
		}
	}
}

// heapJob returns a job that adds up how many bytes of values there are.
func heapJob(t *testing.T, ex *mapper.Executor, r mapper.Reducer[int, string, int]) func(keys int) (int, error) {
	return func(keys int) (int, error) {
		pairs, err := mapper.MapReduceByKey(t.Context(), ex, heapEmit, r, []int{keys})
		n := 0
		for _, p := range pairs {
			n += p.Value
		}
		return n, err
	}
}
