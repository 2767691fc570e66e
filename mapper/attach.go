package mapper

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/journal"
	"github.com/gowren/gowren/internal/sched"
)

// outlives keeps what is needed to find the reply of a batch's request when this process has died, and returns the request's
// ID. Only then may the request be sent. Where its reply could not be had by another process, it has no ID.
func (j *job) outlives(ctx context.Context, b *sched.Batch) (string, error) {
	r := j.resumed
	if r == nil || r.earlier == nil || !j.ex.options.Detached {
		return "", nil
	}
	q := journal.NewRequest(len(b.Tasks), time.Now().Add(r.earlier.backend.Lasts()))
	r.mu.Lock()
	for i := range b.Tasks {
		q.Tasks[i] = r.ids[b.Tasks[i].Index] // of a copy's, one may have its result by now, and no identity
	}
	r.sent[b] = q.ID
	r.mu.Unlock()
	return q.ID.Text(), r.journal.Send(ctx, q)
}

// taken is told that a request was taken.
func (j *job) taken(b *sched.Batch) {
	r := j.resumed
	if r == nil {
		return
	}
	r.mu.Lock()
	id, sent := r.sent[b]
	r.mu.Unlock()
	if sent {
		r.journal.Taken(id)
	}
}

// ended is told of each invocation when it is over.
func (j *job) ended(x *sched.Report) {
	j.collected.ended(j.f.Name, x)
	r := j.resumed
	if r == nil {
		return
	}
	r.mu.Lock()
	id, sent := r.sent[x.Batch]
	delete(r.sent, x.Batch)
	r.mu.Unlock()
	if sent {
		r.journal.Over(id)
	}
}

// earlier are the requests of earlier runs that may still bring results of a job's tasks. A request is waited for from the
// first task on that it has and that is asked for; those that have none of the job's are left alone.
type earlier struct {
	j       *job
	backend backends.Attacher
	ctx     context.Context // the job's
	cancel  context.CancelFunc
	places  chan struct{} // holds one for each that is waited for

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
	e := &earlier{j: j, backend: b, places: make(chan struct{}, max(j.ex.limits.Concurrency, 1)), under: map[journal.ID]chan struct{}{}}
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

// attach waits for a request's reply, and keeps the results in it. It reports whether nothing more comes of it; otherwise the
// job has ended before the request was waited for.
func (e *earlier) attach(q *journal.Request) bool {
	select {
	case e.places <- struct{}{}:
	case <-e.ctx.Done():
		return false
	}
	defer func() { <-e.places }()
	a := backends.Attached{ID: q.ID.Text(), Prefix: e.j.prefix(), Until: q.Until}
	if !q.Taken { // as a rule it was never sent, and nothing comes; if it was, it had just begun, and is told to stop
		a.Until = time.Now()
	}
	reply, err := e.backend.Attach(e.ctx, a)
	if err == nil {
		err = sched.Results(reply, len(q.Tasks), func(position int, v sched.Value) error { return e.take(q.Tasks[position], v) })
		if unclosed := reply.Close(); err == nil {
			err = unclosed
		}
	} else if e.ctx.Err() != nil {
		return false
	}
	if err != nil && e.ctx.Err() == nil { // its tasks run again
		e.j.log(nil, fmt.Sprintf("a request of an earlier run: %v", err))
	}
	e.j.resumed.journal.Over(q.ID)
	return true
}

// take keeps a result. Where that is impossible, the job ends.
func (e *earlier) take(task journal.ID, v sched.Value) error {
	j := e.j
	if task == (journal.ID{}) {
		return nil
	}
	if v.Stored != nil {
		if !strings.HasPrefix(v.Stored.Key, j.prefix()+"/out/") {
			return fmt.Errorf("a worker names %q as its result, which is not the job's", v.Stored.Key)
		}
		j.collected.received.Add(v.Stored.Size)
	}
	j.collected.received.Add(int64(len(v.Data)))
	e.some.Store(true)
	data, err := sealResult(v)
	if err == nil {
		err = j.resumed.journal.Adopt(e.ctx, task, data)
	}
	if err != nil {
		j.resumed.stop(err)
	}
	return err
}
