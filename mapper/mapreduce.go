package mapper

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/gowren/gowren/internal/registry"
	"github.com/gowren/gowren/internal/sched"
	"github.com/gowren/gowren/internal/wire"
)

// MapReduce calls m for every input and reduces the results to one, all on the workers: by one call of a [Reduce], or by
// a tree of calls of a [Combine]. Results go from worker to worker without being decoded in between; the small ones pass
// through the driver, the large ones through the bucket.
//
// No inputs are an error, since there is nothing to reduce. A failed task stops the job whatever
// [Options].ContinueOnError says: the reduction of some of the inputs would pass for that of all.
func MapReduce[In, Mid, Out any](ctx context.Context, ex *Executor, m Function[In, Mid], r Reduction[Mid, Out], inputs []In) (out Out, err error) {
	switch {
	case m.f == nil:
		return out, errZeroFunction
	case r.f == nil:
		return out, errors.New("mapper: the zero Reduction was never registered: make it by mapper.Reduce or mapper.Combine")
	case len(inputs) == 0:
		return out, fmt.Errorf("mapper: %s: no inputs, so there is nothing to reduce", m.f.Name)
	}
	ctx, leave, err := ex.enter(ctx)
	if err != nil {
		return out, err
	}
	defer leave()
	o := ex.options
	o.ContinueOnError = false
	ex = &Executor{ex.core, o}
	j := ex.newJob(ex.newID(), m.f)
	defer j.sweep(ctx)
	ctx, end := j.spanned(ctx)
	defer func() { end(err) }()

	values := make([]value, len(inputs))
	j.shared, j.known, j.feed = m.shared, len(inputs), feedSlice(inputs)
	j.accept = keep(values)
	if err = j.run(ctx); err != nil {
		return out, err
	}
	if r.tree {
		for len(values) > fanIn {
			if values, err = j.fold(ctx, r.f, values); err != nil {
				return out, err
			}
		}
	}
	err = j.reduce(ctx, r.f, values, &out)
	return out, err
}

// fanIn is how many values one call of the tree folds.
const fanIn = 16

// value is a result on its way to a reduction.
type value struct {
	data   []byte
	stored *wire.Stored
}

// keep returns what accepts a job's results as they are.
func keep(values []value) func(context.Context, *sched.Slot, *sched.Task, sched.Value) *sched.Failure {
	return func(_ context.Context, _ *sched.Slot, t *sched.Task, v sched.Value) *sched.Failure {
		values[t.Index] = value{data: slices.Clone(v.Data), stored: v.Stored}
		return nil
	}
}

// step returns a job that is a further step of j: its data lie with j's.
func (j *job) step(f *registry.Function) *job {
	next := j.ex.newJob(j.id, f)
	next.dirty, next.objects, next.collected, next.first = j.dirty, j.objects, j.collected, j.root()
	first := j.root()
	first.mu.Lock()
	first.next = append(first.next, next)
	first.mu.Unlock()
	return next
}

// fold makes one value of each run of fanIn.
func (j *job) fold(ctx context.Context, f *registry.Function, values []value) ([]value, error) {
	runs := slices.Collect(slices.Chunk(values, fanIn))
	folded := make([]value, len(runs))
	next := j.step(f)
	next.known, next.accept = len(runs), keep(folded)
	next.feed = func(ctx context.Context, push func([]byte) bool) error {
		for _, run := range runs {
			list, err := next.list(ctx, run)
			if err != nil {
				return err
			}
			if !push(list) {
				return nil
			}
		}
		return nil
	}
	return folded, next.run(ctx)
}

// reduce makes the result of all values.
func (j *job) reduce(ctx context.Context, f *registry.Function, values []value, out any) error {
	next := j.step(f)
	next.known = 1
	next.feed = func(ctx context.Context, push func([]byte) bool) error {
		list, err := next.list(ctx, values)
		if err == nil {
			push(list)
		}
		return err
	}
	next.accept = func(ctx context.Context, s *sched.Slot, _ *sched.Task, v sched.Value) *sched.Failure {
		_, bad := next.decode(ctx, s, v, out)
		return bad
	}
	return next.run(ctx)
}

// partSize is the size of the objects that small values are packed into when there are too many to travel in a request.
const partSize = 8 << 20

// list returns the list of parts that brings values to a worker.
func (j *job) list(ctx context.Context, values []value) ([]byte, error) {
	size := 0
	for _, v := range values {
		size += len(v.data)
	}
	ride := size <= j.inlineLimit()/2 // in the request
	var list, run []byte
	flush := func() error {
		if len(run) == 0 {
			return nil
		}
		part := wire.Part{Data: run}
		if !ride {
			part = wire.Part{Key: j.keyOf(run), Size: int64(len(run))}
			if err := j.put(ctx, part.Key, bytes.NewReader(run)); err != nil {
				return fmt.Errorf("values of %d bytes: %w", len(run), err)
			}
		}
		list = wire.AppendPart(list, part)
		run = run[:0]
		return nil
	}
	for _, v := range values {
		if v.stored == nil {
			if run == nil {
				run = make([]byte, 0, min(size, partSize)+len(v.data)+binary.MaxVarintLen64*len(values))
			}
			run = wire.AppendValue(run, v.data)
		}
		if v.stored != nil || len(run) >= partSize {
			if err := flush(); err != nil {
				return nil, err
			}
		}
		if v.stored != nil {
			list = wire.AppendPart(list, wire.Part{Key: v.stored.Key, Size: v.stored.Size, Single: true, Sum: v.stored.Sum})
		}
	}
	if err := flush(); err != nil {
		return nil, err
	}
	return list, nil
}
