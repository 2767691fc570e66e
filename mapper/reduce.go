package mapper

import (
	"context"
	"fmt"
	"iter"
	"reflect"

	"github.com/gowren/gowren/internal/registry"
	"github.com/gowren/gowren/serialize"
)

// Reduction is a registered function that makes one Out of many Mid: what [MapReduce] takes. It is made by [Reduce] or
// [Combine].
type Reduction[Mid, Out any] struct {
	f    *registry.Function
	tree bool // may be applied to runs of values, and then to its own results
}

// Reduce registers a function that is called once, on one worker, with all the values, in the order of the inputs. It
// reads them as it goes, one at a time, so that they need not fit its memory. When they cannot be read to the end, the
// task fails, whatever f made of the rest. Func tells about names and panics.
func Reduce[Mid, Out any](name string, f func(ctx context.Context, values iter.Seq[Mid]) (Out, error)) Reduction[Mid, Out] {
	types := fmt.Sprintf("reduce(%s) %s", reflect.TypeFor[Mid](), reflect.TypeFor[Out]())
	r := register(name, types, func(ctx context.Context, c *serialize.Coder, _ any, in registry.Input, dst []byte) ([]byte, error) {
		values, failed := values[Mid](ctx, c, in)
		out, err := f(ctx, values)
		if bad := failed(); bad != nil {
			return nil, bad
		}
		return result(c, dst, &out, err)
	})
	return Reduction[Mid, Out]{f: r}
}

// Combine registers an associative function: combine(combine(a, b), c) must equal combine(a, combine(b, c)). It runs on
// the workers as a tree: runs of neighbouring values are folded from left to right, then their results likewise. The
// tree's shape depends on the number of inputs alone, so that the result is the same to the bit on every backend, even
// where the function is associative only nearly, as the addition of floating-point numbers is. It may change and return
// a. Func tells about names and panics.
func Combine[T any](name string, f func(ctx context.Context, a, b T) (T, error)) Reduction[T, T] {
	types := fmt.Sprintf("combine(%s)", reflect.TypeFor[T]())
	r := register(name, types, func(ctx context.Context, c *serialize.Coder, _ any, in registry.Input, dst []byte) ([]byte, error) {
		values, failed := values[T](ctx, c, in)
		var sum T
		var err error
		first := true
		for v := range values {
			if first {
				sum, first = v, false
				continue
			}
			if sum, err = f(ctx, sum, v); err != nil {
				return nil, err
			}
		}
		if bad := failed(); bad != nil {
			return nil, bad
		}
		return result(c, dst, &sum, nil)
	})
	return Reduction[T, T]{f: r, tree: true}
}

// values decodes a list of values as they are asked for. The second function tells why the sequence ended early, if it
// did.
func values[T any](ctx context.Context, c *serialize.Coder, in registry.Input) (iter.Seq[T], func() error) {
	var failed error
	seq := func(yield func(T) bool) {
		var bad error
		err := in.Parts.Each(ctx, in.Data, func(value []byte) bool {
			var v T
			if bad = c.Decode(value, &v); bad != nil {
				return false
			}
			return yield(v)
		})
		switch {
		case bad != nil:
			failed = &registry.DecodeError{Err: fmt.Errorf("a value could not be decoded: %w", bad)}
		case err != nil:
			failed = err
		}
	}
	return seq, func() error { return failed }
}
