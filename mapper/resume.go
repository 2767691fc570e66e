package mapper

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/gowren/gowren/internal/journal"
	"github.com/gowren/gowren/internal/leftover"
	"github.com/gowren/gowren/internal/sched"
	"github.com/gowren/gowren/internal/wire"
	"github.com/gowren/gowren/storage"
)

// ErrProgramChanged marks the error of a job that is to be resumed by another program than began it, where
// [Options].ResumeStrict forbids that.
var ErrProgramChanged = errors.New("the program has changed since an earlier run")

// Forget deletes what jobs with a name to resume have kept in a bucket ([Options].Resume). Jobs that run under the name
// fail.
func Forget(ctx context.Context, b storage.Bucket, name string) error {
	err := journal.Forget(ctx, b, name)
	if err == nil { // words that told its requests to stop, and that none was left to hear
		var mark string
		if mark, err = journal.Mark(name); err == nil {
			err = leftover.Delete(ctx, storage.Retry(b, storage.RetryPolicy{}), "canceled/"+mark, func(string) bool { return true })
		}
	}
	if err != nil {
		return fmt.Errorf("mapper: forget: %w", err)
	}
	return nil
}

// journals are those that an executor's jobs have opened, by name.
type journals struct {
	mu   sync.Mutex
	open map[string]*journal.Journal
}

// journal returns that of the executor's name to resume. The first job of the name opens it, and tells what is there.
func (ex *Executor) journal(ctx context.Context) (*journal.Journal, error) {
	js, name := &ex.journals, ex.options.Resume
	js.mu.Lock()
	defer js.mu.Unlock()
	program, err := ownHash()
	if err != nil {
		return nil, err
	}
	j, first := js.open[name], false
	if j == nil {
		first = true
		if j, err = journal.Open(ctx, tallied(ex.store, ex.meter(name)), name, journal.Run{Program: program, Started: time.Now().UTC()}); err != nil {
			return nil, fmt.Errorf("resume %q: %w", name, err)
		}
		if js.open == nil {
			js.open = map[string]*journal.Journal{}
		}
		js.open[name] = j
	}
	other := otherProgram(j.Runs(), program)
	if n := len(j.Runs()); first && n > 0 {
		text := fmt.Sprintf("%d results of %d earlier runs are kept", j.Kept(), n)
		if n == 1 {
			text = fmt.Sprintf("%d results of an earlier run are kept", j.Kept())
		}
		if open := len(j.Requests()); open > 0 {
			text += fmt.Sprintf("; %d requests of theirs may still bring some", open)
		}
		if other != "" {
			text += "; " + other
		}
		ex.view.Log("resume "+name, text)
	}
	if other != "" && ex.options.ResumeStrict {
		return nil, fmt.Errorf("resume %q: %s: %w", name, other, ErrProgramChanged)
	}
	return j, nil
}

// otherProgram tells of the first run that was by another program, if there is one.
func otherProgram(runs []journal.Run, program string) string {
	for i, r := range runs {
		if r.Program != program {
			return fmt.Sprintf("run %d, of %s, was by another program; results of functions with the same name and signature are the same to it: to compute them anew, give the function or Options.Resume another name, or call mapper.Forget", i+1, r.Started.Format(time.DateTime))
		}
	}
	return ""
}

func (js *journals) close() error {
	js.mu.Lock()
	defer js.mu.Unlock()
	var errs []error
	for _, j := range js.open {
		errs = append(errs, j.Close())
	}
	js.open = nil
	return errors.Join(errs...)
}

// ownHash returns the SHA-256 of this program.
var ownHash = sync.OnceValues(func() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", err
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
})

// resumed is what a job with a name to resume knows of its tasks.
type resumed struct {
	journal *journal.Journal
	ctx     context.Context         // the job's
	stop    context.CancelCauseFunc // ends it

	stored  inventory
	earlier *earlier // nil where replies of earlier runs cannot be had

	mu   sync.Mutex
	seen map[journal.ID]int                // inputs so far
	ids  map[int64]journal.ID              // of tasks that wait or run
	sent map[*sched.Batch]*journal.Request // requests under way that outlive this process
}

// resume readies a job that has a name.
func (j *job) resume(ctx context.Context, stop context.CancelCauseFunc) error {
	if j.ex.options.Resume == "" {
		return nil
	}
	kept, err := j.ex.journal(ctx)
	if err != nil {
		return err
	}
	j.resumed = &resumed{journal: kept, ctx: ctx, stop: stop, stored: newInventory(j.collected.bucket, j.prefix()+"/out/"),
		seen: map[journal.ID]int{}, ids: map[int64]journal.ID{}, sent: map[*sched.Batch]*journal.Request{}}
	j.resumed.earlier = j.newEarlier(ctx)
	return nil
}

