package mapper

import (
	"context"
	"fmt"
	"iter"

	"github.com/gowren/gowren/internal/sched"
	"github.com/gowren/gowren/serialize"
)

// Map calls fn for every input, on the workers, and returns the results in the order of the inputs, one for each. No
// inputs give no results. The first failed task stops the job, and its error, a [*TaskError], is returned; with
// [Options].ContinueOnError the others' results are kept, failed tasks have zero values, and the error is a [*JobError].
// Inputs and results are in memory; [Start] is for more of them.
func Map[In, Out any](ctx context.Context, ex *Executor, fn Function[In, Out], inputs []In) ([]Out, error) {
	out := make([]Out, len(inputs))
	if len(inputs) == 0 && fn.f != nil {
		return out, nil
	}
	j := ex.newJob(newID(), fn.f)
	j.shared, j.known, j.feed = fn.shared, len(inputs), feedSlice(inputs)
	j.accept = func(ctx context.Context, s *sched.Slot, t *sched.Task, v sched.Value) *sched.Failure {
		data, bad := j.fetch(ctx, v)
		if bad != nil {
			return bad
		}
		if err := s.Coder.Decode(data, &out[t.Index]); err != nil {
			return undecodable(err)
		}
		return nil
	}
	err := j.whole(ctx)
	if _, ok := err.(*JobError); err != nil && !ok {
		return nil, err
	}
	return out, err
}

// Call calls fn once, on a worker. Each further call pays for a request of its own: for many inputs use [Map].
func Call[In, Out any](ctx context.Context, ex *Executor, fn Function[In, Out], in In) (Out, error) {
	out, err := Map(ctx, ex, fn, []In{in})
	if err != nil {
		var zero Out
		return zero, err
	}
	return out[0], nil
}

// whole runs a job that is a call of its own: it enters the executor, and leaves nothing behind.
func (j *job) whole(ctx context.Context) error {
	ctx, leave, err := j.ex.enter(ctx)
	if err != nil {
		return fmt.Errorf("mapper: %w", err)
	}
	defer leave()
	defer j.sweep(ctx)
	return j.run(ctx)
}

// feedSlice encodes inputs and pushes them.
func feedSlice[In any](inputs []In) func(*serialize.Coder, func([]byte) bool) error {
	return func(c *serialize.Coder, push func([]byte) bool) error {
		var a arena
		for i := range inputs {
			data, err := a.encode(c, &inputs[i])
			if err != nil {
				return fmt.Errorf("input %d: %w", i, err)
			}
			if !push(data) {
				return nil
			}
		}
		return nil
	}
}

// feedSeq encodes what an iterator yields and pushes it. The iterator's error ends the job.
func feedSeq[In any](inputs iter.Seq2[In, error]) func(*serialize.Coder, func([]byte) bool) error {
	return func(c *serialize.Coder, push func([]byte) bool) error {
		var a arena
		i := 0
		for in, err := range inputs {
			if err != nil {
				return fmt.Errorf("input %d could not be had: %w", i, err)
			}
			data, err := a.encode(c, &in)
			if err != nil {
				return fmt.Errorf("input %d: %w", i, err)
			}
			if !push(data) {
				return nil
			}
			i++
		}
		return nil
	}
}

// arena encodes many small values into few allocations.
type arena struct {
	buf  []byte
	size int
}

// The blocks of an arena grow, so that a job of one small task takes little.
const (
	smallBlock = 512
	largeBlock = 64 << 10
)

func (a *arena) encode(c *serialize.Coder, v any) ([]byte, error) {
	if cap(a.buf)-len(a.buf) < a.size/8+1 {
		a.size = min(max(2*a.size, smallBlock), largeBlock)
		a.buf = make([]byte, 0, a.size)
	}
	start := len(a.buf)
	buf, err := c.Append(a.buf, v)
	if err != nil {
		return nil, err
	}
	a.buf = buf
	return buf[start:len(buf):len(buf)], nil
}
