// Package journal keeps the results of a job's tasks in a bucket, so that a driver that dies can be run again, and only
// what is missing is computed.
//
// What is kept under a name lies below resume/NAME/. Each driver that keeps anything under the name is a run with a
// number, the least that was free: with its first result it claims it by an object of its own (run-N), which holds a token,
// and writes what its tasks came to into objects with numbers from 0 on (N-TOKEN/0, N-TOKEN/1, …), one after another. So
// all is found by known keys, and nothing is listed; and what a run still writes that was forgotten is nobody else's. An
// object is written once, and holds the results that came in a while, each with the identity of its task: which task is in
// which batch differs from run to run. It holds as well which requests were sent that outlive their driver, and of which
// nothing more comes.
package journal

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"sync"
	"time"

	"github.com/gowren/gowren/storage"
)

// Run is what is known of one driver's run.
type Run struct {
	Program string    `json:"program"` // SHA-256 of the driver's executable
	Started time.Time `json:"started"`
	Token   string    `json:"token"` // of Open; no two runs have the same
}

// Journal is an open one. It is safe for concurrent use.
type Journal struct {
	b      storage.Bucket
	prefix string
	own    Run
	number int   // of the own run, once it is claimed; the writer's
	runs   []Run // before this one
	past   *past
	sent   requests                // by these
	cancel context.CancelCauseFunc // of the writer

	mu                          sync.Mutex
	room                        sync.Cond // some were written, or will never be
	pending                     []byte    // encoded entries
	first                       time.Time // when the first of them came
	failed                      error
	recorded, written, flushing int
	closed                      bool
	outlive                     int // requests that were sent and are not over
	wake                        chan struct{}
	done                        chan struct{}
}

var nameForm = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$`)

// Prefix is where all that is kept under a name lies.
func Prefix(name string) (string, error) {
	if !nameForm.MatchString(name) {
		return "", fmt.Errorf("journal: the name %.120q: letters, digits, dots, dashes and underscores make one, 100 at most: %w", name, fs.ErrInvalid)
	}
	return "resume/" + name, nil
}

// Open reads what earlier runs have kept under a name. It takes memory for an identity and a number for each kept result,
// and for each task of a request that may still bring one; the results lie in a temporary file. Nothing is written before
// the first Record.
func Open(ctx context.Context, b storage.Bucket, name string, r Run) (*Journal, error) {
	prefix, err := Prefix(name)
	if err != nil {
		return nil, err
	}
	r.Token = rand.Text()
	j := &Journal{b: storage.Retry(b, storage.RetryPolicy{}), prefix: prefix, own: r, wake: make(chan struct{}, 1), done: make(chan struct{})}
	j.room.L = &j.mu
	if j.past, err = newPast(); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	if err := j.read(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("journal: %s in %s: %w", prefix, b.URL(), err), j.past.close())
	}
	ctx, j.cancel = context.WithCancelCause(context.WithoutCancel(ctx))
	go j.write(ctx)
	return j, nil
}

// read reads the earlier runs. A later one's result is the one that counts: it was made where an earlier one was no longer
// of use.
func (j *Journal) read(ctx context.Context) error {
	header := func(ctx context.Context, n int) ([]byte, error) { return get(ctx, j.b, j.runKey(n+1), maxRun) }
	for data, err := range inOrder(ctx, header) {
		if errors.Is(err, fs.ErrNotExist) {
			j.sent.index(j.past)
			return nil
		}
		n := len(j.runs) + 1
		var r Run
		if err == nil {
			err = json.Unmarshal(data, &r)
		}
		if err == nil && !nameForm.MatchString(r.Token) {
			err = fmt.Errorf("a token %.120q: %w", r.Token, ErrCorrupt)
		}
		if err != nil {
			return fmt.Errorf("object %q: %w", j.runKey(n), err)
		}
		j.runs = append(j.runs, r)
		take := func(kind byte, id ID, data []byte) error { return j.take(n, kind, id, data) }
		if err := readRun(ctx, j.b, j.folder(n, r), take); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// take takes an entry of the earlier run with a number.
func (j *Journal) take(run int, kind byte, id ID, data []byte) error {
	switch kind {
	case kindSent:
		return j.sent.add(id, data, run)
	case kindTaken:
		j.sent.take(id)
		return nil
	case kindOver:
		j.sent.over(id)
		return nil
	}
	return j.past.add(id, data)
}

const maxRun = 1 << 20

func (j *Journal) runKey(n int) string { return fmt.Sprintf("%s/run-%d", j.prefix, n) }

// folder is where a run's objects are.
func (j *Journal) folder(n int, r Run) string { return fmt.Sprintf("%s/%d-%s", j.prefix, n, r.Token) }

// Runs returns the runs before this one.
func (j *Journal) Runs() []Run { return j.runs }

// Kept returns how many results the earlier runs have kept.
func (j *Journal) Kept() int { return j.past.len() }

// Recall returns the result that an earlier run has kept for a task, or that [Journal.Adopt] has.
func (j *Journal) Recall(id ID) (result []byte, kept bool, err error) {
	result, kept, err = j.past.recall(id)
	if err != nil {
		err = fmt.Errorf("journal: %w", err)
	}
	return result, kept, err
}

// Forget deletes what is kept under a name. Runs that are under way fail with [ErrForgotten], by the end of their Close.
func Forget(ctx context.Context, b storage.Bucket, name string) error {
	prefix, err := Prefix(name)
	if err != nil {
		return err
	}
	b = storage.Retry(b, storage.RetryPolicy{})
	var keys []string
	for o, err := range b.List(ctx, prefix+"/") {
		if err != nil {
			return fmt.Errorf("journal: %w", err)
		}
		if keys = append(keys, o.Key); len(keys) == 1000 {
			if err := b.Delete(ctx, keys...); err != nil {
				return fmt.Errorf("journal: %w", err)
			}
			keys = keys[:0]
		}
	}
	if len(keys) == 0 {
		return nil
	}
	if err := b.Delete(ctx, keys...); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return nil
}

// get returns an object of limit bytes at most.
func get(ctx context.Context, b storage.Bucket, key string, limit int64) ([]byte, error) {
	r, err := b.Get(ctx, key, 0, limit+1)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(r)
	err = errors.Join(err, r.Close())
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("it has more than %d bytes", limit)
	}
	return data, err
}