// planned replaces a plan by the one that an earlier run has made for the same step, since tasks are told of it: where
// workers are more or fewer by now, they are to be the same tasks. What it returns keeps a plan that is new.
func (j *job) planned(ctx context.Context, step any, plan any) (keep func() error, err error) {
	if j.ex.options.Resume == "" {
		return func() error { return nil }, nil
	}
	kept, err := j.ex.journal(ctx)
	if err != nil {
		return nil, err
	}
	about, err := json.Marshal(step)
	if err != nil {
		return nil, err
	}
	id := journal.Identity(j.f.Name, j.f.Types, "plan", about, 0)
	data, there, err := kept.Recall(id)
	if err == nil && there {
		err = json.Unmarshal(data, plan)
	} else if err == nil {
		data, err = json.Marshal(plan)
	}
	return func() error {
		if there {
			return nil
		}
		return kept.Record(ctx, id, data)
	}, err
}

// recall takes the result that an earlier run has kept for a task, if there is one. Where a request of an earlier run may
// still bring it, it is asked again when that has ended.
func (j *job) recall(ctx context.Context, s *sched.Slot, t *sched.Task) (bool, <-chan struct{}, error) {
	id := j.resumed.identify(j, t)
	kept, err := j.recallKept(ctx, s, t, id)
	if kept || err != nil {
		return kept, nil, err
	}
	return false, j.resumed.earlier.brings(id), nil
}

// recallKept takes the result that is kept for a task, if there is one.
func (j *job) recallKept(ctx context.Context, s *sched.Slot, t *sched.Task, id journal.ID) (bool, error) {
	r := j.resumed
	data, kept, err := r.journal.Recall(id)
	fresh := r.earlier.brought() // asked last: what was recalled may have come a moment ago
	if err != nil || !kept {
		return false, err
	}
	v, err := openResult(data)
	if err != nil {
		return false, err
	}
	if there, err := r.whole(ctx, v.Stored, fresh); err != nil || !there {
		return false, because(ctx, err)
	}
	if bad := j.accept(ctx, s, t, v); bad != nil {
		return false, because(ctx, nil) // it cannot be read: it is computed anew
	}
	if j.there != nil {
		if there, err := j.there(ctx, t, fresh); err != nil || !there {
			return false, because(ctx, err)
		}
	}
	r.mu.Lock()
	delete(r.ids, t.Index)
	r.mu.Unlock()
	return true, nil
}

// whole reports whether the object of a recalled result is still there: it may have been deleted meanwhile, and who reads it
// would find out too late.
func (r *resumed) whole(ctx context.Context, v *wire.Stored, fresh bool) (bool, error) {
	if v == nil {
		return true, nil
	}
	size, there, err := r.stored(ctx, v.Key, fresh)
	return there && size == v.Size, err
}

// identify gives a new task its identity, and tells that of one which has it.
func (r *resumed) identify(j *job, t *sched.Task) journal.ID {
	r.mu.Lock()
	id, known := r.ids[t.Index]
	r.mu.Unlock()
	if known {
		return id
	}
	h := j.header
	id = journal.Identity(h.Function, h.Types, h.Shared.Hash, t.Data, 0)
	r.mu.Lock()
	defer r.mu.Unlock()
	n := r.seen[id]
	r.seen[id]++
	if n > 0 {
		id = journal.Identity(h.Function, h.Types, h.Shared.Hash, t.Data, n)
	}
	r.ids[t.Index] = id
	return id
}

// record keeps a result. Where that is impossible, the job ends.
func (r *resumed) record(t *sched.Task, v sched.Value) {
	r.mu.Lock()
	id := r.ids[t.Index]
	delete(r.ids, t.Index)
	r.mu.Unlock()
	data, err := sealResult(v)
	if err == nil {
		err = r.journal.Record(r.ctx, id, data)
	}
	if err != nil {
		r.stop(err)
	}
}

// end waits until what the job's tasks came to is kept, not for long where ctx has ended, and returns why the job did, or
// why some is not kept.
func (j *job) end(ctx context.Context, err error) error {
	if flush := j.resumed.journal.Flush(ctx); flush != nil {
		if errors.Is(err, flush) {
			return err
		}
		return errors.Join(err, flush)
	}
	if _, limit := errors.AsType[*LimitError](err); err != nil && (limit || j.ctx.Err() != nil) {
		name := j.ex.options.Resume
		j.ex.view.Log("resume "+name, fmt.Sprintf("run again with the same Options.Resume (%q) to go on", name))
	}
	return err
}

// A kept result is a byte that says whether it is here or in the bucket, and the encoded value or what is known of the
// object.
const (
	resultHere   = 0
	resultStored = 1
)

func sealResult(v sched.Value) ([]byte, error) {
	if v.Stored == nil {
		return append([]byte{resultHere}, v.Data...), nil
	}
	data, err := json.Marshal(v.Stored)
	return append([]byte{resultStored}, data...), err
}

func openResult(data []byte) (sched.Value, error) {
	switch {
	case len(data) > 0 && data[0] == resultHere:
		return sched.Value{Data: data[1:]}, nil
	case len(data) > 0 && data[0] == resultStored:
		var stored wire.Stored
		err := json.Unmarshal(data[1:], &stored)
		return sched.Value{Stored: &stored}, err
	}
	return sched.Value{}, fmt.Errorf("a kept result of %d bytes: %w", len(data), journal.ErrCorrupt)
}
