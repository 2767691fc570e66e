package mapper_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/storage/memstore"
)

// holds are what tests' tasks wait for; from the input 5 on.
var holds sync.Map // of chan struct{}

func hold(test string) (release func()) {
	c := make(chan struct{})
	holds.Store(test, c)
	return sync.OnceFunc(func() { close(c) })
}

// attachRun counts a task, and waits until it may end.
func attachRun(ctx context.Context, in resumeInput) error {
	ran(in.Test + " begun").Add(1)
	if c, ok := holds.Load(in.Test); ok && in.N >= 5 {
		select {
		case <-c.(chan struct{}):
		case <-ctx.Done():
			ran(in.Test + " cancelled").Add(1)
			return ctx.Err()
		}
	}
	ran(fmt.Sprint(in.Test, " ran ", in.N)).Add(1)
	return nil
}

var (
	attachWork = mapper.Func("attach-work", func(ctx context.Context, in resumeInput) (string, error) {
		if err := attachRun(ctx, in); err != nil {
			return "", err
		}
		if at, ok := breaks.Load(in.Test); ok && in.N == at {
			return "", errors.New("it fails at first")
		}
		return strings.Repeat(fmt.Sprint(in.N, " "), max(in.Size, 1)), nil
	})
	attachEmit = mapper.Emit("attach-emit", func(ctx context.Context, in resumeInput, emit func(string, string)) error {
		for i := range 50 {
			emit(fmt.Sprint("key", i), strings.Repeat("x", max(in.Size, 1)))
		}
		return attachRun(ctx, in)
	})
	attachReduce = mapper.ReduceByKey("attach-reduce", func(_ context.Context, _ string, values iter.Seq[string]) (int, error) {
		n := 0
		for v := range values {
			n += len(v)
		}
		return n, nil
	})
)

// wantRuns checks how often each task ran to its end.
func wantRuns(t *testing.T, test string, n int, want func(n int) int64) {
	t.Helper()
	for i := range n {
		if got := ran(fmt.Sprint(test, " ran ", i)).Load(); got != want(i) {
			t.Errorf("task %d ran %d times, not %d", i, got, want(i))
		}
	}
}

func once(int) int64 { return 1 }

func wantResults(t *testing.T, inputs []resumeInput, got []string, err error) {
	t.Helper()
	if err != nil || len(got) != len(inputs) {
		t.Fatalf("%d results, %v", len(got), err)
	}
	for i, r := range got {
		if r != strings.Repeat(fmt.Sprint(inputs[i].N, " "), max(inputs[i].Size, 1)) {
			t.Errorf("result %d is %.20q", i, r)
		}
	}
}

func mapWork(inputs []resumeInput) func(context.Context, *mapper.Executor) error {
	return func(ctx context.Context, ex *mapper.Executor) error {
		_, err := mapper.Map(ctx, ex, attachWork, inputs)
		return err
	}
}

// TestAttach: a run takes the results of requests that outlived the driver of an earlier one, of those that are at work and
// of those that are done, and runs nothing again that was sent; whichever way the inputs are given.
func TestAttach(t *testing.T) {
	t.Parallel()
	for name, x := range map[string]struct {
		first bool // the requests end before the next driver begins
		size  int  // of two results
		way   func(ctx context.Context, ex *mapper.Executor, inputs []resumeInput) ([]string, error)
	}{
		"at work": {way: func(ctx context.Context, ex *mapper.Executor, inputs []resumeInput) ([]string, error) {
			return mapper.Map(ctx, ex, attachWork, inputs)
		}},
		"done": {first: true, way: func(ctx context.Context, ex *mapper.Executor, inputs []resumeInput) ([]string, error) {
			return mapper.Map(ctx, ex, attachWork, inputs)
		}},
		"stored": {size: 400_000, way: func(ctx context.Context, ex *mapper.Executor, inputs []resumeInput) ([]string, error) {
			return mapper.Map(ctx, ex, attachWork, inputs)
		}},
		"one after another": {way: attachFollowing},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test, b := fresh("attach"), memstore.New()
			release := hold(test)
			defer release()
			p := newCloud(t, b)
			inputs := resumeInputs(test, 30)
			inputs[2].Size, inputs[7].Size = x.size, x.size
			p.dies(t, test, 5+8, mapper.Options{BatchSize: 1}, mapWork(inputs))
			if x.first {
				release()
				p.all.Wait()
			}
			d, ex := p.start(t, mapper.Options{BatchSize: 3})
			d.whenAttached(t, 1, release)
			got, err := x.way(t.Context(), ex, inputs)
			wantResults(t, inputs, got, err)
			wantRuns(t, test, len(inputs), once)
			if err := ex.Close(); err != nil {
				t.Error(err)
			}
			d, ex = p.start(t, mapper.Options{})
			got, err = mapper.Map(t.Context(), ex, attachWork, inputs)
			wantResults(t, inputs, got, err)
			wantRuns(t, test, len(inputs), once)
			if n := d.attached.Load(); n > 0 {
				t.Errorf("%d requests are awaited when all is done", n)
			}
		})
	}
}

