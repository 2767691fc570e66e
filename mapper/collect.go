package mapper

import (
	"cmp"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/sched"
	"github.com/gowren/gowren/internal/times"
	"github.com/gowren/gowren/storage"
)

// Bounds on what is kept of a job, however large it is.
const (
	maxSlowest = 10
	maxSpans   = 20_000
	maxRows    = 20_000 // workers that are told apart
)

// collector gathers what the invocations of a job come to. The steps of a job share one.
type collector struct {
	began  time.Time
	bucket storage.Bucket // the executor's, for this job
	asked  storage.Meter  // through it
	kept   *storage.Meter // of the journal that the job keeps results in; nil where there is none
	before storage.Stats  // of the journal, before the job

	sent, received atomic.Int64 // bytes of inputs and results

	mu      sync.Mutex
	steps   []string // their functions
	tasks   times.Histogram
	starts  times.Histogram
	slowest []SlowTask
	rows    map[string]int // of workers, by name
	workers int64          // among them, those that told of themselves
	cold    int64
	cpu     time.Duration
	busy    time.Duration
	peak    int64
	store   storage.Stats // of the workers
	spans   []Span
	merged  bool  // some spans stand for several invocations
	dropped int64 // spans
}

func newCollector(ex *Executor, now time.Time) *collector {
	c := &collector{began: now, rows: map[string]int{}}
	if ex.zero() {
		return c
	}
	c.bucket = tallied(ex.store, &c.asked)
	if name := ex.options.Resume; name != "" {
		c.kept = ex.meter(name)
		c.before = c.kept.Stats()
	}
	return c
}

// tallied returns a bucket for one user of b, whose requests m counts. It tries again.
func tallied(b storage.Bucket, m *storage.Meter) storage.Bucket {
	return storage.Retry(storage.Tally(b, m), storage.RetryPolicy{OnRetry: func(string, string, int, error) { m.Retry() }})
}

// meter counts what is asked for the journal of a name to resume, which the jobs of that name share.
func (c *core) meter(name string) *storage.Meter {
	m, _ := c.meters.LoadOrStore(name, new(storage.Meter))
	return m.(*storage.Meter)
}

// SlowTask is one of the tasks that took longest.
type SlowTask struct {
	Function string        `json:"function"`
	Index    int64         `json:"index"` // of the input
	Took     time.Duration `json:"took"`
	Worker   string        `json:"worker"`
}

// Span is a time that a worker was given for a batch of tasks, or for several one after another, where there were very
// many. Times count from the job's beginning.
type Span struct {
	Worker int           `json:"worker"` // from 0, in the order in which workers came
	Step   int           `json:"step"`   // which of Stats.Steps
	Kind   SpanKind      `json:"kind"`
	Begun  time.Duration `json:"begun"`   // the request was sent
	Start  time.Duration `json:"started"` // the worker answered; Begun where it is not known
	Ended  time.Duration `json:"ended"`
	Tasks  int           `json:"tasks"`
	First  int64         `json:"first"` // index of the first task
}

// SpanKind says how a span came out.
type SpanKind string

// The kinds of spans.
const (
	SpanDone      SpanKind = "done"      // the reply was whole
	SpanFailed    SpanKind = "failed"    // likewise, and a task in it failed, or ran out of time
	SpanCopy      SpanKind = "copy"      // likewise, of a copy of a late batch
	SpanUnused    SpanKind = "unused"    // another worker was faster
	SpanLost      SpanKind = "lost"      // the worker was lost, or the job ended before the reply
	SpanThrottled SpanKind = "throttled" // the backend asked to send it later
)

// ended takes what is known of an invocation that is over.
func (c *collector) ended(function string, x *sched.Report) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := Span{Step: c.step(function), Begun: x.Begun.Sub(c.began), Ended: x.Ended.Sub(c.began), Tasks: len(x.Tasks), Kind: SpanDone}
	if len(x.Tasks) > 0 {
		s.First = x.Tasks[0].Index
	}
	s.Start = s.Begun
	if !x.Started.IsZero() {
		s.Start = x.Started.Sub(c.began)
		c.starts.Add(s.Start - s.Begun)
	}
	var worker string
	lost := (*backends.LostError)(nil)
	switch {
	case x.Unused:
		s.Kind = SpanUnused
	case errors.Is(x.Err, backends.ErrThrottled):
		s.Kind = SpanThrottled
	case x.Err != nil:
		s.Kind = SpanLost
		if errors.As(x.Err, &lost) {
			worker = lost.Worker
		}
	case x.Failures > 0:
		s.Kind = SpanFailed
	case x.Copy:
		s.Kind = SpanCopy
	}
	if e := x.End; e != nil {
		worker = e.Worker
		if e.Before == 0 {
			c.cold++
		}
		c.cpu, c.busy, c.peak = c.cpu+e.CPU, c.busy+e.Busy, max(c.peak, e.Peak)
		c.tasks.Merge(&e.Times)
		c.store = c.store.Add(workerStore(e.Store))
		for _, slow := range e.Slowest {
			if slow.Position < len(x.Tasks) {
				c.slow(SlowTask{Function: function, Index: x.Tasks[slow.Position].Index, Took: slow.Took, Worker: worker})
			}
		}
	}
	rows := len(c.rows)
	s.Worker = c.row(worker)
	if x.End != nil && len(c.rows) > rows {
		c.workers++
	}
	c.spans = append(c.spans, s)
	if len(c.spans) > maxSpans {
		c.merge()
	}
}

