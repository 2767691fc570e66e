// Package journal keeps the results of a job's tasks in a bucket, so that a driver that dies can be run again, and only
// what is missing is computed.
//
// What is kept under a name lies below resume/NAME/. Each driver that runs under the name is a run with a number, the
// least that was free: it claims it by an object of its own (run-N), and writes what its tasks came to into objects with
// numbers from 0 on (N/0, N/1, …), one after another. So all is found by known keys, and nothing is listed. An object is
// written once, and holds the results that came in a while, each with the identity of its task: which task is in which
// batch differs from run to run.
package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/gowren/gowren/storage"
)

// Run is what is known of one driver's run.
type Run struct {
	Program string    `json:"program"` // SHA-256 of the driver's executable
	Started time.Time `json:"started"`
}

// Journal is an open one. It is safe for concurrent use.
type Journal struct {
	b      storage.Bucket
	prefix string
	number int
	runs   []Run // before this one
	past   *past

	mu                          sync.Mutex
	room                        sync.Cond // some were written, or will never be
	pending                     []byte    // encoded entries
	first                       time.Time // when the first of them came
	failed                      error
	recorded, written, flushing int
	closed                      bool
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

// Open reads what earlier runs have kept under a name, and begins a run. It takes memory for an identity and a number for
// each kept result; the results lie in a temporary file.
func Open(ctx context.Context, b storage.Bucket, name string, r Run) (*Journal, error) {
	prefix, err := Prefix(name)
	if err != nil {
		return nil, err
	}
	j := &Journal{b: storage.Retry(b, storage.RetryPolicy{}), prefix: prefix, wake: make(chan struct{}, 1), done: make(chan struct{})}
	j.room.L = &j.mu
	if j.past, err = newPast(); err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	if err := j.begin(ctx, r); err != nil {
		return nil, errors.Join(fmt.Errorf("journal: %s in %s: %w", prefix, b.URL(), err), j.past.close())
	}
	go j.write(context.WithoutCancel(ctx))
	return j, nil
}

// begin reads the earlier runs and claims the next number.
func (j *Journal) begin(ctx context.Context, r Run) error {
	own, err := json.Marshal(r)
	if err != nil {
		return err
	}
	for n := 1; ; n++ {
		earlier, err := j.run(ctx, n)
		if errors.Is(err, fs.ErrNotExist) {
			err = j.b.PutNew(ctx, j.runKey(n), bytes.NewReader(own))
			if err == nil {
				j.number = n
				return nil
			}
			if errors.Is(err, fs.ErrExist) { // another driver was faster
				n--
				continue
			}
		}
		if err != nil {
			return err
		}
		j.runs = append(j.runs, earlier)
		if err := j.past.read(ctx, j.b, path.Join(j.prefix, strconv.Itoa(n))); err != nil {
			return err
		}
	}
}

func (j *Journal) runKey(n int) string { return fmt.Sprintf("%s/run-%d", j.prefix, n) }

// run reads what is known of an earlier run.
func (j *Journal) run(ctx context.Context, n int) (Run, error) {
	var r Run
	data, err := get(ctx, j.b, j.runKey(n), 1<<20)
	if err == nil {
		err = json.Unmarshal(data, &r)
	}
	if err != nil {
		return r, fmt.Errorf("object %q: %w", j.runKey(n), err)
	}
	return r, nil
}

// Runs returns the runs before this one.
func (j *Journal) Runs() []Run { return j.runs }

// Kept returns how many results the earlier runs have kept.
func (j *Journal) Kept() int { return len(j.past.at) }

// Recall returns the result that an earlier run has kept for a task.
func (j *Journal) Recall(id ID) (result []byte, kept bool, err error) {
	result, kept, err = j.past.recall(id)
	if err != nil {
		err = fmt.Errorf("journal: %w", err)
	}
	return result, kept, err
}

// Forget deletes what is kept under a name. Runs that are under way fail.
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
