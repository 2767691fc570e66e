package mapper_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gowren/gowren/mapper"
)

var taskCurrent = mapper.Func("task-current", func(ctx context.Context, _ string) (mapper.Task, error) {
	ctx, cancel := context.WithCancel(ctx) // a context made of a task's is the task's
	defer cancel()
	task, ok := mapper.CurrentTask(ctx)
	if !ok {
		return task, errors.New("there is no task")
	}
	if task.Index == 1 && task.Attempt < 3 {
		return task, mapper.Retryable(errors.New("not yet"))
	}
	return task, nil
})

func TestCurrentTask(t *testing.T) {
	t.Parallel()
	for _, backend := range []string{"inproc://?workers=1", "local://?workers=1"} {
		job, err := mapper.Start(t.Context(), open(t, backend), taskCurrent, mapper.Inputs(values([]string{"a", "b", "c"})))
		if err != nil {
			t.Fatal(err)
		}
		got := make([]mapper.Task, 3)
		for r, err := range job.Results() {
			if err != nil {
				t.Fatal(err)
			}
			got[r.Index] = r.Value
		}
		want := []mapper.Task{
			{Job: job.ID(), Function: "task-current", Index: 0, Attempt: 1},
			{Job: job.ID(), Function: "task-current", Index: 1, Attempt: 3},
			{Job: job.ID(), Function: "task-current", Index: 2, Attempt: 1},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", backend, diff)
		}
	}
	if task, ok := mapper.CurrentTask(t.Context()); ok || task != (mapper.Task{}) {
		t.Errorf("a context of no task is of %+v", task)
	}
}
