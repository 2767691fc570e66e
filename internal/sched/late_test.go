package sched

import (
	"container/heap"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// tail is how long a platform takes to start many workers at once, in seconds.
type tail struct{ median, p90, p99, last float64 }

// Of 1,000 functions that were started at once in June 2022, as the authors of Lithops have published them
// (github.com/lithops-cloud/applications, benchmarks).
var tails = map[string]tail{
	"aws":    {1.2, 1.8, 2.2, 3.7},
	"google": {2.5, 7.5, 65, 76.7},
	"azure":  {388, 614, 673, 676},
	"even":   {0.5, 0.5, 0.5, 0.5},
}

// draw returns a time that lies between the known quantiles as on a logarithmic scale, from a third of the median on.
func (s tail) draw(r *rand.Rand) time.Duration {
	at := []struct{ q, seconds float64 }{{0, s.median / 3}, {0.5, s.median}, {0.9, s.p90}, {0.99, s.p99}, {1, s.last}}
	x := r.Float64()
	for i := range at[1:] {
		if a, b := at[i], at[i+1]; x <= b.q {
			share := (x - a.q) / (b.q - a.q)
			return time.Duration(a.seconds * math.Pow(b.seconds/a.seconds, share) * float64(time.Second))
		}
	}
	panic("a share above 1")
}

// event is what happens to an invocation of a simulated platform, the soonest first.
type event struct {
	at    time.Time
	batch *Batch
	step  int // -1 answers; position of the task that ends; len(Tasks) is the end
}

type events []event

func (e events) Len() int           { return len(e) }
func (e events) Less(i, j int) bool { return e[i].at.Before(e[j].at) }
func (e events) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *events) Push(x any)        { *e = append(*e, x.(event)) }
func (e *events) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

// platform runs a job on workers that start late and stay warm.
type platform struct {
	m      *Machine
	r      *rand.Rand
	tail   tail
	task   func(index int64) time.Duration
	slow   float64 // the share of workers that take ten times as long
	now    time.Time
	events events
	warm   []float64 // free workers, by how slow they are
	pace   map[*Batch]float64
	starts []time.Duration // of the workers that were started
	alarm  time.Time
	done   map[int64]bool
}

const invocation = 20 * time.Millisecond // what one takes on a worker that is warm

func (p *platform) begin() {
	for {
		b, again := p.m.Next(p.now)
		if b == nil {
			p.alarm = again
			return
		}
		at := p.now.Add(invocation)
		if n := len(p.warm); n > 0 {
			p.pace[b], p.warm = p.warm[n-1], p.warm[:n-1]
		} else {
			start := p.tail.draw(p.r)
			p.starts = append(p.starts, start)
			at = at.Add(start)
			p.pace[b] = 1
			if p.r.Float64() < p.slow {
				p.pace[b] = 10
			}
		}
		heap.Push(&p.events, event{at, b, -1})
	}
}

// run returns how long the job took.
func (p *platform) run(t *testing.T) time.Duration {
	p.begin()
	for !p.m.Finished() {
		if !p.alarm.IsZero() && (len(p.events) == 0 || p.alarm.Before(p.events[0].at)) {
			p.now = p.alarm
			p.begin()
			continue
		}
		if len(p.events) == 0 {
			t.Fatalf("stuck: %+v", p.m.Counts())
		}
		e := heap.Pop(&p.events).(event)
		if _, flying := p.pace[e.batch]; !flying {
			continue // it was given up
		}
		p.now = e.at
		p.step(e)
		p.begin()
	}
	return p.now.Sub(start)
}

func (p *platform) step(e event) {
	b := e.batch
	switch {
	case e.step < 0:
		p.m.Started(b, p.now)
	case e.step < len(b.Tasks):
		if first, _ := b.Settle(e.step); first {
			p.done[b.Tasks[e.step].Index] = true
		}
	}
	if b.redundant() {
		for _, x := range slices.Clone(b.work.batches) {
			p.end(x, Outcome{Err: errRedundant})
		}
		return
	}
	if e.step == len(b.Tasks)-1 {
		p.end(b, Outcome{Ran: len(b.Tasks), Busy: p.now.Sub(b.started)})
		return
	}
	took := time.Duration(p.pace[b] * float64(p.task(b.Tasks[e.step+1].Index)))
	heap.Push(&p.events, event{p.now.Add(took), b, e.step + 1})
}

