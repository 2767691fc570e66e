package mapper_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/backends/inproc"
	"github.com/gowren/gowren/backends/local"
	"github.com/gowren/gowren/mapper"
	"github.com/gowren/gowren/storage/filestore"
	"github.com/gowren/gowren/storage/memstore"
)

// smallMB is the memory limit of workers, and greedyMB what the largest task takes beside its process: with twice the limit
// it does not get on, and with four times it does.
const smallMB, greedyMB = 200, 500

// greed takes so many MB of memory. Where its worker may not hold as much, it waits to be killed.
var greed = mapper.Func("larger/greed", func(ctx context.Context, mb int) (int, error) {
	if mb == 0 {
		return 0, nil
	}
	block, err := syscall.Mmap(-1, 0, mb<<20, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return 0, err
	}
	defer func() { _ = syscall.Munmap(block) }() // it is but one task's
	for i := 0; i < len(block); i += 4096 {
		block[i] = 1
	}
	if int64(mb)<<20 > debug.SetMemoryLimit(-1) { // which is a little less than the worker's
		<-ctx.Done()
	}
	return mb, nil
})

// steps is a local backend that can be enlarged so often, and whose price is ten times as high each time.
type steps struct {
	*local.Backend
	left     int
	price    float64
	prepared *atomic.Int32
	refuses  error
	faults   *atomic.Int32 // of Prepare that pass
}

func newSteps(n int) *steps {
	return &steps{local.New(local.Config{Workers: 2, MemoryMB: smallMB}), n, 1, new(atomic.Int32), nil, new(atomic.Int32)}
}

func (s *steps) Enlarge() (backends.Backend, error) {
	if s.left == 0 {
		return nil, fmt.Errorf("a worker has all that there is: make tasks smaller: %w", backends.ErrInvalid)
	}
	larger, err := s.Backend.Enlarge()
	if err != nil {
		return nil, err
	}
	next := *s
	next.Backend, next.left, next.price = larger.(*local.Backend), s.left-1, 10*s.price
	return &next, nil
}

func (s *steps) Prepare(ctx context.Context, d backends.Deployment) error {
	if s.price > 1 {
		s.prepared.Add(1)
		if s.refuses != nil {
			return s.refuses
		}
		if s.faults.Add(-1) >= 0 {
			return errors.New("the service is not available")
		}
	}
	return s.Backend.Prepare(ctx, d)
}

func (s *steps) Limits() backends.Limits {
	l := s.Backend.Limits()
	l.PricePerSecond = s.price
	return l
}

func greedy(t *testing.T, dir string, b backends.Backend, o mapper.Options) *mapper.Executor {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("memory is not watched on this system")
	}
	bucket, err := filestore.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	ex, err := mapper.New(t.Context(), b, bucket, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := ex.Close(); err != nil {
			t.Error(err)
		}
	})
	return ex
}

// TestMoreMemory: a task that needs three times its worker's memory fails, and is done with the option; those beside it pay
// nothing.
func TestMoreMemory(t *testing.T) {
	t.Parallel()
	ex := greedy(t, t.TempDir(), local.New(local.Config{Workers: 2, MemoryMB: smallMB}), mapper.Options{BatchSize: 8})
	inputs := make([]int, 40)
	inputs[11], inputs[30] = greedyMB, smallMB+50
	_, err := mapper.Map(t.Context(), ex, greed, inputs[:20])
	if e, ok := errors.AsType[*mapper.TaskError](err); !ok || !errors.Is(err, mapper.ErrOutOfMemory) || e.Index != 11 || e.Attempts != 3 {
		t.Errorf("without the option: %v", err)
	}
	var s mapper.Stats
	got, err := mapper.Map(t.Context(), ex.With(mapper.Options{MoreMemory: true, Stats: func(told mapper.Stats) { s = told }}), greed, inputs)
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range got {
		if x != inputs[i] {
			t.Errorf("result %d is %d, not %d", i, x, inputs[i])
		}
	}
	if s.Done != 40 || s.Failed != 0 || s.Retried != 3 { // one of the smaller, and two of the greater
		t.Errorf("%+v", s)
	}
	_, err = mapper.Call(t.Context(), ex.With(mapper.Options{MoreMemory: true, Retries: 1}), greed, greedyMB)
	if e, ok := errors.AsType[*mapper.TaskError](err); !ok || !errors.Is(err, mapper.ErrOutOfMemory) || e.Attempts != 2 {
		t.Errorf("with too few attempts: %v", err)
	}
	mentions(t, err, fmt.Sprintf("its limit is %d MB", 2*smallMB))
}

