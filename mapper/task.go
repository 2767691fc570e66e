package mapper

import (
	"context"

	"github.com/gowren/gowren/internal/worker"
)

// Task says what a function was called for.
type Task struct {
	Job      string // its ID, as [Job.ID] has it
	Function string // its name
	Index    int    // of the input, from 0; in a step of a reduction, of the call
	Attempt  int    // from 1; the same again where it runs again without being known to blame: see [Options].Retries
}

// CurrentTask returns the task that a function's context belongs to; it is false in a context of no task. It serves to
// label what a function writes, and to tell attempts apart. A result should not depend on the attempt. The context of a
// task that is over may tell of a later one.
func CurrentTask(ctx context.Context) (Task, bool) {
	t, ok := worker.TaskOf(ctx)
	if !ok {
		return Task{}, false
	}
	return Task{Job: t.Job, Function: t.Function, Index: int(t.Index), Attempt: t.Attempt}, true
}
