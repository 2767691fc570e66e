package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strconv"
	"time"
)

const (
	interval   = 200 * time.Millisecond // for as long, results are gathered into an object
	full       = 4 << 20                // bytes of results that are an object at once
	maxPending = 16 << 20               // bytes that may wait to be written
	maxResult  = 64 << 20
	maxObject  = maxPending + maxResult + 1<<20
)

// Record keeps a task's result. It returns before it is written, and waits where much is to be written. Its error says that
// the journal cannot be written to.
func (j *Journal) Record(id ID, result []byte) error {
	if len(result) > maxResult {
		return fmt.Errorf("journal: a result of %d bytes; the limit is %d", len(result), maxResult)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	for j.failed == nil && len(j.pending) > maxPending {
		j.room.Wait()
	}
	if j.failed != nil {
		return j.failed
	}
	if len(j.pending) == 0 {
		j.first = time.Now()
	}
	j.pending = appendEntry(j.pending, id, result)
	j.recorded++
	j.notify()
	return nil
}

// Flush returns when all that was recorded is written, or why it is not.
func (j *Journal) Flush() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.flushing++
	defer func() { j.flushing-- }()
	for want := j.recorded; j.failed == nil && j.written < want; {
		j.notify()
		j.room.Wait()
	}
	return j.failed
}

// notify wakes the writer.
func (j *Journal) notify() {
	select {
	case j.wake <- struct{}{}:
	default:
	}
}

// Close writes what is not yet written, and returns when all is, or why it could not be.
func (j *Journal) Close() error {
	j.mu.Lock()
	j.closed = true
	j.notify()
	j.mu.Unlock()
	<-j.done
	return errors.Join(j.failed, j.past.close())
}

// write is the one who writes objects, one after another: what a run has written has no gaps.
func (j *Journal) write(ctx context.Context) {
	defer close(j.done)
	for n := 0; ; n++ {
		entries, upTo := j.gather()
		if entries == nil {
			return
		}
		err := j.put(ctx, n, seal(entries))
		j.mu.Lock()
		if j.written = upTo; err != nil {
			j.failed = fmt.Errorf("journal: the results could not be kept in %s: %w", j.b.URL(), err)
		}
		j.room.Broadcast()
		j.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// gather waits for entries to write, and says how many were recorded with them; nil says that there will be none.
func (j *Journal) gather() (entries []byte, upTo int) {
	for {
		j.mu.Lock()
		wait := interval - time.Since(j.first)
		if len(j.pending) > 0 && (j.closed || j.flushing > 0 || len(j.pending) >= full || wait <= 0) {
			entries, j.pending = j.pending, nil
			upTo = j.recorded
			j.room.Broadcast()
			j.mu.Unlock()
			return entries, upTo
		}
		closed, idle := j.closed, len(j.pending) == 0
		j.mu.Unlock()
		switch {
		case closed:
			return nil, 0
		case idle:
			<-j.wake
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

// put writes an object. One that is there is ours where a reply was lost.
func (j *Journal) put(ctx context.Context, n int, object []byte) error {
	key := path.Join(j.prefix, strconv.Itoa(j.number), strconv.Itoa(n))
	err := j.b.PutNew(ctx, key, bytes.NewReader(object))
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	there, unread := get(ctx, j.b, key, maxObject)
	if unread == nil && bytes.Equal(there, object) {
		return nil
	}
	return errors.Join(err, unread)
}
