package mapper

import (
	"time"

	"github.com/gowren/gowren/internal/sched"
	"github.com/gowren/gowren/storage"
)

// Progress is how far a job has come. Each task known of is queued, running or done. Where a job ended early, the tasks
// that it did not get to stay queued.
type Progress struct {
	Queued  int64 // tasks that wait for a worker, or for their next attempt
	Running int64 // tasks that were sent to a worker
	Done    int64 // tasks that have a result, or failed for good
	Failed  int64 // tasks among those done
	Retried int64 // attempts after a task's first
	More    bool  // inputs are still being drawn
}

// Stats is what a job has done, in a size that does not grow with it beyond some megabytes. What workers tell comes with the
// ends of their replies; of a worker that was lost, little is known. All steps of a MapReduce are one job here.
type Stats struct {
	Job      string `json:"job"`
	Function string `json:"function"`

	Done    int64 `json:"done"`    // tasks that have a result, or failed for good
	Failed  int64 `json:"failed"`  // tasks among those done
	Retried int64 `json:"retried"` // attempts after a task's first
	Resumed int64 `json:"resumed"` // tasks among those done whose results an earlier run had kept

	Invocations int64 `json:"invocations"`  // requests to workers
	WorkersLost int64 `json:"workers_lost"` // requests among them whose worker was lost
	Throttled   int64 `json:"throttled"`    // requests among them that the backend asked to send later
	Copies      int64 `json:"copies"`       // requests among them that were copies of late ones (Options.Speculation)

	Started time.Time `json:"started"`
	Ended   time.Time `json:"ended"` // zero while the job runs

	Workers    int64         `json:"workers"`     // processes that ended a request; 20,000 at most are told apart
	ColdStarts int64         `json:"cold_starts"` // requests among those ended that were their worker's first
	Busy       time.Duration `json:"busy"`        // that workers' CPUs had tasks, added up
	CPU        time.Duration `json:"cpu"`         // of the workers' processes
	PeakMemory int64         `json:"peak_memory"` // of the worker that had most since it began, in bytes, as of a second before its last reply at most; 0 where the system does not tell
	Tasks      Times         `json:"tasks"`       // of tasks' runs
	Starts     Times         `json:"starts"`      // from a request to the worker's answer that it is at work
	Slowest    []SlowTask    `json:"slowest"`     // ten at most

	Failures []FailedTask `json:"failures"` // final ones, a hundred of each step at most

	Sent     int64         `json:"sent"`     // bytes of inputs, encoded
	Received int64         `json:"received"` // bytes of results, encoded
	Store    storage.Stats `json:"store"`    // what the job asked of the executor's bucket, and its workers of those they read splits from; see [Cost]
	Cost     Cost          `json:"cost"`

	Steps        []string `json:"steps"`         // their functions, in the order in which a first request of each ended
	Spans        []Span   `json:"spans"`         // when which worker had which tasks, 20,000 at most, in no order
	SpansMerged  bool     `json:"spans_merged"`  // some stand for several requests that followed one another
	SpansDropped int64    `json:"spans_dropped"` // that ended before all others, and are not among them
}

// FailedTask is a task's final failure.
type FailedTask struct {
	Function string `json:"function"`
	Index    int    `json:"index"` // of the input
	Attempts int    `json:"attempts"`
	Worker   string `json:"worker"`
	Error    string `json:"error"` // with its stack
}

// Cost is an estimate in US dollars, at list prices, without free grants: what invocations take, by the second and each,
// and what requests to the executor's store cost. A second counts from when the worker answered, where the backend tells
// (Limits.Streams of package backends), and else from the request; what the backend asked to send later costs nothing.
// Each request of the driver counts as one, also where an object goes up in parts. A store or a backend whose price is not
// known costs nothing here, nor does the work of detached requests that an earlier driver has sent ([Options].Resume): it is
// in no driver's cost once that is dead. Jobs of one executor that run at once under one name to resume share a journal: what it asks of
// the store is in the cost of each.
type Cost struct {
	Backend float64 `json:"backend"`
	Store   float64 `json:"store"`
	Total   float64 `json:"total"`
}

// Progress tells how far the job is. It may be called at any time.
func (job *Job[Out]) Progress() Progress {
	over := job.over() // asked before counting, so that the counts of an ended job are final
	c := job.j.counts()
	if over { // what was under way was given up
		c.Queued, c.Running = c.Queued+c.Running, 0
	}
	return Progress{Queued: c.Queued, Running: c.Running, Done: c.Settled, Failed: c.Failed, Retried: c.Retried, More: c.More}
}

// Stats tells what the job has done so far. It may be called at any time.
func (job *Job[Out]) Stats() Stats {
	over := job.over()
	s := job.j.stats()
	if over {
		s.Ended = job.ended
	}
	return s
}

// over reports whether the job has ended.
func (job *Job[Out]) over() bool {
	select {
	case <-job.done:
		return true
	default:
		return false
	}
}

// counts tells what was done so far, and nothing while the job is being readied.
func (j *job) counts() sched.Counts {
	r := j.runner.Load()
	if r == nil {
		return sched.Counts{More: true}
	}
	c := r.Counts()
	j.mu.Lock()
	c.Failed = int64(j.count)
	j.mu.Unlock()
	return c
}

// stats tells what the job and its steps have done so far.
func (j *job) stats() Stats {
	s := Stats{Job: j.id, Function: j.f.Name, Started: j.started}
	c := j.counted()
	s.Done, s.Failed, s.Retried, s.Resumed = c.Settled, c.Failed, c.Retried, c.Recalled
	s.Invocations, s.WorkersLost, s.Throttled, s.Copies = c.Invocations, c.Lost, c.Throttled, c.Copies
	j.collected.fill(&s)
	for _, step := range j.root().steps() {
		s.Failures = append(s.Failures, step.lost()...)
	}
	s.Cost = j.cost()
	return s
}

// lost tells of the tasks that failed for good.
func (j *job) lost() []FailedTask {
	j.mu.Lock()
	defer j.mu.Unlock()
	var all []FailedTask
	for _, e := range j.failures {
		all = append(all, FailedTask{e.Function, e.Index, e.Attempts, e.Worker, e.Error()})
	}
	return all
}

// counted is what the job's steps have done so far, added up.
func (j *job) counted() sched.Counts {
	var sum sched.Counts
	for _, step := range j.root().steps() {
		c := step.counts()
		sum.Settled, sum.Failed, sum.Retried, sum.Recalled = sum.Settled+c.Settled, sum.Failed+c.Failed, sum.Retried+c.Retried, sum.Recalled+c.Recalled
		sum.Invocations, sum.Lost, sum.Throttled, sum.Copies = sum.Invocations+c.Invocations, sum.Lost+c.Lost, sum.Throttled+c.Throttled, sum.Copies+c.Copies
	}
	return sum
}

// steps returns the job and what followed it.
func (j *job) steps() []*job {
	j.mu.Lock()
	defer j.mu.Unlock()
	return append([]*job{j}, j.next...)
}

// cost is what the job and its steps have cost so far. It takes no longer where there is much to tell.
func (j *job) cost() Cost {
	var paid time.Duration
	now := time.Now()
	for _, step := range j.steps() {
		if r := step.runner.Load(); r != nil {
			paid += r.Paid(now)
		}
	}
	c := j.counted()
	charged := c.Invocations - c.Throttled
	l := j.ex.limits
	cost := Cost{Backend: paid.Seconds()*l.PricePerSecond + float64(charged)*l.PricePerRequest, Store: j.collected.storeCost()}
	cost.Total = cost.Backend + cost.Store
	return cost
}
