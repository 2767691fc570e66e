package sched

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gowren/gowren/backends"
)

// fakeRung is a level of a ladder with so many above a fake. It takes a time to make each ready, and fails so often before.
type fakeRung struct {
	*fake
	level, levels int
	takes         time.Duration
	failures      *atomic.Int64
	fault         error
	made          *atomic.Int64 // how often Prepare was called
}

func (f *fake) ladder(ctx context.Context, foot fakeRung) *Ladder {
	foot.fake, foot.made = f, new(atomic.Int64)
	if foot.failures == nil {
		foot.failures = new(atomic.Int64)
	}
	return NewLadder(ctx, &foot, backends.Deployment{})
}

var errNoRung = fmt.Errorf("this platform has no more: %w", backends.ErrInvalid)

func (r *fakeRung) Enlarge() (backends.Backend, error) {
	if r.level == r.levels {
		return nil, errNoRung
	}
	next := *r
	next.level++
	return &next, nil
}

func (r *fakeRung) Prepare(ctx context.Context, _ backends.Deployment) error {
	r.made.Add(1)
	if err := pause(ctx, r.takes); err != nil {
		return err
	}
	if r.failures.Add(-1) >= 0 {
		return r.fault
	}
	return nil
}

func (r *fakeRung) Limits() backends.Limits {
	return backends.Limits{PricePerSecond: float64(int(1) << r.level)}
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
// attempts or levels it fails, and the error says so. Workers that cannot be made ready cost no attempt: that may pass, unless
// it is refused. A worker's time has its own price.
func TestLarger(t *testing.T) {
	passing, refused := errors.New("the service is not available"), fmt.Errorf("the account may make none: %w", backends.ErrRefused)
	type sums struct{ invocations, lost, retried, made int64 }
	done := sums{6, 4, 3, 2} // both tasks together, then each alone, and with more memory
	for name, c := range map[string]struct {
		levels, retries int
		failures        int64
		fault           error
		attempts        int // of a failure
		says            string
		sums            sums
	}{
		"enough":         {levels: 3, retries: 2, sums: done},
		"few attempts":   {levels: 3, retries: 1, attempts: 2, says: "out of memory", sums: sums{5, 4, 2, 1}},
		"few levels":     {levels: 1, retries: 4, attempts: 5, says: "there is no more: this platform has no more", sums: sums{8, 7, 5, 1}},
		"no levels":      {levels: 0, retries: 2, attempts: 3, says: "there is no more: this platform has no more", sums: sums{7, 7, 4, 0}},
		"a fault":        {levels: 3, retries: 2, failures: 1, fault: passing, sums: sums{6, 4, 3, 3}},
		"many faults":    {levels: 3, retries: 2, failures: mostFaults - 1, fault: passing, sums: sums{6, 4, 3, mostFaults + 1}},
		"always a fault": {levels: 3, retries: 2, failures: 100, fault: passing, attempts: 1, says: "could not be made ready: the service is not available (tried 5 times)", sums: sums{3, 3, 0, mostFaults}},
		"always refused": {levels: 3, retries: 2, failures: 100, fault: refused, attempts: 1, says: "could not be made ready: the account may make none", sums: sums{3, 3, 0, 1}},
	} {
		synctest.Test(t, func(t *testing.T) {
			f := &fake{seed: 1, cpus: 1, odds: odds{task: time.Second, greedy: 1}}
			foot := fakeRung{levels: c.levels, takes: time.Minute, failures: new(atomic.Int64), fault: c.fault}
			foot.failures.Store(c.failures)
			got, level, last := 0, -1, time.Time{}
			var failure error
			attempts := 0
			began := time.Now()
			j := newTestJob(f, 1, &got)
			j.Larger, j.Policy.Retries, j.Known = f.ladder(t.Context(), foot), c.retries, 0
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
			var ended int64
			j.Ended = func(x *Report) {
				paid += x.Ended.Sub(x.Begun) << x.level()
				ended++
			}
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
			if c.attempts > 0 && (attempts != c.attempts || !errors.Is(failure, backends.ErrOutOfMemory) || errors.Is(failure, backends.ErrRefused) || !strings.Contains(failure.Error(), c.says)) {
				t.Errorf("%s: after %d attempts: %v", name, attempts, failure)
			}
			n := r.Counts()
			if n.Queued != 0 || n.Running != 0 || n.Settled != 2 || r.m.flow.flying != 0 {
				t.Errorf("%s: %+v; %d are under way", name, n, r.m.flow.flying)
			}
			if is := (sums{n.Invocations, n.Lost, n.Retried, j.Larger.foot.(*fakeRung).made.Load()}); is != c.sums || ended != n.Invocations { //nolint:forcetypeassert // it is that
				t.Errorf("%s: %+v, and %d ended, want %+v", name, is, ended, c.sums)
			}
			if err := j.Larger.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestLargerAlone: while workers of a level are being made ready, or could not be made so yet, the one slot that there is runs
// other tasks. A job that is stopped does not wait for them, and neither does who closes the ladder.
func TestLargerAlone(t *testing.T) {
	f := &fake{cpus: 1, odds: odds{task: time.Millisecond, greedy: 0.5}}
	for f.fate(f.seed, 0) != greedy || f.fate(f.seed, 1) != fine {
		f.seed++
	}
	for _, c := range []struct {
		takes    time.Duration
		failures int64
		ready    time.Duration
		stopped  bool
	}{
		{time.Hour, 0, time.Hour, false},
		{time.Hour, 0, time.Hour, true},
		{0, 4, (1 + 4 + 16 + 60) * time.Second, false},
		{0, 4, (1 + 4 + 16 + 60) * time.Second, true},
	} {
		synctest.Test(t, func(t *testing.T) {
			foot := fakeRung{levels: 1, takes: c.takes, failures: new(atomic.Int64), fault: errLost}
			foot.failures.Store(c.failures)
			var got int
			j := newTestJob(f, 1, &got)
			all, end := context.WithCancel(t.Context())
			defer end()
			j.Larger, j.Policy.BatchSize = f.ladder(all, foot), 1
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
			ctx, cancel := context.WithCancel(all)
			defer cancel()
			if c.stopped {
				time.AfterFunc(time.Minute, cancel)
			}
			r := NewRunner(j)
			err := r.Run(ctx)
			if done[1] == 0 || done[1] > time.Second {
				t.Errorf("the other task is done after %v", done[1])
			}
			if n := r.Counts(); n.Queued+n.Settled != 2 || n.Running != 0 || c.stopped == (n.Settled == 2) {
				t.Errorf("%+v", n)
			}
			if !c.stopped && (err != nil || done[0] < c.ready || done[0] > c.ready+time.Second) || c.stopped && (!errors.Is(err, context.Canceled) || time.Since(began) > time.Minute) {
				t.Errorf("%v; done after %v", err, done)
			}
			over := time.Now()
			end()
			if err := j.Larger.Close(); err != nil || time.Now().After(over) {
				t.Errorf("closed after %v, %v", time.Since(over), err)
			}
		})
	}
}

// TestLargerAgain: what was given up is tried again after a while, as often as before.
func TestLargerAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		foot := fakeRung{levels: 1, failures: new(atomic.Int64), fault: errLost}
		foot.failures.Store(mostFaults + 1)
		l := new(fake).ladder(t.Context(), foot)
		ask := func() error {
			for {
				_, _, ready, err := l.Get(1)
				if ready == nil {
					return err
				}
				<-ready
			}
		}
		for range 2 { // many may ask
			if err := ask(); !errors.Is(err, errLost) {
				t.Errorf("given up: %v", err)
			}
		}
		time.Sleep(failureStays)
		if err := ask(); err != nil || l.foot.(*fakeRung).made.Load() != mostFaults+2 { //nolint:forcetypeassert // it is that
			t.Errorf("after %v: %v", failureStays, err)
		}
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	})
}
