package sched

// recall reports whether a task need not be queued now: its result was to be had from elsewhere, or may still come from
// there.
func (r *Runner) recall(t Task) bool {
	kept, later := r.ask(&t)
	if !kept && later == nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.next++
	if kept {
		r.recalled++
		r.settled.Add(1)
		return true
	}
	if r.m.SetAside() {
		r.putAside(t, later)
	}
	return true
}

// ask asks for a task's result. An error ends the job.
func (r *Runner) ask(t *Task) (kept bool, later <-chan struct{}) {
	s := slots.Get().(*Slot)
	defer slots.Put(s)
	kept, later, err := r.job.Recall(r.ctx, s, t)
	if err != nil {
		r.stop(err)
	}
	return kept, later
}

// putAside keeps a task until more is known of its result. Tasks that wait for the same have one goroutine. It does not wait
// for the end of Feed, which may itself wait for these results.
func (r *Runner) putAside(t Task, later <-chan struct{}) {
	if r.aside == nil {
		r.aside = map[<-chan struct{}][]Task{}
	}
	r.aside[later] = append(r.aside[later], t)
	if len(r.aside[later]) == 1 {
		r.slots.Go(func() { r.askAgain(later) })
	}
}

// askAgain asks for the results of the tasks that wait for later. What does not come from elsewhere runs here.
func (r *Runner) askAgain(later <-chan struct{}) {
	select {
	case <-later:
	case <-r.ctx.Done(): // the tasks go with the machine's others
		return
	}
	r.mu.Lock()
	tasks := r.aside[later]
	delete(r.aside, later)
	r.mu.Unlock()
	returned := false
	defer func() {
		if !returned { // a callback ended its goroutine
			r.stop(errGivenUp)
		}
	}()
	for i := range tasks {
		kept, again := r.ask(&tasks[i])
		if !r.fetched(tasks[i], kept, again) {
			break
		}
	}
	returned = true
}

// fetched deals with the answer for a task that was aside. It reports whether the job goes on.
func (r *Runner) fetched(t Task, kept bool, again <-chan struct{}) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.m.Err() != nil:
		return false
	case kept:
		r.m.aside--
		r.recalled++
		r.settled.Add(1)
		if r.m.Finished() {
			r.wakeAll()
		}
	case again != nil:
		r.putAside(t, again)
	default:
		r.m.aside--
		r.m.Push(t)
		r.pass()
	}
	return true
}