// attachFollowing gives each input when the result of the one before has come.
func attachFollowing(ctx context.Context, ex *mapper.Executor, inputs []resumeInput) ([]string, error) {
	came := make(chan struct{}, len(inputs))
	job, err := mapper.Start(ctx, ex, attachWork, mapper.Inputs(func(yield func(resumeInput) bool) {
		for _, in := range inputs {
			if !yield(in) {
				return
			}
			<-came
		}
	}))
	if err != nil {
		return nil, err
	}
	results := make([]string, len(inputs))
	for r, err := range job.Results() {
		if err != nil {
			return nil, err
		}
		results[r.Index] = r.Value
		came <- struct{}{}
	}
	return results, nil
}

// TestAttachAnew: what an earlier request does not bring runs again: of one that was never taken, that failed, or that the
// backend of now knows nothing of. One whose inputs are gone is left alone.
func TestAttachAnew(t *testing.T) {
	t.Parallel()
	t.Run("lost", func(t *testing.T) {
		t.Parallel()
		test, b := fresh("attach lost"), memstore.New()
		p := newCloud(t, b)
		p.lasts = 500 * time.Millisecond
		p.loses.Store(true)
		inputs := resumeInputs(test, 20)
		p.dies(t, test, 8, mapper.Options{BatchSize: 1}, mapWork(inputs))
		p.loses.Store(false)
		_, ex := p.start(t, mapper.Options{})
		got, err := mapper.Map(t.Context(), ex, attachWork, inputs)
		wantResults(t, inputs, got, err)
		wantRuns(t, test, len(inputs), once)
	})
	t.Run("never sent", func(t *testing.T) { // nobody waits for an hour
		t.Parallel()
		test, b := fresh("attach unsent"), memstore.New()
		p := newCloud(t, b)
		p.full.Store(true)
		inputs := resumeInputs(test, 20)
		p.dies(t, test, 8, mapper.Options{BatchSize: 1}, mapWork(inputs))
		p.full.Store(false)
		d, ex := p.start(t, mapper.Options{})
		got, err := mapper.Map(t.Context(), ex, attachWork, inputs)
		wantResults(t, inputs, got, err)
		wantRuns(t, test, len(inputs), once)
		if n := d.attached.Load(); n != 8 {
			t.Errorf("%d requests were looked for", n)
		}
	})
	t.Run("failed", func(t *testing.T) {
		t.Parallel()
		test, b := fresh("attach failed"), memstore.New()
		release := hold(test)
		defer release()
		p := newCloud(t, b)
		inputs := resumeInputs(test, 12)
		breaks.Store(test, 6)
		p.dies(t, test, 9, mapper.Options{BatchSize: 2}, mapWork(inputs))
		release()
		p.all.Wait()
		breaks.Delete(test)
		_, ex := p.start(t, mapper.Options{BatchSize: 2})
		got, err := mapper.Map(t.Context(), ex, attachWork, inputs)
		wantResults(t, inputs, got, err)
		wantRuns(t, test, len(inputs), func(n int) int64 { return map[bool]int64{true: 2, false: 1}[n == 6] })
	})
	t.Run("elsewhere", func(t *testing.T) {
		t.Parallel()
		test, b := fresh("attach elsewhere"), memstore.New()
		release := hold(test)
		p := newCloud(t, b)
		inputs := resumeInputs(test, 10)
		p.dies(t, test, 5+5, mapper.Options{BatchSize: 1}, mapWork(inputs))
		release()
		ex := resuming(t, b, mapper.Options{Resume: "it"})
		got, err := mapper.Map(t.Context(), ex, attachWork, inputs)
		wantResults(t, inputs, got, err)
	})
	t.Run("other inputs", func(t *testing.T) {
		t.Parallel()
		test, b := fresh("attach others"), memstore.New()
		release := hold(test)
		defer release()
		p := newCloud(t, b)
		p.dies(t, test, 5+5, mapper.Options{BatchSize: 1}, mapWork(resumeInputs(test, 10)))
		d, ex := p.start(t, mapper.Options{})
		inputs := []resumeInput{{Test: fresh("others"), N: 1}}
		got, err := mapper.Map(t.Context(), ex, attachWork, inputs)
		wantResults(t, inputs, got, err)
		if n := d.attached.Load(); n > 0 {
			t.Errorf("%d requests are awaited that have nothing of the job", n)
		}
		if n := ran(test + " cancelled").Load(); n > 0 {
			t.Errorf("%d tasks were cancelled", n)
		}
	})
}

