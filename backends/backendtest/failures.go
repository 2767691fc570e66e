package backendtest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gowren/gowren/mapper"
)

// failureCases: a task's failure is told with all that is known, and is nobody else's.
var failureCases = []testCase{
	{name: "failures/told", run: func(t *testing.T, h *harness) {
		for _, f := range []failure{
			{what: "error", kind: mapper.ErrFunction, says: "no such luck"},
			{what: "wrap", kind: mapper.ErrFunction, says: "wrapped: no such luck"},
			{what: "panic", kind: mapper.ErrPanic, says: "a task's panic", stack: "functions.go"},
			{what: "goexit", kind: mapper.ErrPanic, says: "runtime.Goexit", stack: "functions.go"},
			{what: "bad error", kind: mapper.ErrPanic, says: "nil pointer", stack: "functions.go"},
		} {
			h.wantFailure(t, f, mapper.Options{})
		}
	}},
	{name: "failures/retryable", run: func(t *testing.T, h *harness) {
		h.wantFailure(t, failure{what: "retry", kind: mapper.ErrFunction, says: "no such luck", attempts: 3}, mapper.Options{})
		if n := len(h.marks(t, "try")); n != 3 {
			t.Errorf("%d attempts were made, want 3", n)
		}
		h.wantFailure(t, failure{what: "retry", kind: mapper.ErrFunction, says: "no such luck"}, mapper.Options{Retries: -1})
		if n := len(h.marks(t, "try")); n != 4 {
			t.Errorf("%d attempts were made, want 4", n)
		}
	}},
	{name: "failures/time-out honoured", run: func(t *testing.T, h *harness) {
		h.wantFailure(t, failure{what: "obey", kind: mapper.ErrTimeout, says: "time-out"}, mapper.Options{Timeout: 100 * time.Millisecond, Retries: -1})
	}},
	{name: "failures/finished in the grace", run: func(t *testing.T, h *harness) {
		got, err := mapper.Call(t.Context(), h.executor(t, mapper.Options{Timeout: 50 * time.Millisecond, Retries: -1}), do, order{What: "finish late", N: 5})
		if err != nil || got.N != 5 {
			t.Errorf("%d, %v: a result that came in the grace counts", got.N, err)
		}
	}},
	{name: "failures/neighbours", run: func(t *testing.T, h *harness) {
		for _, size := range []int{7, 1000} {
			h.wantNeighbours(t, 1000, []string{"error", "panic", "goexit"}, mapper.Options{BatchSize: size})
		}
	}},
	{name: "failures/result cannot be encoded", run: func(t *testing.T, h *harness) {
		o := mapper.Options{ContinueOnError: true, BatchSize: 5}
		got, err := mapper.Map(t.Context(), h.executor(t, o), unencodable, ints(12))
		wantTasks(t, err, mapper.ErrResult, 4, 9)
		for i, v := range got {
			if i != 4 && i != 9 && fmt.Sprint(v) != fmt.Sprint(i) {
				t.Errorf("result %d is %v", i, v)
			}
		}
		if _, err = mapper.Map(t.Context(), h.executor(t, o), stubbornResult, []int{1, 2, 4}); err == nil {
			t.Error("a result whose own encoding fails is no error")
		}
		wantTasks(t, err, mapper.ErrResult, 1)
	}},
	{name: "failures/input cannot be decoded", run: func(t *testing.T, h *harness) {
		o := mapper.Options{ContinueOnError: true, BatchSize: 3}
		_, err := mapper.Map(t.Context(), h.executor(t, o), stubbornInput, []stubborn{{1}, {3}, {4}})
		wantTasks(t, err, mapper.ErrInput, 1)
	}},
	{name: "failures/bucket empty", run: func(t *testing.T, h *harness) {
		inputs := slices.Repeat([]order{{What: "data", N: 2 << 20}}, 6)
		inputs[5].What = "error"
		if _, err := mapper.Map(t.Context(), h.executor(t, mapper.Options{BatchSize: 3}), do, inputs); err == nil {
			t.Error("a job with a failed task is no error")
		}
		h.wantEmpty(t)
	}},
}

