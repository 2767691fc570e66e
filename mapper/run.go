package mapper

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gowren/gowren/backends"
	"github.com/gowren/gowren/internal/leftover"
	"github.com/gowren/gowren/internal/progress"
	"github.com/gowren/gowren/internal/registry"
	"github.com/gowren/gowren/internal/sched"
	"github.com/gowren/gowren/internal/wire"
	"github.com/gowren/gowren/serialize"
)

// Bounds on what waits in the driver to be sent.
const (
	queueTasks    = 64 << 10
	queueBytes    = 16 << 20
	defaultInline = 1 << 20 // a value above it travels through the bucket
)

// job is one run of a function over inputs. Several may share an id, and so the data below their prefix: the steps of a
// MapReduce.
type job struct {
	ex     *Executor
	id     string
	f      *registry.Function
	shared any // a pointer, or nil

	known  int // tasks, where it is known
	feed   feedFunc
	accept func(ctx context.Context, s *sched.Slot, t *sched.Task, v sched.Value) *sched.Failure
	failed func(*TaskError) // called for each, where the job goes on
	// there, where it is set, says whether the objects that an accepted result names are there, where it was recalled. Those
	// of a fresh one may have been written a moment ago.
	there func(ctx context.Context, t *sched.Task, fresh bool) (bool, error)

	started time.Time
	partial bool // it went on to its end, and its error is the JobError of what failed; valid then

	resumed *resumed     // of one with a name to resume
	header  wire.Request // what all its requests have in common
	ctx     context.Context
	runner  atomic.Pointer[sched.Runner]
	objects *atomic.Int64 // written by the driver
	dirty   *atomic.Bool  // there may be data in the bucket

	collected *collector

	mu       sync.Mutex
	next     []*job // its further steps
	first    *job   // of which it is one
	stepped  bool   // it has a span around those of its steps
	failures []*TaskError
	count    int
}

func (ex *Executor) newJob(id string, f *registry.Function) *job {
	now := time.Now()
	return &job{ex: ex, id: id, f: f, started: now, dirty: new(atomic.Bool), objects: new(atomic.Int64), collected: newCollector(ex, now)}
}

// newID names a job: sortable by time, and never the same twice, unless it is to be resumed.
func (ex *Executor) newID() string {
	if ex != nil && ex.options.Resume != "" {
		return ex.options.Resume
	}
	return time.Now().UTC().Format(idTime+"-") + rand.Text()[:10]
}

// prefix is where the job's data lie. Those of one to resume stay, and its later runs have the same.
func (j *job) prefix() string {
	if name := j.ex.options.Resume; name != "" {
		return "resume/" + name + "/data"
	}
	return "jobs/" + j.id
}

// newKey names an object that the driver writes for its workers.
func (j *job) newKey() string {
	if j.ex.options.Resume != "" { // earlier runs have written some
		return j.prefix() + "/in/" + rand.Text()
	}
	return fmt.Sprintf("%s/in/%d", j.prefix(), j.objects.Add(1))
}

// keyOf names an object that the driver writes, and whose name is part of a task's input: of the same content it is the same.
func (j *job) keyOf(data []byte) string {
	sum := sha256.Sum256(data)
	return j.prefix() + "/in/" + hex.EncodeToString(sum[:])
}

// inlineLimit is the size above which values travel through the bucket.
func (j *job) inlineLimit() int {
	if j.ex.limits.MaxInline > 0 {
		return j.ex.limits.MaxInline
	}
	return defaultInline
}

var errZeroFunction = errors.New("mapper: the zero Function was never registered: make it by mapper.Func")

// run runs the job to its end.
func (j *job) run(ctx context.Context) error {
	if j.f == nil {
		return errZeroFunction
	}
	if err := j.limited(j.do(ctx)); err != nil {
		if j.partial {
			return err
		}
		if _, ok := err.(*TaskError); ok { //nolint:errorlint // one inside, as of an iterator, does not name this function
			return fmt.Errorf("mapper: %w", err)
		}
		return fmt.Errorf("mapper: %s: %w", j.f.Name, err)
	}
	return nil
}

