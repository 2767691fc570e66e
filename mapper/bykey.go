package mapper

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"

	"github.com/gowren/gowren/internal/registry"
	"github.com/gowren/gowren/internal/sched"
	"github.com/gowren/gowren/internal/shuffle"
	"github.com/gowren/gowren/serialize"
)

// MapReduceByKey calls m for every input, and r for each key that was emitted, with all its values, all on the workers. It
// returns a pair for each key, in the order of the keys; none where nothing was emitted. [MapReduceByKeyTo] is for results
// that are better left in the store.
//
// What map tasks emit is spread over partitions by a hash of the key, sorted, and merged by the reduce tasks, one for each
// partition. Each map task writes one object, and each reduce task reads one range of each, or, where a map task emitted
// more than its buffer holds, one for each time the buffer was full. Small outputs travel through the driver instead, 32
// MB of all together. Memory in a worker is bounded by [Options].Buffer in a map task, and in a reduce task by a block of
// some 64 KB for each range, up to 256 of them; more are first merged into fewer.
//
// The result is the same for any number of workers and partitions and any size of the buffer (but see [Reducer.Combine]).
// A failed task stops the job whatever [Options].ContinueOnError says.
func MapReduceByKey[In any, K cmp.Ordered, V, Out any](ctx context.Context, ex *Executor, m Emitter[In, K, V], r Reducer[K, V, Out], inputs []In) ([]Pair[K, Out], error) {
	var pairs []Pair[K, Out]
	err := byKey(ctx, ex, m, r.f, errZeroReducer, inputs, nil, func(ctx context.Context, k *keyed) error {
		results, err := k.reduce(ctx, k.hashed())
		if err != nil {
			return err
		}
		if pairs, err = decodePairs[K, Out](ctx, results); err != nil {
			return fmt.Errorf("mapper: %s: %w", r.f.Name, err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return pairs, nil
}

// MapReduceByKeyTo is [MapReduceByKey] with the results written to the bucket at url, one object a partition, in the order
// of the keys in each. Results that are bytes or strings are written as they are, one after another, others as lines of
// JSON, a [Pair] each. The manifest, which is returned, names the objects; it is stored last and at once, so that a job
// that fails leaves no result. Where a job has finished before, the error is fs.ErrExist, and nothing is run.
//
// With [Options].Resume, objects of a job that failed stay until it has finished, or are deleted by hand: they are in a
// folder that begins with the name. A finished job that is run again returns its manifest. Where it makes other objects by
// then, as of other inputs, the error is fs.ErrExist, and the result that is there stays.
func MapReduceByKeyTo[In any, K cmp.Ordered, V, Out any](ctx context.Context, ex *Executor, m Emitter[In, K, V], r Reducer[K, V, Out], inputs []In, url string) (Manifest, error) {
	var manifest Manifest
	err := byKey(ctx, ex, m, r.f, errZeroReducer, inputs, &url, func(ctx context.Context, k *keyed) (err error) {
		manifest, err = k.reduceTo(ctx, k.hashed())
		return err
	})
	return manifest, err
}

// keyed is a job by key whose map step is done.
type keyed struct {
	*job
	reducer *registry.Function
	parts   int
	workers int // slots when the job began
	outputs []shuffle.Output
	out     *output // nil where results go to the driver
}

func (k *keyed) hashed() []shuffle.Task { return shuffle.Parts(k.outputs, k.parts) }

// byKey runs the map step, and then the rest. The url is that of the results; nil where they go to the driver.
func byKey[In any, K cmp.Ordered, V any](ctx context.Context, ex *Executor, m Emitter[In, K, V], r *registry.Function, zero error,
	inputs []In, url *string, rest func(context.Context, *keyed) error,
) (err error) {
	switch {
	case m.f == nil:
		return errZeroEmitter
	case r == nil:
		return zero
	}
	ctx, leave, err := ex.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	o := ex.options
	o.ContinueOnError = false
	ex = &Executor{ex.core, o}
	k := &keyed{job: ex.newJob(ex.newID(), m.f), reducer: r, outputs: make([]shuffle.Output, len(inputs))}
	defer k.sweep(ctx)
	ctx, end := k.spanned(ctx)
	defer func() { end(err) }()
	if url != nil {
		if k.out, err = k.place(ctx, *url); err != nil {
			return fmt.Errorf("mapper: %s: %w", m.f.Name, because(ctx, err))
		}
		defer func() {
			if e := k.out.close(ctx); e != nil && err == nil { // the result stands
				ex.leave(e)
			} else {
				err = errors.Join(err, e)
			}
		}()
	}

	sizes, err := k.sizes(ctx)
	if err != nil {
		return fmt.Errorf("mapper: %s: %w", m.f.Name, because(ctx, err))
	}
	plan := &emitPlan{Plan: sizes.Plan, Raw: r == sortRanges}
	if r.Fold != nil {
		plan.Fold, plan.Types = r.Name, r.Types
	}
	if plan.Raw {
		plan.Parts = 0
	}
	k.parts, k.workers = plan.Parts, sizes.Slots
	k.shared, k.known, k.feed = plan, len(inputs), feedSlice(inputs)
	k.there = k.stored()
	k.accept = func(ctx context.Context, s *sched.Slot, t *sched.Task, v sched.Value) *sched.Failure {
		out := &k.outputs[t.Index]
		_, bad := k.decode(ctx, s, v, out)
		if bad != nil {
			return bad
		}
		if out.Name != "" || t.Attempt > 0 { // an attempt that failed may have stored one all the same
			k.dirty.Store(true)
		}
		if err := out.Check(k.parts); err != nil {
			return unreadable(err)
		}
		return nil
	}
	if len(inputs) > 0 {
		if err := k.run(ctx); err != nil {
			return err
		}
	}
	return rest(ctx, k)
}

// place opens the bucket at url. The folder of a job that is resumed is the one that its first run has chosen, so that later
// runs find the parts; nobody can have used it before.
func (k *keyed) place(ctx context.Context, url string) (*output, error) {
	folder := k.id
	if k.ex.options.Resume != "" {
		folder += "-" + rand.Text()
	}
	keep, err := k.planned(ctx, []any{"folder", k.reducer.Name, k.reducer.Types, len(k.outputs), url}, &folder)
	if err != nil {
		return nil, err
	}
	out, err := k.ex.openOutput(ctx, url, folder)
	if err != nil {
		return nil, err
	}
	if err := keep(); err != nil {
		return nil, errors.Join(err, out.bucket.Close())
	}
	return out, nil
}

// sizes is what depends on the backend and its workers, as they were when the job began.
type sizes struct {
	shuffle.Plan
	Slots int
}

func (k *keyed) sizes(ctx context.Context) (sizes, error) {
	s, o := sizes{k.plan(len(k.outputs)), k.slots()}, k.ex.options
	keep, err := k.planned(ctx, []any{"sizes", len(k.outputs), o.Partitions, o.Buffer}, &s)
	if err == nil {
		err = keep()
	}
	return s, err
}

// stored returns what says whether the object of a map task is there.
func (k *keyed) stored() func(context.Context, *sched.Task, bool) (bool, error) {
	folder := k.prefix() + "/shuffle/"
	look := newInventory(k.collected.bucket, folder)
	return func(ctx context.Context, t *sched.Task, fresh bool) (bool, error) {
		out := &k.outputs[t.Index]
		if out.Name == "" {
			return true, nil
		}
		size, there, err := look(ctx, folder+out.Name, fresh)
		if there = there && size >= out.Size(); !there {
			*out = shuffle.Output{}
		}
		return there, err
	}
}

// Defaults of jobs by key.
const (
	defaultBuffer = 64 << 20
	inlineOutput  = 256 << 10 // of a map task
	inlineOutputs = 32 << 20  // of all map tasks together: they are in the driver's memory
	maxReads      = 1 << 20   // ranges that reduce tasks read: they are what a shuffle costs
)

// plan is what the map tasks of n inputs are told.
func (j *job) plan(n int) shuffle.Plan {
	l, o := j.ex.limits, j.ex.options
	parts := o.Partitions
	if parts <= 0 { // a few for each worker, so that none waits long for the last
		parts = max(1, min(4*j.slots(), n, maxReads/max(n, 1)))
	}
	buffer := o.Buffer
	if buffer <= 0 {
		buffer = defaultBuffer
	}
	return shuffle.Plan{
		Folder: j.prefix() + "/shuffle", Parts: parts, Buffer: buffer,
		Inline: min(inlineOutput, inlineOutputs/max(n, 1), j.inlineLimit()), Compress: l.Remote,
	}
}

// slots is how many tasks run at once.
func (j *job) slots() int {
	l, o := j.ex.limits, j.ex.options
	n := max(l.Concurrency, 1)
	if o.Concurrency > 0 {
		n = min(n, o.Concurrency)
	}
	return n * max(l.CPUs, 1)
}

// reduce runs the reduce step, and returns what each task made.
func (k *keyed) reduce(ctx context.Context, tasks []shuffle.Task) ([][]byte, error) {
	next, tasks := k.next(tasks, "")
	results := make([][]byte, len(tasks))
	next.accept = func(ctx context.Context, _ *sched.Slot, t *sched.Task, v sched.Value) *sched.Failure {
		data, bad := next.fetch(ctx, v)
		if bad == nil {
			results[t.Index] = slices.Clone(data)
		}
		return bad
	}
	return results, next.runSome(ctx)
}

// reduceTo runs the reduce step with its results in the bucket for them.
func (k *keyed) reduceTo(ctx context.Context, tasks []shuffle.Task) (Manifest, error) {
	next, tasks := k.next(tasks, k.out.url)
	parts := make([]Part, len(tasks))
	next.accept = func(ctx context.Context, s *sched.Slot, t *sched.Task, v sched.Value) *sched.Failure {
		_, bad := next.decode(ctx, s, v, &parts[t.Index])
		return bad
	}
	next.there = func(ctx context.Context, t *sched.Task, fresh bool) (bool, error) {
		there, err := k.out.has(ctx, parts[t.Index], fresh)
		if !there {
			parts[t.Index] = Part{}
		}
		return there, err
	}
	if err := next.runSome(ctx); err != nil {
		return Manifest{}, err
	}
	m, err := k.out.commit(ctx, parts)
	if err != nil {
		return m, fmt.Errorf("mapper: %s: %w", k.reducer.Name, err)
	}
	return m, nil
}

// next returns the reduce step over the tasks that have anything to read.
func (k *keyed) next(tasks []shuffle.Task, url string) (*job, []shuffle.Task) {
	tasks = slices.DeleteFunc(tasks, func(t shuffle.Task) bool { return len(t.Segments) == 0 })
	next := k.step(k.reducer)
	plan := &reducePlan{Folder: k.prefix() + "/shuffle", Output: url, Job: k.id}
	if url != "" {
		plan.Job = k.out.job
	}
	next.shared = plan
	next.known, next.feed = len(tasks), feedSlice(tasks)
	return next, tasks
}

// runSome is run, where there may be no tasks.
func (j *job) runSome(ctx context.Context) error {
	if j.known == 0 {
		return nil
	}
	return j.run(ctx)
}

// decodePairs merges the results of reduce tasks and decodes them.
func decodePairs[K cmp.Ordered, Out any](ctx context.Context, results [][]byte) ([]Pair[K, Out], error) {
	task := shuffle.Pairs(results)
	m, err := shuffle.NewMerge(ctx, &task, nil, "", "")
	if err != nil {
		return nil, err
	}
	defer m.Close()
	var pairs []Pair[K, Out]
	var c serialize.Coder
	keys := shuffle.NewKeys[K]()
	for m.Next() {
		var p Pair[K, Out]
		if p.Key, err = keys.Decode(m.Key()); err != nil {
			return nil, err
		}
		if err := c.Decode(m.Value(), &p.Value); err != nil {
			return nil, fmt.Errorf("the result of key %v could not be decoded: %w", p.Key, err)
		}
		pairs = append(pairs, p)
	}
	return pairs, m.Err()
}
