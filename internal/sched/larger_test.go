package sched

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gowren/gowren/backends"
)

// fakeLadder has so many levels above a fake. It takes a time to make each ready, and fails so often before.
type fakeLadder struct {
	f      *fake
	levels int
	takes  time.Duration

	mu       sync.Mutex
	failures int
	ready    map[int]chan struct{}
	errs     map[int]error // of those that were made
	made     int
}

var errNoRung = fmt.Errorf("this platform has no more: %w", backends.ErrInvalid)

func (l *fakeLadder) Has(level int) error {
	if level > l.levels {
		return errNoRung
	}
	return nil
}

func (l *fakeLadder) Get(level int) (backends.Backend, float64, <-chan struct{}, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err, over := l.errs[level]; over {
		if err != nil {
			delete(l.errs, level)
			delete(l.ready, level)
			return nil, 0, nil, err
		}
		return &fakeRung{l.f, level}, float64(int(1) << level), nil, nil
	}
	if l.ready[level] == nil {
		if l.ready == nil {
			l.ready, l.errs = map[int]chan struct{}{}, map[int]error{}
		}
		ready := make(chan struct{})
		l.ready[level] = ready
		time.AfterFunc(l.takes, func() {
			l.mu.Lock()
			defer l.mu.Unlock()
			l.made++
			l.errs[level] = nil
			if l.failures > 0 {
				l.failures--
				l.errs[level] = fmt.Errorf("the account may make none: %w", backends.ErrRefused)
			}
			close(ready)
		})
	}
	return nil, 0, l.ready[level], nil
}

// fakeRung is a level of a ladder.
type fakeRung struct {
	*fake
	level int
}

func (r *fakeRung) Invoke(ctx context.Context, request backends.Request) (io.ReadCloser, error) {
	return r.invoke(ctx, request, r.level)
}

// request is that of a job, and holds batches to it that none mixes levels.
func (s *simulation) request(ctx context.Context, slot *Slot, b *Batch) (backends.Request, error) {
	for _, task := range b.Tasks {
		if task.Level > 0 && len(b.Tasks) > 1 {
			s.Errorf("replay by -seed %d: task %d of level %d is in a batch of %d", s.seed, task.Index, task.Level, len(b.Tasks))
		}
	}
	return request(ctx, slot, b)
}

// level is that of the worker that a task of a simulation ends on.
func (s *simulation) level(index int64) int {
	if s.f.fate(s.seed, index) == greedy {
		return needs(index)
	}
	return 0
}

// TestLarger: a task that needs a worker of level 2 has two further attempts, and ends there; where there are fewer
// attempts or levels it fails, and the error says so. A worker's time has its own price.
func TestLarger(t *testing.T) {
	for name, c := range map[string]struct {
		levels, retries, failures int
		attempts                  int // of a failure
		says                      string
	}{
		"enough":          {levels: 3, retries: 2},
		"few attempts":    {levels: 3, retries: 1, attempts: 2, says: "out of memory"},
		"few levels":      {levels: 1, retries: 4, attempts: 5, says: "there is no more: this platform has no more"},
		"no levels":       {levels: 0, retries: 2, attempts: 3, says: "there is no more: this platform has no more"},
		"fails once":      {levels: 3, retries: 3, failures: 1},
		"fails each time": {levels: 3, retries: 3, failures: 100, attempts: 4, says: "could not be made ready: the account may make none"},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := &fake{seed: 1, cpus: 1, odds: odds{task: time.Second, greedy: 1}}
			l := &fakeLadder{f: f, levels: c.levels, takes: time.Minute, failures: c.failures}
			got, level, last := 0, -1, time.Time{}
			var failure error
			attempts := 0
			began := time.Now()
			j := newTestJob(f, 1, &got)
			j.Larger, j.Policy.Retries, j.Known = l, c.retries, 0
			j.Feed = func(_ context.Context, push func([]byte) bool) error {
				for range 2 { // of which the first needs level 1, and the second level 2
					push(nil)
				}
				return nil
			}
			j.Policy.Concurrency, j.Policy.BatchSize = 1, 2
			j.Result = func(_ context.Context, _ *Slot, task *Task, _ Value) *Failure {
				if task.Index == 1 {
					level, last = int(task.Level), time.Now()
				}
				return nil
			}
			j.Failed = func(task *Task, n int, x *Failure) error {
				if task.Index == 1 {
					attempts, failure = n, x.Err
				}
				return nil
			}
			var paid time.Duration
			j.Ended = func(x *Report) { paid += x.Ended.Sub(x.Begun) << x.level() }
			r := NewRunner(j)
			if err := r.Run(t.Context()); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if got := r.Paid(time.Now()); got != paid {
				t.Errorf("%s: %v is paid, want %v", name, got, paid)
			}
			if c.attempts == 0 && (level != 2 || failure != nil || last.Sub(began) < 2*time.Minute) {
				t.Errorf("%s: done at level %d after %v, %v", name, level, last.Sub(began), failure)
			}
			if c.attempts > 0 && (attempts != c.attempts || !errors.Is(failure, backends.ErrOutOfMemory) || !strings.Contains(failure.Error(), c.says)) {
				t.Errorf("%s: after %d attempts: %v", name, attempts, failure)
			}
			n := r.Counts()
			if n.Queued != 0 || n.Running != 0 || n.Settled != 2 || r.m.flow.flying != 0 {
				t.Errorf("%s: %+v; %d are under way", name, n, r.m.flow.flying)
			}
		})
	}
}

// TestLargerAlone: while workers of a level are being made ready, the one slot that there is runs other tasks; a job that is
// stopped does not wait for them.
func TestLargerAlone(t *testing.T) {
	f := &fake{cpus: 1, odds: odds{task: time.Millisecond, greedy: 0.5}}
	for f.fate(f.seed, 0) != greedy || f.fate(f.seed, 1) != fine {
		f.seed++
	}
	for _, stopped := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			l := &fakeLadder{f: f, levels: 1, takes: time.Hour}
			var got int
			j := newTestJob(f, 1, &got)
			j.Larger, j.Policy.BatchSize = l, 1
			j.Feed = func(_ context.Context, push func([]byte) bool) error {
				push(nil)
				push(nil)
				return nil
			}
			began := time.Now()
			var done [2]time.Duration
			j.Result = func(_ context.Context, _ *Slot, task *Task, _ Value) *Failure {
				done[task.Index] = time.Since(began)
				return nil
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if stopped {
				time.AfterFunc(time.Minute, cancel)
			}
			r := NewRunner(j)
			err := r.Run(ctx)
			if done[1] == 0 || done[1] > time.Minute {
				t.Errorf("the other task is done after %v", done[1])
			}
			if n := r.Counts(); n.Queued+n.Settled != 2 || n.Running != 0 || stopped == (n.Settled == 2) {
				t.Errorf("%+v", n)
			}
			if !stopped && (err != nil || done[0] < time.Hour) || stopped && (!errors.Is(err, context.Canceled) || time.Since(began) > time.Minute) {
				t.Errorf("%v; done after %v", err, done)
			}
			time.Sleep(time.Hour) // what is made ready is
		})
	}
}
