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
	bucket storage.Bucket
	before storage.Stats // of the driver, before the job

	sent, received atomic.Int64 // bytes of inputs and results

	mu      sync.Mutex
	tasks   times.Histogram
	starts  times.Histogram
	slowest []SlowTask
	rows    map[string]int // of workers, by name
	cold    int64
	cpu     time.Duration
	busy    time.Duration
	paid    time.Duration // invocations were under way, added up
	peak    int64
	store   storage.Stats // of the workers
	spans   []Span
	merged  bool // some spans stand for several invocations
}

func newCollector(b storage.Bucket, now time.Time) *collector {
	c := &collector{began: now, bucket: b, rows: map[string]int{}}
	if b != nil {
		c.before, _ = storage.StatsOf(b)
	}
	return c
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
	SpanCopy      SpanKind = "copy"      // likewise, of a copy of a late batch
	SpanUnused    SpanKind = "unused"    // another worker was faster
	SpanLost      SpanKind = "lost"      // the worker was lost
	SpanThrottled SpanKind = "throttled" // the backend asked to send it later
)

// ended takes what is known of an invocation that is over.
func (c *collector) ended(function string, x *sched.Report) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := Span{Begun: x.Begun.Sub(c.began), Ended: x.Ended.Sub(c.began), Tasks: len(x.Tasks), Kind: SpanDone}
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
	case x.Copy:
		s.Kind = SpanCopy
	}
	if s.Kind != SpanThrottled {
		c.paid += s.Ended - s.Start
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
	s.Worker = c.row(worker)
	c.spans = append(c.spans, s)
	if len(c.spans) > maxSpans {
		c.merge()
	}
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

// merge makes one of each two spans of a kind that follow one another on a worker.
func (c *collector) merge() {
	c.merged = true
	slices.SortStableFunc(c.spans, func(a, b Span) int { return cmp.Or(a.Worker-b.Worker, cmp.Compare(a.Begun, b.Begun)) })
	kept := c.spans[:0]
	for i := 0; i < len(c.spans); i++ {
		s := c.spans[i]
		if i+1 < len(c.spans) {
			if next := c.spans[i+1]; next.Worker == s.Worker && next.Kind == s.Kind {
				s.Ended, s.Tasks = max(s.Ended, next.Ended), s.Tasks+next.Tasks
				i++
			}
		}
		kept = append(kept, s)
	}
	for len(kept) > maxSpans*3/4 { // so many kinds and workers: what came last stays
		kept = slices.Delete(kept, 0, len(kept)-maxSpans/2)
	}
	c.spans = kept
}

// workerStore is what a worker tells of its stores.
func workerStore(counts [8]int64) storage.Stats {
	var s storage.Stats
	n := copy(s.Requests[:], counts[:])
	s.Retries, s.Sent, s.Received = counts[n], counts[n+1], counts[n+2]
	return s
}

// fill adds what was gathered to s, and for how long invocations have been under way.
func (c *collector) fill(s *Stats, l backends.Limits, underway time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s.Workers, s.ColdStarts = int64(len(c.rows)), c.cold
	if _, some := c.rows[""]; some {
		s.Workers--
	}
	s.Busy, s.CPU, s.PeakMemory = c.busy, c.cpu, c.peak
	s.Tasks, s.Starts = timesOf(&c.tasks), timesOf(&c.starts)
	s.Slowest = slices.Clone(c.slowest)
	s.Spans, s.SpansMerged = slices.Clone(c.spans), c.merged
	s.Sent, s.Received = c.sent.Load(), c.received.Load()
	s.Store, s.Cost = c.spent(l, underway, s.Invocations)
}

// spent returns what was asked of stores, and what all has cost so far. The collector is locked.
func (c *collector) spent(l backends.Limits, underway time.Duration, invocations int64) (storage.Stats, Cost) {
	var store storage.Stats
	cost := Cost{Backend: (c.paid+underway).Seconds()*l.PricePerSecond + float64(invocations)*l.PricePerRequest}
	if c.bucket != nil {
		now, _ := storage.StatsOf(c.bucket)
		store = now.Sub(c.before).Add(c.store)
		cost.Store = store.Cost(c.bucket.URL())
	}
	cost.Total = cost.Backend + cost.Store
	return store, cost
}

// Times tells how long things took.
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