// TestAttachEnds: a job that ends early ends the requests that it was waiting for, and they hold up nobody after it.
func TestAttachEnds(t *testing.T) {
	t.Parallel()
	test, b := fresh("attach ends"), memstore.New()
	release := hold(test)
	defer release()
	p := newCloud(t, b)
	inputs := resumeInputs(test, 10)
	p.dies(t, test, 5+5, mapper.Options{BatchSize: 1}, mapWork(inputs))
	d, ex := p.start(t, mapper.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	d.whenAttached(t, 5, cancel)
	if err := mapWork(inputs)(ctx, ex); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	p.all.Wait() // they were told to end
	if n := ran(test + " cancelled").Load(); n != 5 {
		t.Errorf("%d tasks were cancelled", n)
	}
	release()
	d, ex = p.start(t, mapper.Options{})
	got, err := mapper.Map(t.Context(), ex, attachWork, inputs)
	wantResults(t, inputs, got, err)
	wantRuns(t, test, len(inputs), once)
	if n := d.attached.Load(); n > 0 {
		t.Errorf("%d requests are awaited that were ended", n)
	}
}

// TestAttachMany: however many requests are waited for, and for however long, others go on.
func TestAttachMany(t *testing.T) {
	t.Parallel()
	test, b := fresh("attach many"), memstore.New()
	release := hold(test)
	defer release()
	p := newCloud(t, b)
	inputs := resumeInputs(test, 40)
	for run := range int64(4) {
		p.dies(t, test, 5+8*(run+1), mapper.Options{BatchSize: 1}, mapWork(inputs))
	}
	d, ex := p.start(t, mapper.Options{BatchSize: 1})
	d.whenAttached(t, 4*8, release)
	got, err := mapper.Map(t.Context(), ex, attachWork, inputs)
	wantResults(t, inputs, got, err)
	wantRuns(t, test, len(inputs), once)
}

// TestAttachByKey: so it is with the steps of a job, whose results name objects that came after the job's look at them.
func TestAttachByKey(t *testing.T) {
	t.Parallel()
	test, b := fresh("attach by key"), memstore.New()
	place, _ := toBucket(t)
	release := hold(test)
	defer release()
	p := newCloud(t, b)
	inputs := resumeInputs(test, 10)
	for i := range inputs {
		inputs[i].Size = 10_000 // too much, of all keys, for a result
	}
	o := mapper.Options{BatchSize: 1, Partitions: 3}
	p.dies(t, test, 5+5, o, func(ctx context.Context, ex *mapper.Executor) error {
		_, err := mapper.MapReduceByKeyTo(ctx, ex, attachEmit, attachReduce, inputs, place)
		return err
	})
	d, ex := p.start(t, o)
	d.whenAttached(t, 5, release)
	pairs, err := mapper.MapReduceByKey(t.Context(), ex, attachEmit, attachReduce, inputs)
	if err != nil || len(pairs) != 50 || slices.ContainsFunc(pairs, func(p mapper.Pair[string, int]) bool { return p.Value != 10*10_000 }) {
		t.Errorf("%v, %v", pairs, err)
	}
	wantRuns(t, test, len(inputs), once)
}