// failure is what is to be told of a task.
type failure struct {
	what     string
	n        int
	kind     error
	says     string
	stack    string // a part of the stack, or of the lost worker's output
	attempts int    // 1 where it is 0
}

// wantFailure runs a job whose task 2 of 4 fails.
func (h *harness) wantFailure(t *testing.T, f failure, o mapper.Options) {
	t.Helper()
	inputs := []order{{N: 0}, {N: 1}, {What: f.what, N: f.n, Dir: h.dir}, {N: 3}}
	got, err := mapper.Map(t.Context(), h.executor(t, o), do, inputs)
	e, ok := errors.AsType[*mapper.TaskError](err)
	if !ok {
		t.Errorf("%s: results %v, error %v, want a *mapper.TaskError", f.what, got, err)
		return
	}
	if e.Function != "backendtest/do" || e.Index != 2 || e.Attempts != max(f.attempts, 1) {
		t.Errorf("%s: the error is of %s, input %d, %d attempts", f.what, e.Function, e.Index, e.Attempts)
	}
	if !errors.Is(err, f.kind) {
		t.Errorf("%s: error %v is not %v", f.what, err, f.kind)
	}
	if !strings.Contains(e.Message+e.Output, f.says) || !strings.Contains(err.Error(), f.says) {
		t.Errorf("%s: error %v does not say %q", f.what, err, f.says)
	}
	if !strings.Contains(e.Stack+e.Output, f.stack) {
		t.Errorf("%s: error %v has no stack with %q", f.what, err, f.stack)
	}
	h.wantEmpty(t)
}

// wantNeighbours runs n tasks, some of them culprits, and checks that the failures are theirs alone.
func (h *harness) wantNeighbours(t *testing.T, n int, culprits []string, o mapper.Options) {
	t.Helper()
	inputs := make([]order, n)
	for i := range inputs {
		inputs[i] = order{N: i, Dir: h.dir}
	}
	var at []int
	for i, what := range culprits {
		at = append(at, (i+1)*n/(len(culprits)+1))
		inputs[at[i]].What = what
	}
	o.ContinueOnError = true
	got, err := mapper.Map(t.Context(), h.executor(t, o), do, inputs)
	wantTasks(t, err, nil, at...)
	if len(got) != n {
		t.Fatalf("%d results, want %d: %v", len(got), n, err)
	}
	for i, a := range got {
		if !slices.Contains(at, i) && (a.N != i || a.PID == 0) {
			t.Fatalf("result %d is %+v", i, a)
		}
	}
}

// wantTasks checks which tasks failed.
func wantTasks(t *testing.T, err error, kind error, indexes ...int) {
	t.Helper()
	e, ok := errors.AsType[*mapper.JobError](err)
	if !ok {
		t.Fatalf("error %v, want a *mapper.JobError", err)
	}
	var got []int
	for _, task := range e.Tasks {
		got = append(got, task.Index)
		if kind != nil && !errors.Is(task, kind) {
			t.Errorf("task %d: %v, want %v", task.Index, task, kind)
		}
	}
	if !slices.Equal(got, indexes) || e.Failed != len(indexes) {
		t.Errorf("tasks %v failed, %d in all, want %v: %v", got, e.Failed, indexes, err)
	}
}

// stubborn refuses to be encoded as 2, and to be decoded as 3.
type stubborn struct{ n byte }

func (s stubborn) MarshalBinary() ([]byte, error) {
	if s.n == 2 {
		return nil, errors.New("not a two")
	}
	return []byte{s.n}, nil
}

func (s *stubborn) UnmarshalBinary(data []byte) error {
	if len(data) != 1 || data[0] == 3 {
		return errors.New("not a three")
	}
	s.n = data[0]
	return nil
}

var (
	unencodable = mapper.Func("backendtest/unencodable", func(_ context.Context, x int) (any, error) {
		if x%5 == 4 {
			return make(chan int), nil
		}
		return x, nil
	})
	stubbornResult = mapper.Func("backendtest/stubborn result", func(_ context.Context, x int) (stubborn, error) { return stubborn{byte(x)}, nil })
	stubbornInput  = mapper.Func("backendtest/stubborn input", func(_ context.Context, s stubborn) (int, error) { return int(s.n), nil })
)
