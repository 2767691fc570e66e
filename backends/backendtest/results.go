package backendtest

import (
	"context"
	"fmt"
	"testing"

	"github.com/gowren/gowren/mapper"
)

// resultCases: one result for each input, in their order, whatever the batches.
var resultCases = []testCase{
	{name: "results/in order", run: func(t *testing.T, h *harness) {
		for _, n := range []int{0, 1, 10, 10_000} {
			got, err := mapper.Map(t.Context(), h.executor(t, mapper.Options{}), echo, ints(n))
			if err != nil {
				t.Fatal(err)
			}
			wantInts(t, got, n)
		}
	}},
	{name: "results/batches", run: func(t *testing.T, h *harness) {
		for _, size := range []int{1, 3, 1000} {
			for _, n := range []int{1, 10, 1500} {
				got, err := mapper.Map(t.Context(), h.executor(t, mapper.Options{BatchSize: size}), echo, ints(n))
				if err != nil {
					t.Fatalf("batches of %d: %v", size, err)
				}
				wantInts(t, got, n)
			}
		}
	}},
	{name: "results/nil", run: func(t *testing.T, h *harness) {
		ex := h.executor(t, mapper.Options{BatchSize: 2})
		got, err := mapper.Map(t.Context(), ex, nils, []bool{true, false, true})
		if err != nil {
			t.Fatal(err)
		}
		for i, r := range got {
			isNil := r.Pointer == nil && r.Slice == nil && r.Map == nil && r.Any == nil
			if isNil != (i != 1) {
				t.Errorf("result %d is %+v", i, r)
			}
		}
		pointers, err := mapper.Map(t.Context(), ex, nilPointer, []bool{true, false})
		if err != nil || len(pointers) != 2 || pointers[0] != nil || pointers[1] == nil || *pointers[1] != 7 {
			t.Errorf("pointers %v, %v", pointers, err)
		}
		anys, err := mapper.Map(t.Context(), ex, nilAny, []bool{true, false})
		if err != nil || len(anys) != 2 || anys[0] != nil || fmt.Sprint(anys[1]) != "seven" {
			t.Errorf("interfaces %v, %v", anys, err)
		}
		slices, err := mapper.Map(t.Context(), ex, nilSlice, []bool{true, false})
		if err != nil || len(slices) != 2 || slices[0] != nil || slices[1] == nil {
			t.Errorf("slices %v, %v", slices, err)
		}
		maps, err := mapper.Map(t.Context(), ex, nilMap, []bool{true, false})
		if err != nil || len(maps) != 2 || maps[0] != nil || maps[1] == nil {
			t.Errorf("maps %v, %v", maps, err)
		}
	}},
	{name: "results/task", run: func(t *testing.T, h *harness) {
		for _, limited := range []bool{false, true} {
			o := mapper.Options{BatchSize: 2}
			if limited {
				o.Timeout = minute
			}
			got, err := mapper.Map(t.Context(), h.executor(t, o), do, []order{{What: "who"}, {What: "who"}, {What: "who"}})
			if err != nil {
				t.Fatal(err)
			}
			for i, a := range got {
				if want := fmt.Sprintf("backendtest/do %d 1 %t", i, limited); a.Text != want {
					t.Errorf("the task is told that it is %q, want %q", a.Text, want)
				}
			}
		}
	}},
	{name: "results/start", run: func(t *testing.T, h *harness) {
		job, err := mapper.Start(t.Context(), h.executor(t, mapper.Options{}), echo, mapper.Inputs(seq(5000)))
		if err != nil {
			t.Fatal(err)
		}
		seen := map[int]bool{}
		for r, err := range job.Results() {
			if err != nil {
				t.Fatal(err)
			}
			if r.Value != r.Index || seen[r.Index] {
				t.Fatalf("result %d is %d, seen before: %t", r.Index, r.Value, seen[r.Index])
			}
			seen[r.Index] = true
		}
		if len(seen) != 5000 {
			t.Errorf("%d results of 5000 inputs", len(seen))
		}
	}},
}

func seq(n int) func(yield func(int) bool) {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				return
			}
		}
	}
}

type maybeNil struct {
	Pointer *int
	Slice   []string
	Map     map[string]int
	Any     any
}

var (
	nils = mapper.Func("backendtest/nils", func(_ context.Context, isNil bool) (maybeNil, error) {
		if isNil {
			return maybeNil{}, nil
		}
		return maybeNil{new(int), []string{}, map[string]int{}, 1}, nil
	})
	nilPointer = mapper.Func("backendtest/nil pointer", func(_ context.Context, isNil bool) (*int, error) {
		if isNil {
			return nil, nil
		}
		n := 7
		return &n, nil
	})
	nilAny = mapper.Func("backendtest/nil interface", func(_ context.Context, isNil bool) (any, error) {
		if isNil {
			return nil, nil
		}
		return "seven", nil
	})
	nilSlice = mapper.Func("backendtest/nil slice", func(_ context.Context, isNil bool) ([]int, error) {
		if isNil {
			return nil, nil
		}
		return []int{}, nil
	})
	nilMap = mapper.Func("backendtest/nil map", func(_ context.Context, isNil bool) (map[string]int, error) {
		if isNil {
			return nil, nil
		}
		return map[string]int{}, nil
	})
)
