package backendtest

import (
	"context"
	"errors"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/gowren/gowren/mapper"
)

// sharedCases: an argument that all tasks share comes to each of them, and is decoded once a worker.
var sharedCases = []testCase{
	{name: "shared/small", run: func(t *testing.T, h *harness) { h.wantShared(t, 1000) }},
	{name: "shared/large", run: func(t *testing.T, h *harness) { h.wantShared(t, 20<<20) }},
	{name: "shared/cannot be decoded", run: func(t *testing.T, h *harness) {
		for _, n := range []byte{3, 4} {
			got, err := mapper.Map(t.Context(), h.executor(t, mapper.Options{}), withRude.With(rude{n}), ints(3))
			if err == nil {
				t.Errorf("results %v, want an error", got)
			}
		}
	}},
}

func (h *harness) wantShared(t *testing.T, n int) {
	ex := h.executor(t, mapper.Options{BatchSize: 3, Speculation: -1}) // a copy that comes too late decodes the argument, and gives no result
	f := withCounted.With(counted{Data: marked{h.dir, pattern(n)}})
	pids := map[int]bool{}
	for range 3 {
		got, err := mapper.Map(t.Context(), ex, f, ints(60))
		if err != nil {
			t.Fatal(err)
		}
		for i, a := range got {
			if a.N != i+n {
				t.Fatalf("task %d saw %d bytes", i, a.N-i)
			}
			pids[a.PID] = true
		}
		h.wantEmpty(t)
	}
	decoded := h.marks(t, "decoded")
	slices.Sort(decoded)
	if workers := slices.Sorted(maps.Keys(pids)); !slices.Equal(decoded, workers) {
		t.Errorf("workers %v gave results, and %v decoded the argument", workers, decoded)
	}
}

type counted struct{ Data marked }

// marked leaves a mark each time that it is decoded.
type marked struct {
	dir  string
	data []byte
}

func (m marked) MarshalBinary() ([]byte, error) { return append([]byte(m.dir+"\x00"), m.data...), nil }

func (m *marked) UnmarshalBinary(data []byte) error {
	for i, b := range data {
		if b == 0 {
			m.dir, m.data = string(data[:i]), append([]byte{}, data[i+1:]...)
			return mark(m.dir, "decoded")
		}
	}
	return errors.New("no folder")
}

// rude fails to be decoded, or panics.
type rude struct{ n byte }

func (r rude) MarshalBinary() ([]byte, error) { return []byte{r.n}, nil }

func (r *rude) UnmarshalBinary(data []byte) error {
	if len(data) == 1 && data[0] == 4 {
		panic("a rude value")
	}
	return errors.New("no")
}

var (
	withCounted = mapper.FuncWith("backendtest/counted", func(_ context.Context, c counted, x int) (answer, error) {
		return answer{N: x + len(c.Data.data), PID: os.Getpid()}, nil
	})
	withRude = mapper.FuncWith("backendtest/rude", func(context.Context, rude, int) (int, error) { return 1, nil })
)