// TestMoreMemoryEnds: where there is no more memory, the attempts go on with the most, and the error says so.
func TestMoreMemoryEnds(t *testing.T) {
	t.Parallel()
	o := mapper.Options{MoreMemory: true, ContinueOnError: true, Retries: 3}
	for name, c := range map[string]struct {
		backend backends.Backend
		limit   int
		says    string
	}{
		"a step":  {newSteps(1), 2 * smallMB, "there is no more: a worker has all that there is"},
		"no step": {newSteps(0), smallMB, "there is no more: a worker has all that there is"},
		"never":   {struct{ backends.Backend }{newSteps(0)}, smallMB, "this backend has no workers with more memory"},
	} {
		got, err := mapper.Map(t.Context(), greedy(t, t.TempDir(), c.backend, o), greed, []int{0, greedyMB, 0})
		e, ok := errors.AsType[*mapper.TaskError](err)
		if !ok || !errors.Is(err, mapper.ErrOutOfMemory) || errors.Is(err, backends.ErrInvalid) || e.Attempts != 4 || len(got) != 3 {
			t.Errorf("%s: %v", name, err)
		}
		mentions(t, err, fmt.Sprintf("its limit is %d MB", c.limit), c.says)
	}
}

// TestMoreMemoryShared: the larger workers are made ready once, for the jobs of all, and have their own price.
func TestMoreMemoryShared(t *testing.T) {
	t.Parallel()
	b := newSteps(3)
	ex := greedy(t, t.TempDir(), b, mapper.Options{MoreMemory: true, BatchSize: 1})
	var jobs sync.WaitGroup
	for range 2 {
		jobs.Go(func() {
			var s mapper.Stats
			ex := ex.With(mapper.Options{Stats: func(told mapper.Stats) { s = told }})
			if _, err := mapper.Map(t.Context(), ex, greed, []int{smallMB + 50, 0, smallMB + 50}); err != nil {
				t.Error(err)
			}
			var usual, larger float64
			for _, x := range s.Spans {
				if x.Kind == mapper.SpanDone && x.First != 1 {
					larger += (x.Ended - x.Start).Seconds()
				} else {
					usual += (x.Ended - x.Start).Seconds()
				}
			}
			if want := usual + 10*larger; math.Abs(s.Cost.Backend-want) > want/1e6 || larger == 0 {
				t.Errorf("it costs %f, want %f", s.Cost.Backend, want)
			}
		})
	}
	jobs.Wait()
	if n := b.prepared.Load(); n != 1 {
		t.Errorf("larger workers were made ready %d times", n)
	}
}

// TestMoreMemoryRefused: that larger workers cannot be had is the failure of who needs them, and of nobody else.
func TestMoreMemoryRefused(t *testing.T) {
	t.Parallel()
	b := newSteps(3)
	b.refuses = fmt.Errorf("the driver may make no function: %w", backends.ErrRefused)
	ex := greedy(t, t.TempDir(), b, mapper.Options{MoreMemory: true, ContinueOnError: true, Speculation: -1})
	for range 2 {
		_, err := mapper.Map(t.Context(), ex, greed, []int{0, greedyMB, 0, greedyMB, 0})
		e, ok := errors.AsType[*mapper.JobError](err)
		if !ok || e.Failed != 2 || !errors.Is(err, mapper.ErrOutOfMemory) || errors.Is(err, backends.ErrRefused) || e.Tasks[0].Attempts != 1 {
			t.Errorf("%v", err)
		}
		mentions(t, err, "workers with more could not be made ready", "the driver may make no function")
	}
	if n := b.prepared.Load(); n != 1 {
		t.Errorf("it was tried %d times", n)
	}
}

