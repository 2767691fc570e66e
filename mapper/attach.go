package mapper

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/journal"
	"github.com/gowren/gowren/internal/sched"
)

// detach makes a batch's request one that is detached. Where its reply could be had when this process has died, it gets an
// ID, and what is needed to find the reply is kept before the request is sent.
func (j *job) detach(b *sched.Batch, request *backends.Request) {
	request.Detached = true
	request.Begin = func(context.Context) error { return nil }
	r := j.resumed
	if r == nil || r.earlier == nil {
		return
	}
	q := r.journal.NewRequest(len(b.Tasks))
	request.ID = q.ID.Text()
	request.Begin = func(ctx context.Context) error {
		q.Until = time.Now().Add(r.earlier.backend.Lasts())
		q.Tasks = r.unsettled(b) // of a copy's, one may have its result by now
		r.mu.Lock()
		r.sent[b] = &q
		r.mu.Unlock()
		return r.journal.Send(ctx, q)
	}
}

// taken is told that a request was taken.
func (j *job) taken(b *sched.Batch) {
	r := j.resumed
	if r == nil {
		return
	}
	r.mu.Lock()
	q := r.sent[b]
	if q != nil {
		q.Taken = true
	}
	r.mu.Unlock()
	if q != nil {
		r.journal.Taken(q.ID)
	}
}

// unsettled returns the identities of a batch's tasks; those that have their results have none any more.
func (r *resumed) unsettled(b *sched.Batch) []journal.ID {
	r.mu.Lock()
	defer r.mu.Unlock()
	ids := make([]journal.ID, len(b.Tasks))
	for i := range b.Tasks {
		ids[i] = r.ids[b.Tasks[i].Index]
	}
	return ids
}

// ended is told of each invocation when it is over.
func (j *job) ended(x *sched.Report) {
	j.collected.ended(j.f.Name, x)
	r := j.resumed
	if r == nil {
		return
	}
	r.mu.Lock()
	q := r.sent[x.Batch]
	delete(r.sent, x.Batch)
	r.mu.Unlock()
	switch {
	case q == nil:
	case x.Err == nil, x.Unused, !q.Taken:
		r.journal.Over(q.ID)
	case r.ctx.Err() == nil && !errors.Is(x.Err, context.Canceled):
		r.earlier.over(q.ID, x.Err)
	default: // the job has ended while it was under way, and it was told to stop
		tasks := r.unsettled(x.Batch)
		r.earlier.over(q.ID, r.earlier.last(backends.Attached{ID: q.ID.Text(), Prefix: j.prefix(), Until: q.Until}, tasks))
	}
}

// earlier are the requests of earlier runs that may still bring results of a job's tasks. A request is waited for from the
// first task on that it has and that is asked for; those that have none of the job's are left alone.
type earlier struct {
	j       *job
	backend backends.Attacher
	ctx     context.Context // the job's
	cancel  context.CancelFunc

	some atomic.Bool // results have come

	mu     sync.Mutex
	under  map[journal.ID]chan struct{} // closed when a request has ended
	closed bool
	all    sync.WaitGroup
}

// newEarlier returns nil where the backend has no replies of earlier runs.
func (j *job) newEarlier(ctx context.Context) *earlier {
	b, ok := j.ex.backend.(backends.Attacher)
	if !ok {
		return nil
	}
	e := &earlier{j: j, backend: b, under: map[journal.ID]chan struct{}{}}
	e.ctx, e.cancel = context.WithCancel(ctx)
	return e
}

// close ends what is still waited for, at the platform, too.
func (e *earlier) close() {
	if e == nil {
		return
	}
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	e.cancel()
	e.all.Wait()
}

// brought reports whether results have come meanwhile, so that their objects are newer than a listing, perhaps.
func (e *earlier) brought() bool { return e != nil && e.some.Load() }

// brings returns what is closed when the request has ended that may bring a task's result; nil where there is none.
func (e *earlier) brings(task journal.ID) <-chan struct{} {
	if e == nil {
		return nil
	}
	q := e.j.resumed.journal.Awaited(task)
	if q == nil {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if done, known := e.under[q.ID]; known || e.closed {
		return done
	}
	done := make(chan struct{})
	e.under[q.ID] = done
	e.all.Go(func() {
		if e.attach(q) {
			close(done)
		}
	})
	return done
}

// attach waits for a request's reply, and keeps the results in it. Where the job ends meanwhile, the request is ended, and
// what it still brought is kept. It reports whether its tasks are to be asked for again.
func (e *earlier) attach(q *journal.Request) bool {
	a := backends.Attached{ID: q.ID.Text(), Prefix: e.j.prefix(), Until: q.Until}
	a.Alive = func(ctx context.Context) bool { return e.j.resumed.journal.Alive(ctx, q) }
	sent := q.Taken
	if !sent && a.Alive(e.ctx) { // if its driver lives on for long enough, it was sent
		early := a
		early.Until = time.Now().Add(journal.Lapse)
		if err := e.results(e.ctx, early, q.Tasks); err == nil {
			e.over(q.ID, nil)
			return true
		}
		sent = a.Alive(e.ctx)
	}
	a.Once = !sent // as a rule nothing comes of it; if it was sent all the same, it had just begun, and is told to stop
	err := e.results(e.ctx, a, q.Tasks)
	if ended := e.ctx.Err() != nil; ended && err != nil {
		if err = e.last(a, q.Tasks); err != nil && a.Alive(context.WithoutCancel(e.ctx)) {
			e.j.resumed.journal.Forgo(q.ID) // its own driver goes on with it
			return false
		}
	} else if err != nil { // its tasks run again
		e.j.log(nil, fmt.Sprintf("a request of an earlier run: %v", err))
	}
	e.over(q.ID, err)
	return e.ctx.Err() == nil || err == nil
}

// results takes those in a request's reply.
func (e *earlier) results(ctx context.Context, a backends.Attached, tasks []journal.ID) error {
	reply, err := e.backend.Attach(ctx, a)
	if err != nil {
		return fmt.Errorf("%w: %w", backends.ErrUnread, err)
	}
	err = sched.Results(reply, len(tasks), func(position int, v sched.Value) error { return e.take(ctx, tasks[position], v) })
	return errors.Join(err, reply.Close())
}

// lastWords bounds the reading of what a request brought that was ended.
const lastWords = 20 * time.Second

// last takes what a request brought that was ended.
func (e *earlier) last(a backends.Attached, tasks []journal.ID) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(e.ctx), lastWords)
	defer cancel()
	a.Once = true
	return e.results(ctx, a, tasks)
}

// over notes that nothing more comes of a request, unless there may be a reply that could not be read.
func (e *earlier) over(id journal.ID, err error) {
	for _, unread := range []error{backends.ErrUnread, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, unread) {
			e.j.resumed.journal.Forgo(id)
			return
		}
	}
	e.j.resumed.journal.Over(id)
}

// take keeps a result. Where that is impossible, the job ends.
func (e *earlier) take(ctx context.Context, task journal.ID, v sched.Value) error {
	j := e.j
	if task == (journal.ID{}) {
		return nil
	}
	if err := j.receive(v); err != nil {
		return err
	}
	e.some.Store(true)
	data, err := sealResult(v)
	if err == nil {
		err = j.resumed.journal.Adopt(ctx, task, data)
	}
	if err != nil {
		j.resumed.stop(err)
	}
	return err
}
