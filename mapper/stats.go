package mapper

import (
	"time"

	"github.com/gowren/gowren/internal/sched"
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

// Stats is what a job has done, in a size that does not grow with it.
type Stats struct {
	Done    int64 // tasks that have a result, or failed for good
	Failed  int64 // tasks among those done
	Retried int64 // attempts after a task's first
	Resumed int64 // tasks among those done whose results an earlier run had kept

	Invocations int64 // requests to workers
	WorkersLost int64 // requests among them whose worker was lost
	Throttled   int64 // requests among them that the backend asked to send later
	Copies      int64 // requests among them that were copies of late ones (Options.Speculation)

	Started time.Time
	Ended   time.Time // zero while the job runs
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
	c := job.j.counts()
	s := Stats{
		Done: c.Settled, Failed: c.Failed, Retried: c.Retried, Resumed: c.Recalled,
		Invocations: c.Invocations, WorkersLost: c.Lost, Throttled: c.Throttled, Copies: c.Copies,
		Started: job.j.started,
	}
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
