package mapper

import (
	"context"
	"errors"

	"github.com/gowren/gowren/internal/sched"
)

// Map calls fn for every input, on the workers, and returns the results in the order of the inputs, one for each. No
// inputs give no results. The first failed task stops the job, and its error, a [*TaskError], is returned; with
// [Options].ContinueOnError the others' results are kept, failed tasks have zero values, and the error is a [*JobError]. At
// a limit of the job ([Options].MaxCost and MaxTime) those that came until then are kept, and the error is a [*LimitError].
// Where ctx ends, none are returned: [Options].Resume keeps them for another run. Inputs and results are in memory; [Start]
// is for more of them.
func Map[In, Out any](ctx context.Context, ex *Executor, fn Function[In, Out], inputs []In) ([]Out, error) {
	out, done := make([]Out, len(inputs)), make([]bool, len(inputs))
	j := ex.newJob(ex.newID(), fn.f)
	j.shared, j.known, j.feed = fn.shared, len(inputs), feedSlice(inputs)
	j.accept = func(ctx context.Context, s *sched.Slot, t *sched.Task, v sched.Value) *sched.Failure {
		_, bad := j.decode(ctx, s, v, &out[t.Index])
		done[t.Index] = bad == nil
		return bad
	}
	err := j.whole(ctx)
	if limit, ok := errors.AsType[*LimitError](err); ok {
		for i, done := range done {
			if !done {
				limit.Missing = append(limit.Missing, i)
			}
		}
		return out, err
	}
	if err != nil && !j.partial {
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
		return err
	}
	defer leave()
	defer j.sweep(ctx)
	return j.run(ctx)
}
