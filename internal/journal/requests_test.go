package journal

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gowren/gowren/storage"
	"github.com/gowren/gowren/storage/memstore"
	"github.com/gowren/gowren/storage/storagetest"
)

// request returns one of the tasks from to to.
func request(from, to int) Request {
	r := (&Journal{prefix: "resume/n"}).NewRequest(to - from)
	r.Until = time.Now().Add(time.Hour)
	for n := range r.Tasks {
		r.Tasks[n] = id(from + n)
	}
	return r
}

func send(t *testing.T, j *Journal, r Request) {
	t.Helper()
	if err := j.Send(t.Context(), r); err != nil {
		t.Fatal(err)
	}
}

// awaits checks from which request a task's result may come.
func awaits(t *testing.T, j *Journal, task int, want *Request) {
	t.Helper()
	switch got := j.Awaited(id(task)); {
	case got == nil && want == nil:
	case got == nil || want == nil || got.ID != want.ID || got.Taken != want.Taken || !got.Until.Equal(want.Until.Truncate(time.Millisecond)) || len(got.Tasks) != len(want.Tasks):
		t.Errorf("task %d: %+v, want %+v", task, got, want)
	}
}

// TestRequests: what was sent is known when its driver has died, until it is known to be over; that it is, is not known
// before the results that came of it.
func TestRequests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := memstore.New()
		dying := begin(t, b, "n")
		first, second, again := request(0, 5), request(5, 8), request(3, 4)
		again.Tasks = append(again.Tasks, ID{}) // of a task that had a result by then
		again.Taken = true
		before := time.Now()
		for _, r := range []Request{first, second, again} {
			send(t, dying, r)
		}
		if took := time.Since(before); took >= interval {
			t.Errorf("to keep three requests takes %v", took)
		}
		dying.Taken(again.ID)
		time.Sleep(interval)
		synctest.Wait()          // the writer is woken at the same moment
		awaits(t, dying, 0, nil) // it is no earlier run's

		next := begin(t, b, "n")
		if len(next.Requests()) != 3 {
			t.Errorf("%d requests are open", len(next.Requests()))
		}
		awaits(t, next, 0, &first)
		awaits(t, next, 3, &again)
		awaits(t, next, 5, &second)
		awaits(t, next, 8, nil)
		if next.Awaited(ID{}) != nil {
			t.Error("no task at all is awaited")
		}
		for n := range 3 {
			if err := next.Adopt(t.Context(), id(n), []byte("result "+string(rune('0'+n)))); err != nil {
				t.Fatal(err)
			}
		}
		holds(t, next, 3)
		next.Over(again.ID)
		awaits(t, next, 3, &first)
		next.Over(first.ID)
		awaits(t, next, 3, nil)

		early := begin(t, b, "n") // before that is written
		if early.Kept() != 0 || len(early.Requests()) != 3 {
			t.Errorf("%d results, %d requests", early.Kept(), len(early.Requests()))
		}
		end(t, early)
		time.Sleep(interval)
		synctest.Wait()
		record(t, dying, 5, 8) // all of the second, without a word of its end
		end(t, next)
		end(t, dying)
		last := begin(t, b, "n")
		if last.Kept() != 6 || len(last.Requests()) != 0 {
			t.Errorf("%d results, %d requests", last.Kept(), len(last.Requests()))
		}
		awaits(t, last, 3, nil)
		awaits(t, last, 5, nil)
		end(t, last)
	})
}

// slow is a bucket that takes its time.
type slow struct{ storage.Bucket }

func (s slow) PutNew(ctx context.Context, key string, data io.Reader) error {
	time.Sleep(50 * time.Millisecond)
	return s.Bucket.PutNew(ctx, key, data)
}

