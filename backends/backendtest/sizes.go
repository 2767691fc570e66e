package backendtest

import (
	"bytes"
	"testing"
	"time"

	"github.com/gowren/gowren/mapper"
)

const minute = time.Minute

// sizeCases: values of every size travel, and leave nothing in the bucket.
var sizeCases = []testCase{
	{name: "sizes/large inputs", run: func(t *testing.T, h *harness) {
		inputs := make([]order, 6)
		for i := range inputs {
			inputs[i] = order{What: "data given", Data: pattern(3<<20 + i)}
		}
		inputs[3].Data = pattern(10)
		got, err := mapper.Map(t.Context(), h.executor(t, mapper.Options{BatchSize: 2}), do, inputs)
		if err != nil {
			t.Fatal(err)
		}
		for i, a := range got {
			if a.N != len(inputs[i].Data) {
				t.Errorf("task %d got %d bytes, want %d", i, a.N, len(inputs[i].Data))
			}
		}
		h.wantEmpty(t)
	}},
	{name: "sizes/large results", run: func(t *testing.T, h *harness) {
		inputs := make([]order, 20)
		for i := range inputs {
			inputs[i] = order{What: "data", N: 3<<20 + i}
		}
		inputs[7].N, inputs[8].N = 0, 1<<20-100
		h.wantData(t, inputs, mapper.Options{BatchSize: 4})
	}},
	{name: "sizes/around the inline limit", run: func(t *testing.T, h *harness) {
		var inputs []order
		for n := 1<<20 - 100; n < 1<<20+100; n += 13 {
			inputs = append(inputs, order{What: "data", N: n})
		}
		h.wantData(t, inputs, mapper.Options{})
	}},
	{name: "sizes/very large result", slow: true, run: func(t *testing.T, h *harness) {
		h.wantData(t, []order{{What: "data", N: veryLarge}}, mapper.Options{})
	}},
}

// wantData checks that each task returns as many bytes as it was told to, and that the bucket is empty afterwards.
func (h *harness) wantData(t *testing.T, inputs []order, o mapper.Options) {
	t.Helper()
	got, err := mapper.Map(t.Context(), h.executor(t, o), do, inputs)
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range got {
		if !bytes.Equal(a.Data, pattern(inputs[i].N)) {
			t.Errorf("result %d has %d bytes, not the %d that were returned", i, len(a.Data), inputs[i].N)
		}
	}
	h.wantEmpty(t)
}
