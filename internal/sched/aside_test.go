package sched

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/wire"
)

// outsiders are what is under way outside of a job, and may bring results of its tasks.
type outsiders struct {
	mu       sync.Mutex
	requests [][]*outside // by task, those that have it, in the order in which they are asked for
	brought  map[int64]bool
	settled  map[int64]int // how often a task was
	got      chan struct{}
}

type outside struct {
	done   chan struct{}
	over   bool
	brings []int64
}

func newOutsiders(r *rand.Rand, tasks int) *outsiders {
	e := &outsiders{requests: make([][]*outside, tasks), brought: map[int64]bool{}, settled: map[int64]int{}, got: make(chan struct{}, tasks)}
	for range 1 + r.IntN(5) {
		o := &outside{done: make(chan struct{})}
		for n := range tasks {
			if r.IntN(3) > 0 {
				continue
			}
			e.requests[n] = append(e.requests[n], o)
			if r.IntN(3) > 0 {
				o.brings = append(o.brings, int64(n))
			}
		}
		time.AfterFunc(time.Duration(r.IntN(5000))*time.Millisecond, func() {
			e.mu.Lock()
			defer e.mu.Unlock()
			o.over = true
			for _, n := range o.brings {
				e.brought[n] = true
			}
			close(o.done)
		})
	}
	return e
}

func (e *outsiders) recall(_ context.Context, _ *Slot, t *Task) (bool, <-chan struct{}, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.brought[t.Index] {
		e.settle(t.Index)
		return true, nil, nil
	}
	for _, o := range e.requests[t.Index] {
		if !o.over {
			return false, o.done, nil
		}
	}
	return false, nil, nil
}

// settle notes that a task has its result. It is locked.
func (e *outsiders) settle(task int64) {
	e.settled[task]++
	e.got <- struct{}{}
}

// TestAside: whatever comes from elsewhere, and in whatever order and however little, each task is settled once, and others
// run meanwhile; also where the next input follows from the results of those before.
func TestAside(t *testing.T) {
	t.Parallel()
	seeds := uint64(300)
	if testing.Short() {
		seeds = 50
	}
	for seed := range seeds {
		synctest.Test(t, func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 7))
			tasks := 1 + r.IntN(60)
			e := newOutsiders(r, tasks)
			results, pushed := 0, int64(0)
			j := newTestJob(&fake{seed: seed, odds: odds{task: 20 * time.Millisecond, overhead: time.Millisecond, flaky: 0.1}}, 1+r.IntN(4), &results)
			if tasks == 1 {
				j.Known = 1
			}
			if r.IntN(2) == 0 {
				j.QueueTasks = 1
			}
			follows := r.IntN(2) == 0 && tasks > 1
			runner := NewRunner(j)
			j.Recall = e.recall
			j.Result = func(_ context.Context, _ *Slot, t *Task, _ Value) *Failure {
				e.mu.Lock()
				defer e.mu.Unlock()
				results++
				e.settle(t.Index)
				return nil
			}
			j.Feed = func(_ context.Context, push func([]byte) bool) error {
				for i := range tasks {
					if !push(binary.AppendUvarint(nil, uint64(i))) {
						return nil
					}
					pushed++
					if c := runner.Counts(); c.Queued < 0 || c.Running < 0 || !c.More {
						t.Errorf("seed %d: %+v after %d", seed, c, pushed)
					}
					if follows {
						<-e.got
					}
				}
				return nil
			}
			stopped := errors.New("stopped")
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			stop := r.IntN(4) == 0 && !follows
			if stop {
				time.AfterFunc(time.Duration(r.IntN(3000))*time.Millisecond, func() { cancel(stopped) })
			}
			err := runner.Run(ctx)
			c := runner.Counts()
			switch {
			case err != nil && (!stop || !errors.Is(err, stopped)):
				t.Errorf("seed %d: %v", seed, err)
			case err == nil && (len(e.settled) != tasks || c.Settled != int64(tasks) || c.Recalled != int64(tasks-results) || c.Queued+c.Running != 0):
				t.Errorf("seed %d: of %d tasks %d are settled, %d by results: %+v", seed, tasks, len(e.settled), results, c)
			case err != nil && c.Queued+c.Running+c.Settled != pushed:
				t.Errorf("seed %d: %d tasks were pushed: %+v", seed, pushed, c)
			}
			for n, times := range e.settled {
				if times != 1 {
					t.Errorf("seed %d: task %d was settled %d times", seed, n, times)
				}
			}
			time.Sleep(time.Minute) // what is elsewhere ends
		})
	}
}

