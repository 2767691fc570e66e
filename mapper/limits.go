package mapper

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Why a job was stopped though it could have gone on, for errors.Is.
var (
	ErrMaxCost = errors.New("the job has cost what it may (Options.MaxCost)")
	ErrMaxTime = errors.New("the job has taken as long as it may (Options.MaxTime)")
)

// LimitError is the error of a job that was stopped at a limit of its own. [Map] returns the results that it has with it.
// With [Options].Resume, the job can be run again under a larger limit, and goes on.
type LimitError struct {
	Limit   error         // ErrMaxCost or ErrMaxTime
	Cost    Cost          // so far
	Took    time.Duration // likewise
	Done    int64         // tasks
	Missing []int         // of a Map, the indices of the inputs that have no result, in order
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("%v: %d tasks are done after %v, for about $%.4f", e.Limit, e.Done, e.Took.Round(time.Millisecond), e.Cost.Total)
}

// Unwrap returns the limit.
func (e *LimitError) Unwrap() error { return e.Limit }

// limitTick is how often the cost of what is under way is looked at.
const limitTick = 250 * time.Millisecond

// watchLimits stops the job when it reaches a limit. What it returns ends the watch.
func (j *job) watchLimits(stop context.CancelCauseFunc) (unwatch func()) {
	o := j.ex.options
	if o.MaxCost <= 0 && o.MaxTime <= 0 {
		return func() {}
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
				stop(j.limited(ErrMaxTime))
				return
			case <-tick.C:
				if o.MaxCost > 0 && j.root().cost().Total >= o.MaxCost {
					stop(j.limited(ErrMaxCost))
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

func (j *job) limited(limit error) error {
	s := j.root().stats()
	return &LimitError{Limit: limit, Cost: s.Cost, Took: time.Since(s.Started), Done: s.Done}
}

// root is the job of which this is a step.
func (j *job) root() *job {
	if j.first != nil {
		return j.first
	}
	return j
}