// TestSendTogether: requests that are sent at once are kept at once.
func TestSendTogether(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := memstore.New()
		j := begin(t, slow{b}, "n")
		kept := make(chan error)
		for n := range 100 {
			go func() { kept <- j.Send(t.Context(), request(n, n+1)) }()
		}
		for range 100 {
			if err := <-kept; err != nil {
				t.Error(err)
			}
		}
		end(t, j)
		if n := count(t, b, "resume/n/1-"); n > 3 {
			t.Errorf("%d objects hold 100 requests", n)
		}
		again := begin(t, b, "n")
		if len(again.Requests()) != 100 {
			t.Errorf("%d requests are open", len(again.Requests()))
		}
		end(t, again)
	})
}

// TestUnsent: what cannot be kept is not to be sent, and who waits for that can end.
func TestUnsent(t *testing.T) {
	t.Parallel()
	j := begin(t, storagetest.Faults(memstore.New(), storagetest.Rule{Op: "putnew", Key: "resume/n/1-*/0", Before: fs.ErrPermission}), "n")
	if err := j.Send(t.Context(), request(0, 1)); !errors.Is(err, fs.ErrPermission) {
		t.Error(err)
	}
	if err := j.Close(); !errors.Is(err, fs.ErrPermission) {
		t.Error(err)
	}
	synctest.Test(t, func(t *testing.T) {
		j := begin(t, hanging(memstore.New()), "n")
		stopped := errors.New("stopped")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Minute, func() { cancel(stopped) })
		if err := j.Send(ctx, request(0, 1)); !errors.Is(err, stopped) {
			t.Error(err)
		}
		if err := j.Close(); err == nil {
			t.Error("all is said to be kept")
		}
	})
}

// TestDamagedRequests: entries that are none of ours are errors that name their object.
func TestDamagedRequests(t *testing.T) {
	t.Parallel()
	b := memstore.New()
	j := begin(t, b, "n")
	send(t, j, request(0, 3))
	end(t, j)
	object := j.folder(1, j.own) + "/0"
	for _, entry := range [][]byte{
		appendEntry(nil, kindSent, id(1), nil), appendEntry(nil, kindSent, id(1), make([]byte, 8+17)), appendEntry(nil, kinds, id(1), nil),
		{kindOver}, append([]byte{kindOver}, make([]byte, 16)...),
	} {
		if err := b.Put(t.Context(), object, bytes.NewReader(seal(entry))); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), b, "n", Run{}); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), object) {
			t.Errorf("%x: %v", entry, err)
		}
	}
}

// TestLease: a run whose requests are under way is known to be alive, until it ends, or has died for a while.
func TestLease(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := memstore.New()
		dies := storagetest.Faults(b, storagetest.Rule{Op: "put", Key: "resume/n/2-*/lease", Nth: 3, Stall: true})
		well, dying := begin(t, b, "n"), begin(t, dies, "n")
		record(t, well, 0, 1)
		time.Sleep(time.Hour)
		send(t, well, request(1, 2))
		record(t, dying, 3, 4)
		send(t, dying, request(2, 3))
		late := begin(t, b, "n")
		alive := func(task int) bool { return late.Alive(t.Context(), late.Awaited(id(task))) }
		if !alive(1) || !alive(2) {
			t.Error("runs that have just sent something are not known to be alive")
		}
		time.Sleep(5 * time.Minute)
		if !alive(1) || alive(2) {
			t.Errorf("after five minutes the one that lives is alive: %t, the one that has died: %t", alive(1), alive(2))
		}
		end(t, well)
		if alive(1) {
			t.Error("a run that has ended is alive")
		}
		end(t, late)
		_ = dying.Close()
	})
}

// TestFailedQuietly: what a journal that has failed is told takes no memory.
func TestFailedQuietly(t *testing.T) {
	t.Parallel()
	j := begin(t, storagetest.Faults(memstore.New(), storagetest.Rule{Op: "putnew", Key: "resume/n/1-*/0", Before: fs.ErrPermission}), "n")
	if err := j.Send(t.Context(), request(0, 1)); !errors.Is(err, fs.ErrPermission) {
		t.Error(err)
	}
	for n := range 100 {
		j.Taken(id(n))
		j.Over(id(n))
	}
	if len(j.pending) > 0 {
		t.Errorf("%d bytes wait to be written", len(j.pending))
	}
	_ = j.Close()
}