func (j *job) do(ctx context.Context) error {
	limits, o := j.ex.limits, j.ex.options
	j.ctx = ctx
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := takes(limits, o); err != nil {
		return err
	}
	j.header = wire.Request{
		Job: j.id, Function: j.f.Name, Types: j.f.Types, Timeout: max(o.Timeout, 0),
		Budget: limits.MaxDuration, Inline: j.inlineLimit(), Room: limits.MaxReply, Prefix: j.prefix(),
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	defer j.watchLimits(stop)()
	if err := j.share(ctx); err != nil {
		return because(ctx, err)
	}
	if err := j.resume(ctx, stop); err != nil {
		return because(ctx, err)
	}
	concurrency := max(limits.Concurrency, 1)
	if o.Concurrency > 0 {
		concurrency = min(concurrency, o.Concurrency)
	}
	copies := o.speculation()
	if !limits.Isolates { // another goroutine of this process would be late, too
		copies = 0
	}
	s := &sched.Job{
		Backend: j.ex.backend,
		Policy: sched.Policy{
			Concurrency: concurrency, CPUs: limits.CPUs, Retries: o.retries(), RetryBudget: max(o.RetryBudget, 0), Backoff: o.Backoff,
			BatchSize: o.BatchSize, BatchBytes: j.inlineLimit(), Random: mathrand.Float64,
			Copies: copies, Streams: limits.Streams && !o.Detached, Flow: j.ex.flow,
		},
		Known: j.known, QueueTasks: queueTasks, QueueBytes: queueBytes,
		Feed:    j.feed,
		Request: j.request,
		Taken:   j.taken,
		Result:  j.result,
		Failed:  j.fail,
		Log:     j.log,
		Ended:   j.ended,
	}
	if j.resumed != nil {
		s.Recall = j.recall
	}
	if o.MoreMemory {
		s.Larger = j.ex.ladder
	}
	if o.RetryIf != nil {
		s.Again = func(t *sched.Task, f *sched.Failure) bool {
			return o.RetryIf(newTaskError(j.f.Name, t.Index, int(t.Attempt)+1, f))
		}
	}
	ctx, spans := j.traced(ctx)
	if spans != nil {
		s.Attempt = spans.attempt
	}
	runner := sched.NewRunner(s)
	j.runner.Store(runner)
	if !o.Quiet && !inTest() {
		defer j.ex.view.Watch(j.f.Name, j.progress)()
	}
	err := runner.Run(ctx)
	if j.resumed != nil { // also what a job that failed has finished
		j.resumed.earlier.close()
		if err != nil {
			stop(err)
		}
		err = j.end(ctx, err)
	}
	if spans != nil {
		spans.end(j.counts(), err)
	}
	if err != nil || runner.Counts().Lost > 0 {
		j.dirty.Store(true) // a worker may have left what it did not live to tell of
	}
	if err != nil {
		return err
	}
	err = j.jobError()
	j.partial = err != nil
	return err
}

// because returns why the context has ended, if it has, in place of what failed by that.
func because(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// takes returns an error when the backend can never do what the options ask for.
func takes(l backends.Limits, o Options) error {
	if l.MaxDuration > 0 && o.Timeout > l.MaxDuration {
		return fmt.Errorf("tasks may take %v (Options.Timeout), and an invocation of this backend lasts %v at most: make tasks smaller, or choose another backend: %w",
			o.Timeout, l.MaxDuration, backends.ErrInvalid)
	}
	if o.Detached && !l.Detaches {
		return fmt.Errorf("this backend has no detached invocations (Options.Detached): %w", backends.ErrInvalid)
	}
	return nil
}

// share readies the shared argument: in each request where it is small, in the bucket where it is not.
func (j *job) share(ctx context.Context) error {
	if j.shared == nil {
		return nil
	}
	data, err := serialize.Marshal(j.shared)
	if err != nil {
		return fmt.Errorf("the shared argument cannot be encoded: %w", err)
	}
	sum := sha256.Sum256(data)
	j.header.Shared = wire.Shared{Hash: hex.EncodeToString(sum[:]), Data: data}
	if len(data) <= maxSharedInline {
		return nil
	}
	key := j.prefix() + "/shared-" + j.header.Shared.Hash
	if err := j.put(ctx, key, bytes.NewReader(data)); err != nil {
		return fmt.Errorf("the shared argument of %d bytes: %w", len(data), err)
	}
	j.header.Shared.Data, j.header.Shared.Key = nil, key
	return nil
}

// maxSharedInline bounds a shared argument that rides in every request: there may be a great many.
const maxSharedInline = 16 << 10

// fail takes a task's final failure. Its error ends the job.
func (j *job) fail(t *sched.Task, attempts int, f *sched.Failure) error {
	if j.ctx.Err() != nil { // what fails because the job was stopped is nobody's failure
		return context.Cause(j.ctx)
	}
	e := newTaskError(j.f.Name, t.Index, attempts, f)
	j.mu.Lock()
	j.count++
	if len(j.failures) < maxFailures {
		j.failures = append(j.failures, e)
	}
	j.mu.Unlock()
	if !j.ex.options.ContinueOnError {
		if j.resumed != nil { // who waits for the journal is to wait no longer
			j.resumed.stop(e)
		}
		return e
	}
	if j.failed != nil {
		j.failed(e)
	}
	return nil
}

// jobError tells of the failures of a job that went on.
func (j *job) jobError() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.count == 0 {
		return nil
	}
	slices.SortFunc(j.failures, func(a, b *TaskError) int { return a.Index - b.Index })
	return &JobError{Function: j.f.Name, Failed: j.count, Tasks: j.failures}
}

func (j *job) log(t *sched.Task, text string) {
	label := j.f.Name
	if t != nil {
		label = fmt.Sprintf("%s %d", j.f.Name, t.Index)
	}
	j.ex.view.Log(label, text)
}

func (j *job) progress() progress.Counts {
	c := j.counts()
	return progress.Counts{Queued: c.Queued, Running: c.Running, Done: c.Settled, Failed: c.Failed, Retried: c.Retried, Resumed: c.Recalled, More: c.More, Lost: c.Lost, Copied: c.Copies, Cost: j.root().cost().Total}
}

// sweep is the end of a job with all its steps: it deletes what they have left in the bucket, also after ctx has ended, and
// tells what they did.
func (j *job) sweep(ctx context.Context) {
	if tell := j.ex.options.Stats; tell != nil || measured(ctx) {
		defer func() {
			s := j.stats()
			s.Ended = time.Now()
			measure(ctx, s)
			if tell != nil {
				tell(s)
			}
		}()
	}
	if !j.dirty.Load() || j.ex.options.Resume != "" {
		return
	}
	err := leftover.Delete(ctx, j.collected.bucket, j.prefix()+"/", func(string) bool { return true })
	if err != nil {
		j.ex.leave(fmt.Errorf("the data of job %s stay in %s: %w", j.id, j.ex.bucket.URL(), err))
	}
}

// leave notes what could not be deleted, for Close to tell.
func (c *core) leave(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.unswept) < maxFailures {
		c.unswept = append(c.unswept, err)
	}
}
