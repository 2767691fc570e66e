package sched

import (
	"context"
	"encoding/binary"
	"flag"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

var replay = flag.Uint64("seed", 0, "simulate this seed alone")

// TestSimulation runs whole jobs in virtual time, with all that may go wrong, and holds each to its promises.
func TestSimulation(t *testing.T) {
	seeds := uint64(1000)
	if testing.Short() {
		seeds = 20
	}
	for seed := uint64(1); seed <= seeds; seed++ {
		if *replay == 0 || *replay == seed {
			simulate(t, seed, 300, 30)
		}
	}
	if *replay == 0 && simulated.Load() == 0 {
		t.Error("no copy was ever made")
	}
}

func TestSimulationLarge(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	simulate(t, 1, 100_000, 1000)
}

// TestSimulationFull has the size of the largest jobs.
func TestSimulationFull(t *testing.T) {
	if os.Getenv("GOWREN_CHAOS") == "" {
		t.Skip("takes minutes: see make chaos")
	}
	simulate(t, 1, 1_000_000, 10_000)
}

// simulate draws a job and a backend from a seed, and runs it. The order of goroutines is not drawn: a seed that fails
// may need some runs to fail again.
func simulate(t *testing.T, seed uint64, tasks, workers int) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 2))
	f := newFake(r, seed)
	s := newSimulation(t, r, f, tasks, workers, nil)
	synctest.Test(t, func(t *testing.T) { run(t, s) })
	s.check()
	if f.most.Load() > int64(workers) || f.flying.Load() != 0 {
		s.fail("%d were in flight of %d, and %d are", f.most.Load(), workers, f.flying.Load())
	}
}

// TestSimulationShared: jobs that share a backend, and hold back together while it throttles, all end.
func TestSimulationShared(t *testing.T) {
	for seed := uint64(1); seed <= 60; seed++ {
		if *replay != 0 && *replay != seed {
			continue
		}
		r := rand.New(rand.NewPCG(seed, 3))
		f, flow := newFake(r, seed), NewFlow(20)
		f.throttle = 0.6 * r.Float64()
		var all []*simulation
		for range 3 {
			all = append(all, newSimulation(t, r, f, 50+r.IntN(200), 20, flow))
		}
		synctest.Test(t, func(t *testing.T) { run(t, all...) })
		for _, s := range all {
			s.check()
		}
		if f.flying.Load() != 0 || flow.flying != 0 {
			t.Errorf("replay by -seed %d: %d are in flight, or %d", seed, f.flying.Load(), flow.flying)
		}
	}
}

func newFake(r *rand.Rand, seed uint64) *fake {
	some := func(most float64) float64 { return most * max(r.Float64()-0.3, 0) }
	return &fake{seed: seed, cpus: 1 + r.IntN(4), odds: odds{
		cold: some(0.2), throttle: some(0.5), crash: some(0.2), cut: some(0.1), silent: some(0.1), partition: some(0.1), doubled: some(0.5), slow: some(0.1), leave: some(0.5),
		broken: some(0.02), flaky: some(0.1), deadly: some(0.005), greedy: max(0.02*rand.New(rand.NewPCG(seed, 3)).Float64()-0.005, 0),
		task: time.Millisecond << r.IntN(9), overhead: time.Millisecond << r.IntN(7),
	}}
}

func newSimulation(t *testing.T, r *rand.Rand, f *fake, tasks, workers int, flow *Flow) *simulation {
	s := &simulation{T: t, seed: f.seed, f: f, done: make([]atomic.Int32, tasks), copies: []float64{0, 0.1, 0.5}[r.IntN(3)], slow: r.IntN(3) == 0}
	s.r = NewRunner(&Job{
		Backend: f,
		Policy: Policy{Concurrency: workers, CPUs: f.cpus, BatchSize: max(r.IntN(30)-15, 0), BatchBytes: r.IntN(200), Retries: 20, Random: rand.Float64,
			Copies: s.copies, Streams: r.IntN(2) == 0, Flow: flow},
		Feed: s.feed, Request: s.request, Result: s.result, Failed: s.failed, Log: func(*Task, string) {},
		QueueTasks: 1 + r.IntN(2*tasks), QueueBytes: 1 << 20,
	})
	return s
}