// TestMoreMemoryFault: a fault of making larger workers ready passes, and is neither an attempt nor a loss.
func TestMoreMemoryFault(t *testing.T) {
	t.Parallel()
	b := newSteps(3)
	b.faults.Store(1)
	var s mapper.Stats
	ex := greedy(t, t.TempDir(), b, mapper.Options{MoreMemory: true, Retries: 1, BatchSize: 1, Speculation: -1, Stats: func(told mapper.Stats) { s = told }})
	if _, err := mapper.Map(t.Context(), ex, greed, []int{0, smallMB + 50, 0}); err != nil {
		t.Error(err)
	}
	if n := b.prepared.Load(); n != 2 || s.Invocations != 4 || s.WorkersLost != 1 || s.Retried != 1 {
		t.Errorf("larger workers were made ready %d times; %d invocations, %d lost, %d retried", n, s.Invocations, s.WorkersLost, s.Retried)
	}
}

// TestMoreMemoryResumed: what failed for want of memory is done when the job is resumed with the option.
func TestMoreMemoryResumed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	inputs := []int{0, 0, smallMB + 50, 0}
	ex := greedy(t, dir, newSteps(3), mapper.Options{Resume: "greedy", ContinueOnError: true})
	if _, err := mapper.Map(t.Context(), ex, greed, inputs); !errors.Is(err, mapper.ErrOutOfMemory) {
		t.Errorf("without the option: %v", err)
	}
	if err := ex.Close(); err != nil {
		t.Error(err)
	}
	var s mapper.Stats
	again := greedy(t, dir, newSteps(3), mapper.Options{Resume: "greedy", MoreMemory: true, Stats: func(told mapper.Stats) { s = told }})
	got, err := mapper.Map(t.Context(), again, greed, inputs)
	if err != nil || got[2] != inputs[2] || s.Resumed != 3 {
		t.Errorf("%v, %v, %d resumed", got, err, s.Resumed)
	}
}

// flight is a platform with so many steps, each of which notes what it is destroyed for and that it is closed.
type flight struct {
	backends.Backend
	step, steps   int
	end           error // of the steps
	closed, razed *[]int
	stays         int // the step that cannot be destroyed
	why           error
}

func (f flight) Enlarge() (backends.Backend, error) {
	if f.step == f.steps {
		return nil, f.end
	}
	f.step++
	return f, nil
}

func (f flight) Destroy(context.Context, string) error {
	*f.razed = append(*f.razed, f.step)
	if f.step == f.stays {
		return f.why
	}
	return nil
}

func (f flight) Close() error {
	*f.closed = append(*f.closed, f.step)
	return nil
}

// TestDestroyLarger: all steps go, also those above one that stays, and why it does is told: once where nothing of the account
// can be had.
func TestDestroyLarger(t *testing.T) {
	t.Parallel()
	none, inUse := fmt.Errorf("there is no more: %w", backends.ErrInvalid), errors.New("it is in use")
	unknown := &backends.AccountError{Err: fmt.Errorf("no region: %w", backends.ErrInvalid)}
	for name, c := range map[string]struct {
		stays int
		why   error
		end   error
		says  []string
		razed []int
	}{
		"all":         {-1, nil, none, nil, []int{0, 1, 2, 3}},
		"one stays":   {1, inUse, none, []string{"destroy", "it is in use"}, []int{0, 1, 2, 3}},
		"not to know": {-1, nil, errors.New("no credentials"), []string{"destroy", "no credentials"}, []int{0, 1, 2, 3}},
		"unreached":   {0, unknown, none, []string{"destroy", "no region"}, []int{0}},
		"lost":        {2, errors.Join(inUse, unknown), none, []string{"destroy", "it is in use", "no region"}, []int{0, 1, 2}},
	} {
		f := flight{Backend: inproc.New(1), steps: 3, end: c.end, closed: new([]int), razed: new([]int), stays: c.stays, why: c.why}
		ex, err := mapper.New(t.Context(), f, memstore.New(), mapper.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err = ex.Destroy(t.Context()); c.says != nil {
			mentions(t, err, c.says...)
		} else if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := ex.Close(); err != nil {
			t.Error(err)
		}
		if !slices.Equal(*f.razed, c.razed) || !slices.Equal(*f.closed, []int{1, 2, 3, 0}) {
			t.Errorf("%s: destroyed are %v, closed %v", name, *f.razed, *f.closed)
		}
	}
}
