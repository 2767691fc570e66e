package mapper

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/gowren/gowren/internal/registry"
	"github.com/gowren/gowren/internal/shuffle"
	"github.com/gowren/gowren/internal/worker"
	"github.com/gowren/gowren/serialize"
)

// Emitter is a registered function that emits keys and values: the map step of [MapReduceByKey] and [Sort]. It is made by
// [Emit].
type Emitter[In any, K cmp.Ordered, V any] struct{ f *registry.Function }

// Emit registers a function that calls emit for each key and value it finds in its input:
//
//	var words = mapper.Emit("words", func(ctx context.Context, s storage.Split, emit func(string, int)) error {
//		for line, err := range storage.Lines(ctx, s) {
//			if err != nil {
//				return err
//			}
//			for word := range strings.FieldsSeq(string(line)) {
//				emit(word, 1)
//			}
//		}
//		return nil
//	})
//
// Keys are of any ordered type; -0 is emitted as 0, and all NaNs as one. Values are of any type that package serialize
// takes; as with all values, unexported fields are not sent. Emit keeps neither after it returns. It is called from one
// goroutine at a time, and not after the function has returned. What cannot be kept fails the task and ends the function's
// context; emit does nothing from then on.
//
// Memory is [Options].Buffer, whatever is emitted: when it is full, the records go to the bucket, sorted. A key and its
// value have 1 GB at most. [Func] tells about names and panics.
func Emit[In any, K cmp.Ordered, V any](name string, f func(ctx context.Context, in In, emit func(K, V)) error) Emitter[In, K, V] {
	types := fmt.Sprintf("emit(%s) %s %s", reflect.TypeFor[In](), reflect.TypeFor[K](), reflect.TypeFor[V]())
	r := register(name, types, func(ctx context.Context, c *serialize.Coder, shared any, in registry.Input, dst []byte) ([]byte, error) {
		v, err := input[In](c, in)
		if err != nil {
			return nil, err
		}
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		e, err := newEmission[K, V](ctx, c, shared.(*emitPlan), in)
		if err != nil {
			return nil, err
		}
		defer e.w.Abort(nil)
		e.stop = cancel
		emit := e.emit
		if e.fold != nil {
			emit = e.emitFolded
		}
		if err := f(ctx, v, emit); err != nil || e.err != nil {
			return nil, cmp.Or(e.err, err) // what emit met may be why the function failed
		}
		out, err := e.w.Finish()
		if err != nil {
			return nil, &registry.WriteError{Err: fmt.Errorf("what was emitted could not be stored: %w", err)}
		}
		return result(c, dst, &out, nil)
	})
	r.Shared = decodePlan[emitPlan]
	return Emitter[In, K, V]{r}
}

// emitPlan is the shared argument of emitters.
type emitPlan struct {
	shuffle.Plan
	Raw   bool   // values are bytes, and travel as they are
	Fold  string // the reducer that folds values of a key; empty is none
	Types string // its signature
}

// decodePlan decodes the shared argument of a step by key.
func decodePlan[P any](c *serialize.Coder, data []byte) (any, error) {
	p := new(P)
	return p, c.Decode(data, p)
}

// emission is what one call of an emitter emits.
type emission[K cmp.Ordered, V any] struct {
	w     *shuffle.Writer
	keys  shuffle.Keys[K]
	coder *serialize.Coder
	raw   func(V) []byte // the value's own bytes, where they travel as they are
	stop  context.CancelCauseFunc
	err   error // of the first thing that failed

	scratch [16]byte
	buf     []byte
	value   V // the one being encoded: here it costs no allocation

	fold   func(a, b V) V
	values []V // by number
	meter  meter
	half   int // of the buffer
}