func (p *platform) end(b *Batch, o Outcome) {
	if !b.started.IsZero() {
		p.warm = append(p.warm, p.pace[b])
	}
	delete(p.pace, b)
	p.m.End(b, o, p.now)
}

// ideal is how long a schedule takes that knows all starts and tasks beforehand: each task, the longest first, goes to the
// worker on which it ends first.
func ideal(starts, tasks []time.Duration) time.Duration {
	free := append(soonest{}, starts...)
	heap.Init(&free)
	var last time.Duration
	for _, d := range slices.Backward(slices.Sorted(slices.Values(tasks))) {
		free[0] += d
		last = max(last, free[0])
		heap.Fix(&free, 0)
	}
	return last
}

// soonest is a heap of the times at which workers are free.
type soonest []time.Duration

func (s soonest) Len() int           { return len(s) }
func (s soonest) Less(i, j int) bool { return s[i] < s[j] }
func (s soonest) Swap(i, j int)      { s[i], s[j] = s[j], s[i] }
func (s *soonest) Push(x any)        { *s = append(*s, x.(time.Duration)) }
func (s *soonest) Pop() any          { panic("its length stays") }

// TestTails holds jobs on platforms with the published starts against no copies and against a schedule that knows all.
func TestTails(t *testing.T) {
	t.Parallel()
	const workers = 1000
	for _, c := range []struct {
		tail  string
		tasks int
		mean  time.Duration
		sigma float64 // of the logarithm of a task's time
		slow  float64
		worst float64 // times the ideal
	}{
		{"google", 1000, 10 * time.Second, 0.2, 0, 1.5}, // as many tasks as workers, and of unknown length
		{"google", 1000, 47 * time.Second, 0.1, 0, 1.25},
		{"google", 10_000, 3 * time.Second, 0.2, 0, 1.25},
		{"google", 100_000, 200 * time.Millisecond, 0.5, 0, 1.25},
		{"aws", 10_000, 3 * time.Second, 0.2, 0, 1.25},
		{"azure", 10_000, 3 * time.Second, 0.2, 0, 1.25},
		{"even", 10_000, 3 * time.Second, 0.2, 0.02, 2}, // a copy may meet a slow worker, too
	} {
		t.Run(fmt.Sprintf("%s/%d/slow=%v", c.tail, c.tasks, c.slow), func(t *testing.T) {
			t.Parallel()
			for seed := range uint64(5) {
				times := make([]time.Duration, c.tasks)
				r := rand.New(rand.NewPCG(seed, 3))
				for i := range times {
					times[i] = time.Duration(float64(c.mean) * math.Exp(c.sigma*r.NormFloat64()))
				}
				run := func(copies float64) (time.Duration, *platform) {
					p := &platform{
						m: filled(Policy{Concurrency: workers, CPUs: 1, Copies: copies, Streams: true}, c.tasks, 1), r: rand.New(rand.NewPCG(seed, 4)),
						tail: tails[c.tail], task: func(i int64) time.Duration { return times[i] }, slow: c.slow, now: start,
						pace: map[*Batch]float64{}, done: map[int64]bool{},
					}
					took := p.run(t)
					if len(p.done) != c.tasks {
						t.Fatalf("%d tasks are done", len(p.done))
					}
					return took, p
				}
				without, p := run(0)
				best := ideal(p.starts[:workers], times)
				with, p := run(0.1)
				n := p.m.Counts()
				extra := float64(n.Copies) / float64(n.Invocations-n.Copies)
				t.Logf("seed %d: %.1f s without, %.1f s with %.1f%% of copies, ideal %.1f s: %.2f and %.2f times", seed, without.Seconds(),
					with.Seconds(), 100*extra, best.Seconds(), without.Seconds()/best.Seconds(), with.Seconds()/best.Seconds())
				if with > time.Duration(c.worst*float64(best)) || extra > 0.1 {
					t.Errorf("seed %d: %.2f times the ideal, with %.1f%% of copies", seed, with.Seconds()/best.Seconds(), 100*extra)
				}
				if with > without+without/20 {
					t.Errorf("seed %d: copies make it slower", seed)
				}
			}
		})
	}
}
