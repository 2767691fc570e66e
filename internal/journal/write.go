package journal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"time"
)

const (
	interval   = 200 * time.Millisecond // for as long, results are gathered into an object
	patience   = 20 * time.Second       // for which a store may keep waiting who wants to end
	check      = 30 * time.Second       // after which a run looks whether it was forgotten
	full       = 4 << 20                // bytes of results that are an object at once
	maxPending = 16 << 20               // bytes that may wait to be written
	maxResult  = 64 << 20
	maxObject  = maxPending + maxResult + 1<<20
)

// ErrForgotten marks the error of a run whose results were deleted while it was under way.
var ErrForgotten = errors.New("what was kept under the name was deleted meanwhile")

// Record keeps a task's result. It returns before it is written, and waits, not longer than ctx, where much is to be
// written. Its error says that the result is not kept.
func (j *Journal) Record(ctx context.Context, id ID, result []byte) error {
	if len(result) > maxResult {
		return fmt.Errorf("journal: a result of %d bytes; the limit is %d", len(result), maxResult)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := j.wait(ctx, func() bool { return len(j.pending) <= maxPending }); err != nil {
		return err
	}
	j.append(kindResult, id, result)
	return nil
}

// append has an entry written. The journal is locked.
func (j *Journal) append(kind byte, id ID, data []byte) {
	if j.failed != nil { // nobody writes any more
		return
	}
	if len(j.pending) == 0 {
		j.first = time.Now()
	}
	j.pending = appendEntry(j.pending, kind, id, data)
	j.recorded++
	j.notify()
}

// Flush returns when all that was recorded is written, or why it is not. Once ctx has ended, it waits for 20 s more; then
// the journal is given up.
func (j *Journal) Flush(ctx context.Context) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.flushing++
	defer func() { j.flushing-- }()
	j.notify()
	want := j.recorded
	written := func() bool { return j.written >= want }
	err := j.wait(ctx, written)
	if err == nil || j.failed != nil {
		return err
	}
	late, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	if err := j.wait(late, written); err == nil {
		return nil
	}
	j.giveUp()
	return j.failed
}

// wait returns when it is so, the journal has failed, or ctx has ended. The journal is locked.
func (j *Journal) wait(ctx context.Context, so func() bool) error {
	if j.failed != nil || so() {
		return j.failed
	}
	defer context.AfterFunc(ctx, func() {
		j.mu.Lock()
		defer j.mu.Unlock()
		j.room.Broadcast()
	})()
	for j.failed == nil && !so() {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		j.room.Wait()
	}
	return j.failed
}

// giveUp ends the writing. The journal is locked.
func (j *Journal) giveUp() {
	if j.failed == nil {
		j.failed = fmt.Errorf("journal: up to %d results are not known to be kept in %s: the store has not answered for %v", j.recorded-j.written, j.b.URL(), patience)
	}
	j.cancel(j.failed)
	j.room.Broadcast()
}

// notify wakes the writer.
func (j *Journal) notify() {
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// Close writes what is not yet written, for 20 s at most, and returns when all is, or why it could not be. What was written
// is then known to be kept.
func (j *Journal) Close() error {
	j.mu.Lock()
	j.closed = true
	j.notify()
	j.mu.Unlock()
	late := time.AfterFunc(patience, func() {
		j.mu.Lock()
		defer j.mu.Unlock()
		j.giveUp()
	})
	<-j.done
	late.Stop()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.cancel(nil)
	return errors.Join(j.failed, j.past.close())
}

// write is the one who writes objects, one after another: what a run has written has no gaps.
func (j *Journal) write(ctx context.Context) {
	defer close(j.done)
	err := j.writeAll(ctx)
	j.mu.Lock()
	defer j.mu.Unlock()
	if err != nil && j.failed == nil {
		j.failed = fmt.Errorf("journal: the results could not be kept in %s: %w", j.b.URL(), err)
	}
	j.room.Broadcast()
}

func (j *Journal) writeAll(ctx context.Context) error {
	var known time.Time // when the run was last known to be there
	l := lease{j: j}
	for n := 0; ; n++ {
		entries, upTo, err := l.renewing(ctx, n > 0)
		if err != nil {
			return err
		}
		switch {
		case entries == nil && n == 0:
			return nil
		case n == 0:
			err = j.claim(ctx)
			known = time.Now()
		case entries == nil || time.Since(known) >= check:
			err = j.stands(ctx)
			known = time.Now()
		}
		if err == nil && entries == nil {
			err = l.end(ctx)
		} else if err == nil {
			err = l.renew(ctx)
		}
		if err != nil || entries == nil {
			return err
		}
		key := path.Join(j.folder(j.number, j.own), strconv.Itoa(n))
		if err := j.b.PutNew(ctx, key, bytes.NewReader(seal(entries))); err != nil {
			return err
		}
		j.mu.Lock()
		j.written = upTo
		j.room.Broadcast()
		j.mu.Unlock()
	}
}

// claim takes the next free number. The token tells an object whose reply was lost from another driver's.
func (j *Journal) claim(ctx context.Context) error {
	own, err := json.Marshal(j.own)
	if err != nil {
		return err
	}
	for n := len(j.runs) + 1; ; n++ {
		err := j.b.PutNew(ctx, j.runKey(n), bytes.NewReader(own))
		if errors.Is(err, fs.ErrExist) { // another driver was faster
			continue
		}
		j.number = n
		return err
	}
}

// stands returns an error when the run is no longer to be found.
func (j *Journal) stands(ctx context.Context) error {
	data, err := get(ctx, j.b, j.runKey(j.number), maxRun)
	var r Run
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%s: %w", j.prefix, ErrForgotten)
	case err != nil:
		return err
	}
	if err := json.Unmarshal(data, &r); err != nil {
		return err
	}
	if r.Token != j.own.Token {
		return fmt.Errorf("%s: %w", j.prefix, ErrForgotten)
	}
	return nil
}

// gather waits for entries to write, and says how many were recorded with them; nil says that there will be none, or with more
// that due has come.
func (j *Journal) gather(due <-chan time.Time) (entries []byte, upTo int, more bool) {
	for {
		j.mu.Lock()
		wait := interval - time.Since(j.first)
		if len(j.pending) > 0 && (j.closed || j.flushing > 0 || len(j.pending) >= full || wait <= 0) {
			entries, j.pending = j.pending, nil
			upTo = j.recorded
			j.room.Broadcast()
			j.mu.Unlock()
			return entries, upTo, true
		}
		closed, idle := j.closed, len(j.pending) == 0
		j.mu.Unlock()
		switch {
		case closed:
			return nil, 0, false
		case idle:
			select {
			case <-j.wake:
			case <-due:
				return nil, 0, true
			}
		default:
			timer := time.NewTimer(wait)
			select {
			case <-timer.C:
			case <-j.wake:
				timer.Stop()
			}
		}
	}
}
