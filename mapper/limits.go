package mapper

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Why a job was stopped though it could have gone on, for errors.Is.
var (
	ErrMaxCost = errors.New("the job has cost what it may (Options.MaxCost)")
	ErrMaxTime = errors.New("the job has taken as long as it may (Options.MaxTime)")
)

// LimitError is the error of a job that was stopped at a limit of its own. [Map] returns the results that it has with it.
// With [Options].Resume, the job can be run again under a larger limit, and goes on. All is as of the job's end, when
// nothing of it was under way any more.
type LimitError struct {
	Limit    error         // ErrMaxCost or ErrMaxTime
	Cost     Cost          // of all steps
	Took     time.Duration // likewise
	Done     int64         // tasks that have a result, likewise
	Missing  []int         // of a Map, the indices of the inputs that have no result, in order, those of failed tasks too
	Failures *JobError     // of the tasks that had failed by then; nil where none had
}

func (e *LimitError) Error() string {
	s := fmt.Sprintf("%v: %d tasks have a result after %v", e.Limit, e.Done, e.Took.Round(time.Millisecond))
	if e.Done == 1 {
		s = fmt.Sprintf("%v: 1 task has a result after %v", e.Limit, e.Took.Round(time.Millisecond))
	}
	if e.Cost.Total > 0 {
		s += fmt.Sprintf(", for about $%.4f", e.Cost.Total)
	}
	if len(e.Missing) > 0 {
		s += fmt.Sprintf("; %d have none", len(e.Missing))
	}
	if e.Failures != nil {
		s += "; " + strings.TrimPrefix(e.Failures.Error(), "mapper: ")
	}
	return s
}

// Unwrap returns the limit, and the failures where there are some.
func (e *LimitError) Unwrap() []error {
	if e.Failures == nil {
		return []error{e.Limit}
	}
	return []error{e.Limit, e.Failures}
}

// reachedError is why the contexts of a job end that has reached a limit. What the job has come to by its end is not known
// then.
type reachedError struct {
	job   *job
	limit error
}

func (e *reachedError) Error() string { return e.limit.Error() }
func (e *reachedError) Unwrap() error { return e.limit }

// limitTick is how often the cost of what is under way is looked at.
const limitTick = 250 * time.Millisecond

// watchLimits stops the job when it reaches a limit. What it returns ends the watch.
func (j *job) watchLimits(stop context.CancelCauseFunc) (unwatch func()) {
	o := j.ex.options
	if o.MaxCost <= 0 && o.MaxTime <= 0 {
		return func() {}
	}
	if l := j.ex.limits; o.MaxCost > 0 && l.PricePerSecond == 0 && l.PricePerRequest == 0 {
		j.log(nil, "Options.MaxCost: what this backend costs is not known, so that only requests to the store count")
	}
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(limitTick)
		defer tick.Stop()
		var late <-chan time.Time
		if o.MaxTime > 0 {
			timer := time.NewTimer(time.Until(j.collected.began.Add(o.MaxTime)))
			defer timer.Stop()
			late = timer.C
		}
		for {
			select {
			case <-over:
				return
			case <-late:
				stop(&reachedError{j, ErrMaxTime})
				return
			case <-tick.C:
				if o.MaxCost > 0 && j.root().cost().Total >= o.MaxCost {
					stop(&reachedError{j, ErrMaxCost})
					return
				}
			}
		}
	}()
	return func() {
		close(over)
		<-ended
	}
}

// limited returns the error of a job that has ended with err, as a *LimitError where that is since it reached a limit.
func (j *job) limited(err error) error {
	reached, ok := errors.AsType[*reachedError](err)
	if !ok || reached.job != j { // one of another job, in one of whose tasks this one was run
		return err
	}
	c := j.counted()
	limit := &LimitError{Limit: reached.limit, Cost: j.root().cost(), Took: time.Since(j.collected.began), Done: c.Settled - c.Failed}
	limit.Failures, _ = j.jobError().(*JobError) //nolint:errorlint // it is that or nil
	if err == error(reached) {                   // nothing else has befallen it
		return limit
	}
	return errors.Join(limit, err)
}

// root is the job of which this is a step.
func (j *job) root() *job {
	if j.first != nil {
		return j.first
	}
	return j
}
