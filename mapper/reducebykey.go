package mapper

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"reflect"

	"github.com/gowren/gowren/internal/registry"
	"github.com/gowren/gowren/internal/shuffle"
	"github.com/gowren/gowren/internal/worker"
	"github.com/gowren/gowren/serialize"
)

// Reducer is a registered function that makes one Out of a key's values: the reduce step of [MapReduceByKey]. It is made
// by [ReduceByKey].
type Reducer[K cmp.Ordered, V, Out any] struct{ f *registry.Function }

// ReduceByKey registers a function that is called once for each key, with all its values, on one worker:
//
//	var sum = mapper.ReduceByKey("sum", func(ctx context.Context, word string, counts iter.Seq[int]) (int, error) {
//		total := 0
//		for n := range counts {
//			total += n
//		}
//		return total, nil
//	})
//
// Keys come in order. A key's values come in the order of the inputs, and in that in which each was emitted. They are read
// as they are asked for, so that they need not fit into memory; the sequence serves once, during the call. When they cannot
// be read to the end, the task fails, whatever f made of the rest. [Func] tells about names and panics.
func ReduceByKey[K cmp.Ordered, V, Out any](name string, f func(ctx context.Context, key K, values iter.Seq[V]) (Out, error)) Reducer[K, V, Out] {
	types := fmt.Sprintf("reduce(%s, %s) %s", reflect.TypeFor[K](), reflect.TypeFor[V](), reflect.TypeFor[Out]())
	keys, write := shuffle.NewKeys[K](), newFormat[K, Out]()
	r := register(name, types, func(ctx context.Context, c *serialize.Coder, shared any, in registry.Input, dst []byte) ([]byte, error) {
		p := shared.(*reducePlan)
		m, err := openMerge(ctx, c, p, in)
		if err != nil {
			return nil, err
		}
		defer m.Close()
		if p.Output != "" {
			return writePart(ctx, c, p, dst, func(w io.Writer) (int64, error) {
				var n int64
				return n, reduceKeys(ctx, c, m, keys, f, func(k K, out *Out) error {
					n++
					return write(w, k, out)
				})
			})
		}
		pack := shuffle.NewPacker(dst)
		var buf []byte
		err = reduceKeys(ctx, c, m, keys, f, func(_ K, out *Out) error {
			if buf, err = result(c, buf[:0], out, nil); err != nil {
				return err
			}
			return pack.Add(m.GroupKey(), buf)
		})
		if err != nil {
			return nil, err
		}
		return pack.Finish()
	})
	r.Shared = decodePlan[reducePlan]
	return Reducer[K, V, Out]{r}
}

// Combine adds a function that makes one value of two of a key, and returns the reducer. Workers apply it to values as
// they are emitted, so that less travels: the reduce function then sees values that stand for several. It must be
// associative; it may change and return a. Values are combined in order, but which of them depends on the splits and the
// buffer, so that a sum of floating-point numbers may differ in its last bits between jobs that are cut otherwise.
//
// Combine belongs to the registration: call it in the same package variable. It panics after [Main] has run, and the
// second time.
func (r Reducer[K, V, Out]) Combine(f func(a, b V) V) Reducer[K, V, Out] {
	switch {
	case r.f == nil:
		panic("mapper: Combine on the zero Reducer: make it by mapper.ReduceByKey")
	case r.f.Fold != nil:
		panic(fmt.Sprintf("mapper: the reducer %q has a Combine already", r.f.Name))
	case registry.Sealed():
		panic(fmt.Sprintf("mapper: the reducer %q gets its Combine after mapper.Main has run, so no worker would have it: call it in the package variable", r.f.Name))
	}
	r.f.Fold = f
	return r
}

// reducePlan is the shared argument of reducers.
type reducePlan struct {
	Folder string // of the objects that map tasks left
	Output string // URL of the bucket for the results; empty where they go to the driver
	Job    string
}

// openMerge opens what a reduce task reads.
func openMerge(ctx context.Context, c *serialize.Coder, p *reducePlan, in registry.Input) (*shuffle.Merge, error) {
	t, err := input[shuffle.Task](c, in)
	if err != nil {
		return nil, err
	}
	m, err := shuffle.NewMerge(ctx, &t, in.Bucket, p.Folder, "r"+taskNumber(ctx))
	if err != nil {
		return nil, unread(err)
	}
	return m, nil
}

// taskNumber is the index of the context's task.
func taskNumber(ctx context.Context) string {
	t, _ := worker.TaskOf(ctx)
	return fmt.Sprintf("%05d", t.Index)
}

func unread(err error) error {
	return &registry.ReadError{Err: fmt.Errorf("what map tasks left could not be read: %w", err)}
}

// reduceKeys calls f for each key and keep with what it returned.
func reduceKeys[K cmp.Ordered, V, Out any](ctx context.Context, c *serialize.Coder, m *shuffle.Merge, keys shuffle.Keys[K],
	f func(context.Context, K, iter.Seq[V]) (Out, error), keep func(K, *Out) error,
) error {
	var v V // here it is one allocation for all
	var out Out
	var bad error
	values := func(yield func(V) bool) {
		for bad == nil && m.NextValue() {
			if bad = c.Decode(m.Value(), &v); bad != nil || !yield(v) {
				return
			}
		}
	}
	for m.NextKey() {
		key, err := keys.Decode(m.GroupKey())
		if err != nil {
			return unread(err)
		}
		out, err = f(ctx, key, values)
		switch {
		case m.Err() != nil:
			return unread(m.Err())
		case bad != nil:
			return &registry.DecodeError{Err: fmt.Errorf("a value of key %v could not be decoded: %w", key, bad)}
		case err != nil:
			return fmt.Errorf("key %v: %w", key, err)
		}
		if err := keep(key, &out); err != nil {
			return err
		}
	}
	if m.Err() != nil {
		return unread(m.Err())
	}
	return nil
}

var errZeroReducer = errors.New("mapper: the zero Reducer was never registered: make it by mapper.ReduceByKey")