// TestAsideBeside: tasks that wait for something elsewhere hold up no others, and the first that are known are not held up
// by the end of Feed.
func TestAsideBeside(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		results, done := 0, make(chan struct{})
		j := newTestJob(&fake{odds: odds{task: time.Second}}, 1, &results)
		waited := false
		j.Recall = func(_ context.Context, _ *Slot, t *Task) (bool, <-chan struct{}, error) {
			if t.Index > 0 || waited {
				return waited && t.Index == 0, nil, nil
			}
			return false, done, nil
		}
		r := NewRunner(j)
		j.Feed = func(_ context.Context, push func([]byte) bool) error {
			push([]byte("x"))
			push([]byte("y"))
			time.Sleep(time.Hour)
			if c := r.Counts(); c.Running != 1 || c.Settled != 1 {
				t.Errorf("%+v", c)
			}
			waited = true
			close(done)
			synctest.Wait()
			if c := r.Counts(); c.Running != 0 || c.Settled != 2 || c.Recalled != 1 {
				t.Errorf("%+v", c)
			}
			return nil
		}
		if err := r.Run(t.Context()); err != nil || results != 1 {
			t.Errorf("%d results, %v", results, err)
		}
	})
}

// TestAsideEnds: an error of asking again ends the job, and so does a function that does not return.
func TestAsideEnds(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	for name, x := range map[string]struct {
		again func() error
		want  error
	}{"error": {func() error { return broken }, broken}, "goexit": {func() error { runtime.Goexit(); return nil }, errGivenUp}} {
		synctest.Test(t, func(t *testing.T) {
			results, done := 0, make(chan struct{})
			j := newTestJob(&fake{}, 2, &results)
			j.Recall = func(context.Context, *Slot, *Task) (bool, <-chan struct{}, error) {
				select {
				case <-done:
					return false, nil, x.again()
				default:
					return false, done, nil
				}
			}
			j.Feed = func(_ context.Context, push func([]byte) bool) error {
				push(nil)
				time.AfterFunc(time.Second, func() { close(done) })
				return nil
			}
			r := NewRunner(j)
			if err := r.Run(t.Context()); !errors.Is(err, x.want) || results != 0 {
				t.Errorf("%s: %v", name, err)
			}
			if c := r.Counts(); c.Queued != 1 || c.Running != 0 {
				t.Errorf("%s: %+v", name, c)
			}
		})
	}
}

// TestResults: of a reply that is none of a runner's, the results are taken, up to what is wrong with it.
func TestResults(t *testing.T) {
	t.Parallel()
	stored := wire.Stored{Position: 2, Key: "key", Size: 7, Sum: 3}
	whole := wire.AppendResult(nil, 1, []byte("one"))
	whole = wire.AppendLog(whole, wire.Log{Position: 0, Text: "a line"})
	whole = wire.AppendFailed(whole, wire.Failure{Position: 0, Cause: wire.CauseError, Message: "it fails"})
	whole = wire.AppendStored(whole, stored)
	all := wire.AppendEnd(bytes.Clone(whole), wire.TypeEnd, &wire.End{Ran: 3})
	for name, x := range map[string]struct {
		reply []byte
		want  error
		n     int
	}{
		"whole":       {all, nil, 2},
		"cut":         {whole, io.ErrUnexpectedEOF, 2},
		"out of it":   {wire.AppendResult(bytes.Clone(whole), 3, nil), wire.ErrCorrupt, 2},
		"goes on":     {append(bytes.Clone(all), whole...), wire.ErrCorrupt, 2},
		"refused":     {wire.AppendRefused(nil, "another program"), backends.ErrInvalid, 0},
		"no reply":    {[]byte("<html>no reply at all, but an answer of something in between</html>"), wire.ErrCorrupt, 0},
		"taken badly": {all, errLost, -1},
	} {
		var got []string
		err := Results(bytes.NewReader(x.reply), 3, func(position int, v Value) error {
			if x.n < 0 {
				return errLost
			}
			got = append(got, fmt.Sprint(position, " ", string(v.Data), v.Stored != nil && *v.Stored == stored))
			return nil
		})
		if want := []string{"1 onefalse", "2 true"}; !errors.Is(err, x.want) || fmt.Sprint(got) != fmt.Sprint(want[:max(x.n, 0)]) {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}