func newEmission[K cmp.Ordered, V any](ctx context.Context, c *serialize.Coder, p *emitPlan, in registry.Input) (*emission[K, V], error) {
	e := &emission[K, V]{keys: shuffle.NewKeys[K](), coder: c}
	var value func(uint32) ([]byte, error)
	if p.Raw {
		e.raw = any(func(b []byte) []byte { return b }).(func(V) []byte) // Sort's V is []byte
	}
	if p.Fold != "" {
		r := registry.Find(p.Fold)
		if r == nil || r.Types != p.Types || r.Fold == nil {
			return nil, fmt.Errorf("the worker's program has no reducer %q as %s with a Combine: it is another program than the driver's", p.Fold, p.Types)
		}
		e.fold = r.Fold.(func(a, b V) V)
		e.meter = newMeter[V]()
		e.half = p.Buffer / 2
		value = func(number uint32) ([]byte, error) { return e.encode(e.values[number]) }
	}
	name := "m"
	if t, ok := worker.TaskOf(ctx); ok {
		name = fmt.Sprint("m", t.Index)
	}
	e.w = shuffle.NewWriter(ctx, p.Plan, name, in.Bucket, value)
	return e, nil
}

// encode returns the value's bytes, valid until the next call.
func (e *emission[K, V]) encode(v V) ([]byte, error) {
	if e.raw != nil {
		return e.raw(v), nil
	}
	e.value = v
	var err error
	if e.buf, err = e.coder.Append(e.buf[:0], &e.value); err != nil {
		return nil, &registry.EncodeError{Err: fmt.Errorf("a value that was emitted could not be encoded: %w", err)}
	}
	return e.buf, nil
}

// copy returns the value with memory of its own: the emitter may use its again, and a fold may change its arguments.
func (e *emission[K, V]) copy(v V) (V, error) {
	data, err := e.encode(v)
	if err != nil {
		return v, err
	}
	e.meter.add(len(data))
	if err := e.coder.Decode(data, &e.value); err != nil {
		return v, &registry.EncodeError{Err: fmt.Errorf("a value that was emitted could not be decoded again: %w", err)}
	}
	return e.value, nil
}

func (e *emission[K, V]) emit(k K, v V) {
	if e.err != nil {
		return
	}
	data, err := e.encode(v)
	if err == nil {
		err = e.w.Add(e.keys.Bytes(e.scratch[:0], k), data)
	}
	if err == nil && e.w.Full(0) {
		err = e.spill()
	}
	if err != nil {
		e.fail(err)
	}
}

// emitFolded keeps one value a key.
func (e *emission[K, V]) emitFolded(k K, v V) {
	if e.err != nil {
		return
	}
	n, added, err := e.w.Find(e.keys.Bytes(e.scratch[:0], k))
	if err == nil && e.meter.weight > 0 {
		v, err = e.copy(v)
	}
	if err != nil {
		e.fail(err)
		return
	}
	if added {
		e.values = append(e.values, v)
	} else {
		e.values[n] = e.fold(e.values[n], v)
	}
	if (added || e.meter.weight > 0) && e.w.Full(e.meter.size(len(e.values))) {
		if err := e.makeRoom(); err != nil {
			e.fail(err)
		}
	}
}

// makeRoom weighs the values, since folding may have kept them small, and spills unless they fill less than half of the
// buffer.
func (e *emission[K, V]) makeRoom() error {
	if e.meter.grown > e.half {
		size := 0
		for _, v := range e.values {
			data, err := e.encode(v)
			if err != nil {
				return err
			}
			size += len(data)
		}
		e.meter.weigh(size)
		if !e.w.Full(e.meter.size(len(e.values)) + e.half) {
			return nil
		}
	}
	return e.spill()
}

// spill empties the buffer into the bucket.
func (e *emission[K, V]) spill() error {
	if err := e.w.Spill(); err != nil {
		return &registry.WriteError{Err: fmt.Errorf("what was emitted could not be stored: %w", err)}
	}
	clear(e.values)
	e.values = e.values[:0]
	e.meter.weigh(0)
	return nil
}

func (e *emission[K, V]) fail(err error) {
	e.err = err
	e.stop(err)
}

var errZeroEmitter = errors.New("mapper: the zero Emitter was never registered: make it by mapper.Emit")
