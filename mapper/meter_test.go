package mapper

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	"github.com/gowren/gowren/internal/shuffle"
	"github.com/gowren/gowren/serialize"
	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/filestore"
)

// TestFoldedMemory: values that grow as they are folded stay within the buffer, are not spilled each by itself, and those
// that do not grow are not spilled at all.
func TestFoldedMemory(t *testing.T) {
	const buffer = 4 << 20
	grow := func(a, b []byte) []byte { return append(a, b...) }
	first := func(a, _ []byte) []byte { return a }
	value := make([]byte, 100_000)
	b, err := filestore.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	open := func(context.Context) (storage.Bucket, error) { return b, nil }
	for _, c := range []struct {
		name         string
		keys, emits  int
		fold         func(a, b []byte) []byte
		fewest, most int // runs
	}{
		{"one key grows", 1, 600, grow, 10, 40}, // 60 MB in all
		{"few keys grow", 7, 600, grow, 10, 40},
		{"nothing grows", 7, 600, first, 1, 1},
		{"new keys", 600, 600, first, 10, 40},
	} {
		e := &emission[string, []byte]{keys: shuffle.NewKeys[string](), coder: serialize.NewCoder(), fold: c.fold, meter: newMeter[[]byte](), half: buffer / 2}
		e.w = shuffle.NewWriter(t.Context(), shuffle.Plan{Folder: "f", Parts: 1, Buffer: buffer}, "m", open, func(n uint32) ([]byte, error) { return e.encode(e.values[n]) })
		e.stop = func(error) {}
		peak := uint64(0)
		for i := range c.emits {
			e.emitFolded(fmt.Sprint(i%c.keys), value)
			if i%50 == 0 {
				peak = max(peak, heap())
			}
		}
		if e.err != nil {
			t.Fatal(e.err)
		}
		out, err := e.w.Finish()
		e.w.Abort(nil)
		if err != nil {
			t.Fatal(err)
		}
		if n := len(out.Runs); n < c.fewest || n > c.most {
			t.Errorf("%s: %d runs, want %d to %d", c.name, n, c.fewest, c.most)
		}
		if peak > 8*buffer {
			t.Errorf("%s: a heap of %d MB over a buffer of %d MB", c.name, peak>>20, buffer>>20)
		}
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// secret has a field that does not travel, and tagged one that does not either.
type secret struct {
	N int
	n int
}

type tagged struct {
	N int
	M int `msgpack:"-"`
}

// TestFlat: what is folded as it is must be what would come back.
func TestFlat(t *testing.T) {
	if newMeter[struct{ A, B int }]().weight != 0 || newMeter[[3]float64]().weight != 0 {
		t.Error("numbers are not flat")
	}
	if newMeter[secret]().weight == 0 || newMeter[tagged]().weight == 0 {
		t.Error("a struct is flat of which not all travels")
	}
	if newMeter[string]().weight != 1 || newMeter[[]float64]().weight != 1 || newMeter[map[int]bool]().weight <= 1 {
		t.Error("the weights of what is behind pointers")
	}
	_ = secret{n: 1}.n
}
