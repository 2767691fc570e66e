package mapper_test

import (
	"testing"

	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/mapper/mappertest"
)

var (
	zeroSquare = mapper.Func("zero-square", identity)
	zeroSum    = mapper.Combine("zero-sum", plus)
)

// calls are all ways to run a job, each giving its error.
var calls = map[string]func(t *testing.T, ex *mapper.Executor, f mapper.Function[int, int], inputs []int) error{
	"Map": func(t *testing.T, ex *mapper.Executor, f mapper.Function[int, int], inputs []int) error {
		_, err := mapper.Map(t.Context(), ex, f, inputs)
		return err
	},
	"Call": func(t *testing.T, ex *mapper.Executor, f mapper.Function[int, int], _ []int) error {
		_, err := mapper.Call(t.Context(), ex, f, 1)
		return err
	},
	"Start": func(t *testing.T, ex *mapper.Executor, f mapper.Function[int, int], inputs []int) error {
		job, err := mapper.Start(t.Context(), ex, f, mapper.Inputs(values(inputs)))
		if err != nil {
			return err
		}
		return job.Wait()
	},
	"MapReduce": func(t *testing.T, ex *mapper.Executor, f mapper.Function[int, int], inputs []int) error {
		_, err := mapper.MapReduce(t.Context(), ex, f, zeroSum, inputs)
		return err
	},
}

// TestZeroFunction: a handle that Func did not make is an error, with inputs or without.
func TestZeroFunction(t *testing.T) {
	t.Parallel()
	ex := mappertest.New(t)
	for name, call := range calls {
		for _, inputs := range [][]int{nil, {1}} {
			t.Run(name, func(t *testing.T) {
				mentions(t, call(t, ex, mapper.Function[int, int]{}, inputs), "zero Function", "mapper.Func")
				mentions(t, call(t, ex, mapper.FunctionWith[int, int, int]{}.With(1), inputs), "zero Function")
			})
		}
	}
}

func TestZeroReduction(t *testing.T) {
	t.Parallel()
	_, err := mapper.MapReduce(t.Context(), mappertest.New(t), zeroSquare, mapper.Reduction[int, int]{}, []int{1})
	mentions(t, err, "zero Reduction", "mapper.Combine")
}

func TestZeroExecutor(t *testing.T) {
	t.Parallel()
	var none *mapper.Executor
	for _, ex := range []*mapper.Executor{none, {}, none.With(mapper.Options{Retries: 1})} {
		for name, call := range calls {
			t.Run(name, func(t *testing.T) {
				mentions(t, call(t, ex, zeroSquare, []int{1}), "Executor", "mapper.Open")
			})
		}
		mentions(t, ex.Close(), "Executor") // a deferred Close of an Open that failed
	}
	if _, err := mapper.New(t.Context(), nil, nil, mapper.Options{}); err == nil {
		t.Error("New takes no backend for one")
	}
}