// run runs jobs to their end.
func run(t *testing.T, all ...*simulation) {
	t.Helper()
	over := make(chan struct{}, len(all))
	for _, s := range all {
		foot := fakeRung{levels: 3, takes: 30 * time.Second, failures: new(atomic.Int64), fault: errLost}
		foot.failures.Store(int64(s.seed % mostFaults))
		s.r.job.Larger = s.f.ladder(t.Context(), foot)
		go func() {
			if err := s.r.Run(t.Context()); err != nil {
				s.Errorf("replay by -seed %d: %v", s.seed, err)
			}
			over <- struct{}{}
		}()
	}
	tick := 100 * time.Microsecond
	for n := 0; n < len(all); tick = min(tick*5/4, 5*time.Second) {
		synctest.Wait() // nothing moves but by time
		for _, s := range all {
			s.idle()
		}
		select {
		case <-over:
			n++
		case <-time.After(tick):
		}
	}
}

// check holds a job that is over to its promises.
func (s *simulation) check() {
	s.Helper()
	for i := range s.done {
		if n := s.done[i].Load(); n != 1 {
			s.fail("task %d was delivered or reported %d times", i, n)
		}
	}
	c := s.r.Counts()
	simulated.Add(c.Copies)
	if own := c.Invocations - c.Copies; float64(c.Copies) > max(1, s.copies*float64(own)) || s.copies == 0 && c.Copies > 0 {
		s.fail("%d copies of %d invocations", c.Copies, own)
	}
	if c.Settled != int64(len(s.done)) || c.Queued != 0 || c.Running != 0 || c.Failed != s.failures.Load() {
		s.fail("%+v; %d failures", c, s.failures.Load())
	}
}

// simulated counts the copies in all simulations.
var simulated atomic.Int64

type simulation struct {
	*testing.T
	seed     uint64
	f        *fake
	r        *Runner
	copies   float64
	slow     bool // inputs come slowly
	done     []atomic.Int32
	failures atomic.Int64
}

func (s *simulation) fail(what string, args ...any) {
	s.Helper()
	s.Fatalf("replay by -seed %d: "+what, append([]any{s.seed}, args...)...)
}

func (s *simulation) feed(_ context.Context, push func([]byte) bool) error {
	for i := range s.done {
		if s.slow && i%50 == 0 {
			time.Sleep(10 * time.Millisecond)
		}
		if !push(binary.AppendUvarint(nil, uint64(i))) {
			break
		}
	}
	return nil
}

func (s *simulation) result(_ context.Context, _ *Slot, t *Task, v Value) *Failure {
	if index, _ := binary.Uvarint(v.Data); int64(index) != t.Index {
		s.Errorf("replay by -seed %d: task %d has the result of %d", s.seed, t.Index, index)
	}
	s.done[t.Index].Add(1)
	if want := s.level(t.Index); int(t.Level) != want {
		s.Errorf("replay by -seed %d: task %d is done on a worker of level %d, want %d", s.seed, t.Index, t.Level, want)
	}
	if x := s.f.fate(s.seed, t.Index); x == broken || x == deadly {
		s.Errorf("replay by -seed %d: task %d succeeds", s.seed, t.Index)
	}
	return nil
}

func (s *simulation) failed(t *Task, attempts int, f *Failure) error {
	s.done[t.Index].Add(1)
	s.failures.Add(1)
	want := 21
	switch x := s.f.fate(s.seed, t.Index); {
	case x == broken:
		want = attempts // losses before it may have counted
	case x != deadly:
		s.Errorf("replay by -seed %d: task %d fails, though nothing is wrong with it: %v %s", s.seed, t.Index, f.Err, f.Message)
	}
	if attempts != want {
		s.Errorf("replay by -seed %d: task %d had %d attempts", s.seed, t.Index, attempts)
	}
	return nil
}

// idle is called when nothing moves: no slot may wait, or not be begun, while a batch can be had. What another job on the
// backend has changed is seen a little later.
func (s *simulation) idle() {
	s.r.mu.Lock()
	defer s.r.mu.Unlock()
	ready, again := s.r.m.Ready(time.Now())
	free := s.r.waiting > 0 || s.r.started < s.r.m.policy.Concurrency
	soon := time.Now().Add(elsewhere)
	if s.r.m.flow.shared && (ready || !again.IsZero() && again.Before(soon)) {
		ready, again = false, soon
	}
	if ready && free {
		s.fail("a batch waits, and %d of %d slots: %+v", s.r.waiting, s.r.started, s.r.m.Counts())
	}
	if free && !again.IsZero() && (s.r.due.IsZero() || s.r.due.After(again)) {
		s.fail("the alarm is set for %v, not %v", s.r.due, again)
	}
	c := s.r.m.Counts()
	if pushed := s.r.next; c.Queued+c.Running-s.r.landed()+s.r.settled.Load() != pushed {
		s.fail("%+v does not add up to %d", c, pushed)
	}
}