// step returns the number of a step, of which there are few.
func (c *collector) step(function string) int {
	n := slices.Index(c.steps, function)
	if n < 0 {
		n = len(c.steps)
		c.steps = append(c.steps, function)
	}
	return n
}

func (c *collector) slow(t SlowTask) {
	if n := len(c.slowest); n == maxSlowest && t.Took <= c.slowest[n-1].Took {
		return
	}
	c.slowest = append(c.slowest, t)
	slices.SortStableFunc(c.slowest, func(a, b SlowTask) int { return cmp.Compare(b.Took, a.Took) })
	c.slowest = c.slowest[:min(len(c.slowest), maxSlowest)]
}

// row returns the number of a worker. Those that are not known share one.
func (c *collector) row(worker string) int {
	n, known := c.rows[worker]
	if !known {
		if len(c.rows) >= maxRows {
			return maxRows - 1
		}
		n = len(c.rows)
		c.rows[worker] = n
	}
	return n
}

// merge makes room for further spans: of each two of a kind that follow one another on a worker it makes one, and where
// that is not enough, since there are so many workers and kinds, it keeps those that ended last.
func (c *collector) merge() {
	const enough = maxSpans * 9 / 10 // so that it is seldom called
	slices.SortStableFunc(c.spans, func(a, b Span) int { return cmp.Or(a.Worker-b.Worker, cmp.Compare(a.Begun, b.Begun)) })
	for len(c.spans) > enough {
		before := len(c.spans)
		c.spans = pairs(c.spans)
		if len(c.spans) == before {
			break
		}
		c.merged = true
	}
	if n := len(c.spans) - enough; n > 0 {
		slices.SortStableFunc(c.spans, func(a, b Span) int { return cmp.Compare(a.Ended, b.Ended) })
		n += maxSpans / 10
		c.spans = slices.Delete(c.spans, 0, n)
		c.dropped += int64(n)
	}
}

// pairs makes one of each two spans of a kind that follow one another on a worker.
func pairs(spans []Span) []Span {
	kept := spans[:0]
	for i := 0; i < len(spans); i++ {
		s := spans[i]
		if i+1 < len(spans) {
			if next := spans[i+1]; next.Worker == s.Worker && next.Kind == s.Kind && next.Step == s.Step {
				s.Ended, s.Tasks = max(s.Ended, next.Ended), s.Tasks+next.Tasks
				i++
			}
		}
		kept = append(kept, s)
	}
	return kept
}

// workerStore is what a worker tells of its stores.
func workerStore(counts [8]int64) storage.Stats {
	var s storage.Stats
	n := copy(s.Requests[:], counts[:])
	s.Retries, s.Sent, s.Received = counts[n], counts[n+1], counts[n+2]
	return s
}

// fill adds what was gathered to s.
func (c *collector) fill(s *Stats) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.Workers, s.ColdStarts = c.workers, c.cold
	s.Busy, s.CPU, s.PeakMemory = c.busy, c.cpu, c.peak
	s.Tasks, s.Starts = timesOf(&c.tasks), timesOf(&c.starts)
	s.Slowest = slices.Clone(c.slowest)
	s.Steps = slices.Clone(c.steps)
	s.Spans, s.SpansMerged, s.SpansDropped = slices.Clone(c.spans), c.merged, c.dropped
	s.Sent, s.Received = c.sent.Load(), c.received.Load()
	s.Store = c.asks()
}

// asks returns what the job has asked of stores. The collector is locked.
func (c *collector) asks() storage.Stats {
	s := c.asked.Stats().Add(c.store)
	if c.kept != nil {
		s = s.Add(c.kept.Stats().Sub(c.before))
	}
	return s
}

// storeCost is what that costs.
func (c *collector) storeCost() float64 {
	if c.bucket == nil {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asks().Cost(c.bucket.URL())
}

// Times tells how long things took. Durations are upper bounds, a quarter too long at most.
type Times struct {
	N       int64         `json:"n"`
	P50     time.Duration `json:"p50"`
	P90     time.Duration `json:"p90"`
	P99     time.Duration `json:"p99"`
	Max     time.Duration `json:"max"`
	Buckets []Bucket      `json:"buckets,omitempty"` // those that are not empty, in order
}

// Bucket counts those that took longer than the bucket before says, and not longer than UpTo.
type Bucket struct {
	UpTo time.Duration `json:"up_to"`
	N    int64         `json:"n"`
}

func timesOf(h *times.Histogram) Times {
	t := Times{N: h.N(), P50: h.Quantile(0.5), P90: h.Quantile(0.9), P99: h.Quantile(0.99), Max: h.Quantile(1)}
	for d, n := range h.All() {
		t.Buckets = append(t.Buckets, Bucket{d, n})
	}
	return t
}
