package mapper_test

import (
	"context"
	"errors"
	"iter"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/mapper/mappertest"
)

// values is slices.Values; the name reads better in Start.
func values[T any](s []T) iter.Seq[T] { return slices.Values(s) }

type point struct{ X, Y float64 }

type tree struct {
	Name string
	Kids []*tree
}

type pair[A, B any] struct {
	First  A
	Second B
}

var (
	mapSquare = mapper.Func("map-square", func(_ context.Context, x int) (int, error) { return x * x, nil })
	mapSlow   = mapper.Func("map-slow", func(ctx context.Context, x int) (int, error) {
		select { // the first inputs take the longest
		case <-time.After(time.Duration(20-x) * time.Millisecond):
			return x, nil
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	})
	mapPoint   = mapper.Func("map-point", func(_ context.Context, p point) (point, error) { return p, nil })
	mapPointer = mapper.Func("map-pointer", func(_ context.Context, p *point) (*point, error) { return p, nil })
	mapTree    = mapper.Func("map-tree", func(_ context.Context, n *tree) (*tree, error) { return n, nil })
	mapMap     = mapper.Func("map-map", func(_ context.Context, m map[string][]int) (map[string][]int, error) { return m, nil })
	mapFloats  = mapper.Func("map-floats", func(_ context.Context, v []float64) ([]float64, error) { return v, nil })
	mapPair    = mapper.Func("map-pair", func(_ context.Context, p pair[string, []int8]) (pair[[]int8, string], error) {
		return pair[[]int8, string]{p.Second, p.First}, nil
	})
	mapAny    = mapper.Func("map-any", func(_ context.Context, v any) (any, error) { return v, nil })
	mapNone   = mapper.Func("map-none", func(context.Context, struct{}) (struct{}, error) { return struct{}{}, nil })
	mapNil    = mapper.Func("map-nil", func(_ context.Context, i int) ([]int, error) { return [][]int{nil, {}, {1}}[i], nil })
	mapFailAt = mapper.Func("map-fail-at", func(_ context.Context, i int) (int, error) {
		if i == 1 {
			return 7, errors.New("no ones") // the result beside an error is dropped
		}
		return i + 10, nil
	})
)

// TestMapOrder: results are in the order of inputs, whatever the order in which tasks end and however they are cut.
func TestMapOrder(t *testing.T) {
	t.Parallel()
	for _, o := range []mapper.Options{{}, {BatchSize: 1}, {BatchSize: 7}, {BatchSize: 1 << 40}, {BatchSize: -1, Concurrency: -1, Timeout: -1}, {Concurrency: 1}} {
		got, err := mapper.Map(t.Context(), open(t, "inproc://?workers=4").With(o), mapSlow, ints(20))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(ints(20), got); diff != "" {
			t.Errorf("%+v: %s", o, diff)
		}
	}
}

// TestMapInputs: none, one, and equal ones.
func TestMapInputs(t *testing.T) {
	t.Parallel()
	ex := mappertest.New(t)
	for _, c := range []struct{ in, want []int }{
		{nil, []int{}},
		{[]int{}, []int{}},
		{[]int{3}, []int{9}},
		{[]int{2, 2, -2, 2}, []int{4, 4, 4, 4}},
	} {
		got, err := mapper.Map(t.Context(), ex, mapSquare, c.in)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" { // it tells nil from empty
			t.Error(diff)
		}
	}
}

// same maps the inputs by a function that returns them.
func same[T any](f mapper.Function[T, T], inputs ...T) func(*testing.T) {
	return func(t *testing.T) {
		for _, ex := range []*mapper.Executor{mappertest.New(t), open(t, "local://?workers=1")} {
			got, err := mapper.Map(t.Context(), ex, f, inputs)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(inputs, got); diff != "" {
				t.Error(diff)
			}
		}
	}
}

func TestMapTypes(t *testing.T) {
	t.Parallel()
	t.Run("struct", same(mapPoint, point{1, -2}, point{}))
	t.Run("pointer", same(mapPointer, &point{1, math.Inf(1)}, nil))
	t.Run("nested", same(mapTree, &tree{"a", []*tree{{"b", nil}, nil, {"c", []*tree{}}}}))
	t.Run("map", same(mapMap, map[string][]int{"a": {1}, "": nil}, nil, map[string][]int{}))
	t.Run("floats", same(mapFloats, []float64{0, math.Copysign(0, -1), math.MaxFloat64}, nil, []float64{}))
	t.Run("any", same[any](mapAny, "text", nil, 7, 2.5, true, []any{"a", 1}, map[string]any{"k": nil}))
	t.Run("empty struct", same(mapNone, struct{}{}, struct{}{}))
	t.Run("generic", func(t *testing.T) {
		got, err := mapper.Call(t.Context(), mappertest.New(t), mapPair, pair[string, []int8]{"a", []int8{-1}})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(pair[[]int8, string]{[]int8{-1}, "a"}, got); diff != "" {
			t.Error(diff)
		}
	})
}

// TestMapNil: nil is a result like others, and is told from an empty one.
func TestMapNil(t *testing.T) {
	t.Parallel()
	got, err := mapper.Map(t.Context(), mappertest.New(t), mapNil, ints(3))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([][]int{nil, {}, {1}}, got); diff != "" {
		t.Error(diff)
	}
}

// TestMapFails: without ContinueOnError there are no results beside the error, and a call has a zero value.
func TestMapFails(t *testing.T) {
	t.Parallel()
	ex := mappertest.New(t)
	got, err := mapper.Map(t.Context(), ex, mapFailAt, ints(3))
	if got != nil || err == nil {
		t.Errorf("%v, %v", got, err)
	}
	one, err := mapper.Call(t.Context(), ex.With(mapper.Options{ContinueOnError: true}), mapFailAt, 1)
	if one != 0 || err == nil {
		t.Errorf("%v, %v", one, err)
	}
}

// TestMapCancelled: a context that is over before the job begins is its error, with inputs or without.
func TestMapCancelled(t *testing.T) {
	t.Parallel()
	reason := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(reason)
	for _, inputs := range [][]int{nil, ints(3)} {
		if _, err := mapper.Map(ctx, mappertest.New(t), mapSquare, inputs); !errors.Is(err, reason) {
			t.Errorf("%v, want %v", err, reason)
		}
	}
}
